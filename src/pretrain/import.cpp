#include "ltad/pretrain/import.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/align/align_model.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/log.h"
#include "ltad/core/random.h"
#include "model_files.h"
#include "towers.h"
#include "updates.h"

namespace ltad {
namespace {

constexpr std::string_view mean_suffix = "running_mean";

json source(const std::filesystem::path& file) {
    const auto files = weights_files(file);
    if (files.size() == 1) return {{"file", file.filename().string()}, {"sha256", sha256_file(file)}};
    Sha256 all;
    for (const auto& part : files) all.update(sha256_file(part));
    return {{"file", file.filename().string()}, {"sha256", all.hex()}};
}

json sources_of(const ImportOptions& options) {
    return {{"image", source(options.image)}, {"text", source(model_weights_file(options.text))}};
}

at::Tensor random_projection(std::int64_t out, std::int64_t in, std::int64_t seed) {
    at::Tensor weight = at::empty({out, in});
    Random random(RandomUse::init, {static_cast<std::uint64_t>(seed), random_key("text_projection.weight")});
    random.fill_normal({weight.mutable_data_ptr<float>(), static_cast<std::size_t>(weight.numel())});
    return weight.mul_(1 / std::sqrt(static_cast<double>(in)));
}

/// Updates that were trained for just these weights, and hold all that was trained.
ModelUpdates updates_for(const json& sources, const std::filesystem::path& file) {
    ModelUpdates updates = read_updates(file);
    if (!updates.sources.contains("image") || !updates.sources.contains("text"))
        fail(file.string(),
             ": its training started from a model that was not imported; use the model/ folder beside it");
    for (const char* part : {"image", "text"})
        if (const json there = updates.sources.value(part, json()); there != sources[part])
            fail(file.string(), ": was trained for other ", part, " weights: ", there.dump(), " there, ",
                 sources[part].dump(), " here");
    if (updates.sources.contains("projection"))
        fail(file.string(), ": was trained on top of other updates, ", updates.sources["projection"].dump(),
             ", which it does not hold; use the model/ folder beside it");
    return updates;
}

json model_config(const Tower& image, const Tower& text, std::int64_t projection_dim) {
    return {{"model_type", "align"},         {"architectures", {"AlignModel"}}, {"projection_dim", projection_dim},
            {"temperature_init_value", 1.0}, {"vision_config", image.config},   {"text_config", text.config}};
}

/// Throws UsageError where the model would take the place of what it is made from.
void check_output(const ImportOptions& options) {
    Outputs outputs;
    outputs.keep(options.image, "the image weights");
    for (const auto& entry : std::filesystem::directory_iterator(options.text))
        outputs.keep(entry.path(), "a file of the text encoder");
    if (!options.projection.empty()) outputs.keep(options.projection, "the projection");
    claim_model_files(outputs, options.out, options.text, "--out " + options.out.string());
}

}  // namespace

void import_model_directory(const ImportOptions& options) {
    const c10::NoGradGuard no_grad;
    if (std::filesystem::exists(options.out / "config.json"))
        fail(options.out.string(), ": a model is there already; choose another folder, or remove its config.json");
    const Tower image = read_image_tower(options.image);
    const Tower text = read_text_tower(options.text);

    check_output(options);

    json config = model_config(image, text, 1);
    const std::int64_t known = parse_align_config(config, "config.json").text->vocab_size;
    if (const auto entries = load_tokenizer(options.text)->vocabulary_size(); entries > known)
        fail(options.text.string(), ": its vocabulary has ", entries, " entries, its text encoder knows ", known);
    const std::int64_t dim = block_specs(parse_align_config(config, "config.json").vision).back().out;
    config["projection_dim"] = dim;

    Weights weights;
    for (const auto& [name, tensor] : image.weights) {
        weights["vision_model." + name] = tensor;
        if (name.ends_with(mean_suffix))  // of no use in inference, but transformers complains where it is missing
            weights["vision_model." + name.substr(0, name.size() - mean_suffix.size()) + "num_batches_tracked"] =
                at::zeros({}, at::kLong);
    }
    for (const auto& [name, tensor] : text.weights) weights["text_model." + name] = tensor;
    const std::int64_t hidden = parse_align_config(config, "config.json").text->hidden_size;
    weights["text_projection.weight"] = random_projection(dim, hidden, options.seed);
    weights["text_projection.bias"] = at::zeros({dim});
    weights["temperature"] = at::ones({});
    json sources = sources_of(options);
    if (options.projection.empty()) {
        config["ltad_random_projection"] = true;
    } else {
        weights = apply_updates(weights, updates_for(sources, options.projection).tensors, options.projection.string());
        sources["projection"] = source(options.projection);
    }
    config["ltad_sources"] = sources;
    check_weights(weights, align_shapes(parse_align_config(config, "config.json")), options.out.string());

    save_weights(options.out / "model.safetensors", weights, {{"format", "pt"}});
    write_json(options.out / "preprocessor_config.json", image.preprocessing);
    copy_tokenizer_files(options.text, options.out);
    write_json(options.out / "config.json", config);  // last: it makes the folder a model directory
    std::int64_t parameters = 0;
    for (const auto& [name, tensor] : weights) parameters += tensor.numel();
    log_info(ltad::text(options.out.string(), ": ", parameters, " weights from ", options.image.filename().string(),
                        " and ", options.text.string()));
    if (options.projection.empty())
        log_warning(
            ltad::text(options.out.string(),
                       ": the text projection is RANDOM (no --projection): texts and pictures do not match yet"));
}

}  // namespace ltad
