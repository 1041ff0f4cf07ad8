#include "ltad/align/align_model.h"

#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/log.h"
#include "read_key.h"

namespace ltad {
namespace {

/// SHA-256 over names, shapes and bytes. Each tensor is hashed alone, so that the threads share the work.
std::string hash_weights(const Weights& weights) {
    const std::vector<std::pair<std::string, at::Tensor>> items(weights.begin(), weights.end());
    std::vector<std::string> hashes(items.size());
    at::parallel_for(0, static_cast<std::int64_t>(items.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            const auto& [name, tensor] = items[i];
            hashes[i] = name + shape_text(tensor.sizes().vec()) +
                        sha256({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
        }
    });
    Sha256 all;
    for (const std::string& hash : hashes) all.update(hash);
    return all.hex();
}

/// An EfficientNetModel's tensors under the names that AlignVisionModel gives them; its top and classifier are not
/// used.
Weights backbone_weights(const Weights& weights) {
    const Weights inner = with_prefix(weights, "efficientnet.");
    Weights kept;
    for (const auto& [name, tensor] : inner.empty() ? weights : inner)
        if (!name.starts_with("encoder.top_") && !name.starts_with("classifier.")) kept[name] = tensor;
    return kept;
}

/// What shapes the texts beside weights and vocabulary.
std::string text_settings(const BertConfig& config, const Tokenizer& tokenizer) {
    const json settings = {config.num_attention_heads,
                           config.layer_norm_eps,
                           config.hidden_act,
                           tokenizer.settings(),
                           tokenizer.cls(),
                           tokenizer.sep(),
                           tokenizer.pad()};
    return settings.dump();
}

/// What shapes the features beside the weights.
std::string vision_settings(const AlignConfig& config, const Preprocessing& preprocessing) {
    const EfficientNetConfig& v = config.vision;
    const json settings = {
        v.width_coefficient, v.depth_coefficient, v.depth_divisor,           v.kernel_sizes,      v.in_channels,
        v.out_channels,      v.strides,           v.num_block_repeats,       v.expand_ratios,     v.depthwise_padding,
        v.hidden_act,        v.batch_norm_eps,    v.squeeze_expansion_ratio, preprocessing.scale, preprocessing.offset};
    return settings.dump();
}

}  // namespace

std::filesystem::path model_weights_file(const std::filesystem::path& directory) {
    for (const char* name :
         {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"})
        if (std::filesystem::exists(directory / name)) return directory / name;
    fail(directory.string(),
         ": neither model.safetensors nor pytorch_model.bin is there, nor an index of either; a model directory such "
         "as kakaobrain/align-base was expected");
}

Weights read_model_weights(const std::filesystem::path& directory) {
    return load_any_weights(model_weights_file(directory));
}

AlignConfig parse_align_config(const json& document, const std::string& where) {
    if (!document.is_object()) fail(where, ": a JSON object was expected");
    AlignConfig config;
    std::string type = "align";
    read_key(document, "model_type", type, where);
    read_key(document, "ltad_random_weights", config.random_weights, where);
    read_key(document, "ltad_random_projection", config.random_projection, where);
    if (type == "efficientnet") {
        config.vision = parse_efficientnet_config(document, where);
        return config;
    }
    if (type != "align") fail(where, ": model_type '", type, "' is neither \"align\" nor \"efficientnet\"");
    const json empty = json::object();
    const auto section = [&](const char* key) -> const json& {
        const auto found = document.find(key);
        if (found == document.end() || found->is_null()) return empty;
        if (!found->is_object()) fail(where, ": ", key, ": an object was expected, found ", found->dump());
        return *found;
    };
    config.vision = parse_efficientnet_config(section("vision_config"), where + ": vision_config");
    config.text = parse_bert_config(section("text_config"), where + ": text_config");
    read_key(document, "projection_dim", config.projection_dim, where);
    if (config.projection_dim < 1 || config.projection_dim > 1'000'000) fail(where, ": projection_dim: out of range");
    return config;
}

Shapes align_shapes(const AlignConfig& config) {
    if (!config.text) return efficientnet_shapes(config.vision);
    Shapes shapes;
    for (auto& [name, shape] : efficientnet_shapes(config.vision)) shapes["vision_model." + name] = shape;
    for (auto& [name, shape] : bert_shapes(*config.text)) shapes["text_model." + name] = shape;
    shapes["text_projection.weight"] = {config.projection_dim, config.text->hidden_size};
    shapes["text_projection.bias"] = {config.projection_dim};
    shapes["temperature"] = {};
    return shapes;
}

AlignModel::AlignModel(std::filesystem::path directory, at::Device device, Precision image_precision)
    : directory_(std::move(directory)), device_(device) {
    if (!std::filesystem::is_directory(directory_))
        fail(directory_.string(), ": no such folder; a model directory was expected (ltad-pretrain makes one)");
    if (!std::filesystem::exists(directory_ / "config.json"))
        fail(directory_.string(),
             ": no config.json in it; a model directory such as kakaobrain/align-base was expected");
    const auto config_file = directory_ / "config.json";
    config_ = parse_align_config(read_json(config_file), config_file.string());
    preprocessing_ = read_preprocessing(directory_);

    Weights weights = read_model_weights(directory_);
    if (!config_.text) weights = backbone_weights(weights);
    check_weights(weights, align_shapes(config_), directory_.string());
    const Weights vision = config_.text ? with_prefix(weights, "vision_model.") : weights;
    image_ = std::make_unique<ImageEncoder>(config_.vision, vision, device_, image_precision);
    image_fingerprint_ = sha256(hash_weights(vision) + vision_settings(config_, preprocessing_));
    fingerprint_ = image_fingerprint_;
    if (config_.text) load_text(weights);
    if (config_.random_weights)
        log_warning_once(ltad::text(directory_.string(),
                                    " has RANDOM weights: the pipeline runs, but the figures say nothing "
                                    "about LTAD with a pretrained encoder"));
    if (config_.random_projection)
        log_warning_once(
            ltad::text(directory_.string(),
                       " has a RANDOM text projection: texts and pictures do not match; `ltad-pretrain train` "
                       "makes one, `ltad-pretrain import --projection` puts it in"));
}

void AlignModel::load_text(const Weights& weights) {
    Weights language = with_prefix(weights, "text_model.");
    text_ = std::make_unique<TextEncoder>(*config_.text, language, weights.at("text_projection.weight"),
                                          weights.at("text_projection.bias"), device_);
    tokenizer_ = load_tokenizer(directory_);
    if (tokenizer_->vocabulary_size() > config_.text->vocab_size)
        fail(directory_.string(), ": its vocabulary has ", tokenizer_->vocabulary_size(),
             " entries, the text encoder knows ", config_.text->vocab_size);
    language["text_projection.weight"] = weights.at("text_projection.weight");
    language["text_projection.bias"] = weights.at("text_projection.bias");
    Sha256 all;
    all.update(image_fingerprint_ + hash_weights(language) + text_settings(*config_.text, *tokenizer_));
    for (std::int64_t id = 0; id < tokenizer_->vocabulary_size(); ++id) all.update(tokenizer_->token(id) + "\n");
    fingerprint_ = all.hex();
}

void AlignModel::refuse_text() const {
    fail(directory_.string(),
         ": an image-only backbone has no text encoder; LTAD's class names need one, "
         "such as kakaobrain/align-base");
}

const TextEncoder& AlignModel::text() const {
    if (!text_) refuse_text();
    return *text_;
}

const Tokenizer& AlignModel::tokenizer() const {
    if (!tokenizer_) refuse_text();
    return *tokenizer_;
}

at::Tensor AlignModel::preprocess(const at::Tensor& pictures) const {
    const auto channel = [&](const std::array<double, 3>& values) {
        return at::tensor(at::ArrayRef<double>(values.data(), 3)).to(device_, at::kFloat).view({1, 3, 1, 1});
    };
    // NHWC seen as NCHW is already channels-last.
    const at::Tensor levels = pictures.to(device_).permute({0, 3, 1, 2}).to(at::kFloat);
    return (levels * channel(preprocessing_.scale)).add_(channel(preprocessing_.offset));
}

}  // namespace ltad
