#include "ltad/pretrain/init.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "efficientnet_graph.h"
#include "ltad/align/align_model.h"
#include "ltad/align/device.h"
#include "ltad/core/error.h"
#include "ltad/core/lfs_pointer.h"
#include "ltad/core/log.h"
#include "ltad/core/random.h"
#include "ltad/synth/picture.h"
#include "model_files.h"
#include "vocabulary.h"

namespace ltad {
namespace {

/// Deviation of a weight's random start; a negative one stands for constant 1 (the scale of a norm), 0 for zeros.
double deviation_for(const std::string& name, const std::vector<std::int64_t>& shape) {
    if (name.ends_with(".bias")) return 0;
    if (shape.size() < 2) return -1;  // scales of norms, running statistics, the temperature
    if (shape.size() == 4) return std::sqrt(2.0 / static_cast<double>(shape[1] * shape[2] * shape[3]));
    if (name.find("embeddings") != std::string::npos) return 0.02;  // BERT's own start
    // By fan: with BERT's 0.02 for these as well, an untrained encoder would give the same text features whatever it
    // reads.
    return 1 / std::sqrt(static_cast<double>(shape[1]));
}

Weights random_weights(const Shapes& shapes, std::int64_t seed) {
    Weights weights;
    for (const auto& [name, shape] : shapes) {
        at::Tensor tensor = at::ones(shape);
        const double deviation = deviation_for(name, shape);
        if (deviation >= 0) {
            Random random(RandomUse::init, {static_cast<std::uint64_t>(seed), random_key(name)});
            random.fill_normal({tensor.mutable_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())});
            tensor.mul_(deviation);
        }
        weights[name] = tensor;
    }
    return weights;
}

/// Drawings and circuits are pictures, too; without any among the calibration pictures, a random network's response to
/// such contrasts grows from block to block.
void make_black_and_white(Image& image) {
    double sum = 0;
    for (const std::uint8_t value : image.pixels) sum += value;
    const double mean = sum / static_cast<double>(image.pixels.size());
    for (std::uint8_t& value : image.pixels) value = value > mean ? 255 : 0;
}

/// Generated pictures of all classes, one as it is and one in black and white, as the encoder reads them: [N, 3, size,
/// size].
at::Tensor calibration_pictures(const Preprocessing& preprocessing, int size) {
    std::vector<at::Tensor> pictures;
    for (std::size_t c = 0; c < synth_class_names().size(); ++c) {
        for (std::int64_t i = 0; i < 2; ++i) {
            Image image =
                draw_good({.class_index = c, .seed = 0, .part = "calibration", .index = i, .size = size}).image;
            if (i == 1) make_black_and_white(image);
            pictures.push_back(at::tensor(at::ArrayRef<std::uint8_t>(image.pixels), at::kByte).view({size, size, 3}));
        }
    }
    const auto channels = [](const std::array<double, 3>& values) {
        return at::tensor(at::ArrayRef<double>(values.data(), 3), at::kFloat).view({1, 3, 1, 1});
    };
    return at::stack(pictures).permute({0, 3, 1, 2}).to(at::kFloat) * channels(preprocessing.scale) +
           channels(preprocessing.offset);
}

/// Runs the image encoder in training mode once and keeps every batch norm's statistics as its running ones.
void calibrate(const EfficientNetConfig& config, Weights& weights, const std::string& prefix, const at::Tensor& x) {
    const auto norm = [&](const at::Tensor& y, const std::string& name) {
        const at::Tensor mean = y.mean({0, 2, 3});
        const at::Tensor variance = (y - mean.view({1, -1, 1, 1})).square().mean({0, 2, 3});
        weights[prefix + name + ".running_mean"] = mean;
        weights[prefix + name + ".running_var"] = variance;
        return at::batch_norm(y, weights.at(prefix + name + ".weight"), weights.at(prefix + name + ".bias"), mean,
                              variance, false, 0.0, config.batch_norm_eps, false);
    };
    (void)EfficientNetGraph(config, with_prefix(weights, prefix), norm).forward(x);
}

/// The numbers of kakaobrain/align-base's preprocessor_config.json that matter: grey levels to [−1, 1].
const json preprocessing_document = {{"image_processor_type", "EfficientNetImageProcessor"},
                                     {"do_rescale", true},
                                     {"rescale_factor", 1.0 / 127.5},
                                     {"rescale_offset", true},
                                     {"do_normalize", false},
                                     {"include_top", false}};

std::string vocabulary_for(const std::filesystem::path& config_file, const BertConfig& config) {
    const auto beside = config_file.parent_path() / "vocab.txt";
    std::string vocabulary = std::filesystem::exists(beside) ? read_file(beside) : small_vocabulary();
    refuse_lfs_pointer(vocabulary, beside);
    const auto lines = std::count(vocabulary.begin(), vocabulary.end(), '\n');
    if (lines > config.vocab_size)
        fail(config_file.string(), ": text_config.vocab_size is ", config.vocab_size, ", but the vocabulary has ",
             lines, " entries");
    return vocabulary;
}

}  // namespace

void init_model_directory(const std::filesystem::path& config_file, std::int64_t seed,
                          const std::filesystem::path& out) {
    const c10::NoGradGuard no_grad;
    set_threads(0);
    json document = read_json(config_file);
    const AlignConfig config = parse_align_config(document, config_file.string());
    if (std::filesystem::exists(out / "config.json"))
        fail(out.string(), ": a model is there already; choose another folder, or remove it first");
    Outputs outputs;
    outputs.keep(config_file, "the config");
    claim_model_files(outputs, out, "", "--out " + out.string());

    const std::string vocabulary = config.text ? vocabulary_for(config_file, *config.text) : "";
    Weights weights = random_weights(align_shapes(config), seed);
    const Preprocessing preprocessing = parse_preprocessing(preprocessing_document, "preprocessor_config.json");
    calibrate(config.vision, weights, config.text ? "vision_model." : "", calibration_pictures(preprocessing, 224));

    save_weights(out / "model.safetensors", weights, {{"format", "pt"}});
    write_json(out / "preprocessor_config.json", preprocessing_document);
    if (config.text) write_file_atomically(out / "vocab.txt", vocabulary);
    document["ltad_random_weights"] = true;
    for (const char* key : {"ltad_sources", "ltad_random_projection"})
        document.erase(key);                    // of a config made by import
    write_json(out / "config.json", document);  // last: it makes the folder a model directory
    std::int64_t parameters = 0;
    for (const auto& [name, tensor] : weights) parameters += tensor.numel();
    log_warning(text(out.string(), ": a model of ", parameters, " RANDOM weights (seed ", seed,
                     "); it tests the pipeline, it has learned nothing"));
}

}  // namespace ltad
