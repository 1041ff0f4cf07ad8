#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>

#include "ltad/align/align_model.h"
#include "ltad/config/pretrain_config.h"
#include "ltad/core/image.h"
#include "ltad/core/json.h"
#include "pretrain/vocabulary.h"
#include "support/golden.h"

namespace ltad::test {

/// An ALIGN of three image blocks and one text layer, with embeddings of 16 numbers.
inline json tiny_align_config() {
    return {{"model_type", "align"},
            {"projection_dim", 16},
            {"vision_config",
             {{"width_coefficient", 0.25},
              {"depth_coefficient", 1.0},
              {"kernel_sizes", {3, 3}},
              {"in_channels", {32, 16}},
              {"out_channels", {16, 64}},
              {"strides", {1, 2}},
              {"num_block_repeats", {1, 2}},
              {"expand_ratios", {1, 2}}}},
            {"text_config",
             {{"vocab_size", 200},
              {"hidden_size", 16},
              {"num_hidden_layers", 1},
              {"num_attention_heads", 2},
              {"intermediate_size", 32},
              {"max_position_embeddings", 16}}}};
}

inline const std::array<std::string, 3> toy_captions = {"metal", "broken wood", "a perfect glass surface"};

/// A square whose colour, one of three, says which caption is its own; place and shade follow from the number.
inline Image toy_picture(std::size_t number, int size = 32) {
    constexpr std::array<std::array<int, 3>, 3> colours = {{{30, 60, 220}, {210, 90, 20}, {40, 220, 90}}};
    const auto& colour = colours[number % 3];
    const int left = static_cast<int>(number * 5 % 7);
    const int top = static_cast<int>(number * 3 % 5);
    const int shade = static_cast<int>(number * 17 % 30);
    Image image{.width = size, .height = size, .pixels = {}};
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            for (const int part : colour) {
                const bool inside = x >= left && x < left + size * 3 / 4 && y >= top && y < top + size * 3 / 4;
                image.pixels.push_back(static_cast<std::uint8_t>(inside ? part + shade : 120));
            }
    return image;
}

/// Random encoders see much the same in everything; as in trained ones, different pictures shall point elsewhere.
inline void center_embeddings(Weights& weights) {
    std::vector<at::Tensor> pixels;
    for (std::size_t i = 0; i < toy_captions.size(); ++i) {
        const Image image = toy_picture(i);
        const at::Tensor levels = at::tensor(at::ArrayRef<std::uint8_t>(image.pixels), at::kByte).to(at::kFloat);
        pixels.push_back(levels.view({image.height, image.width, 3}).permute({2, 0, 1}) / 127.5 - 1);
    }
    const EfficientNetConfig config = parse_align_config(tiny_align_config(), "tiny").vision;
    const ImageEncoder encoder(config, with_prefix(weights, "vision_model."), at::kCPU);
    weights.at("vision_model.encoder.blocks.2.projection.project_bn.bias") -=
        encoder.forward(at::stack(pixels), {}).pooled.mean(0);
}

/// Such a model with random weights in `folder` / "model"; `init_model_directory` would take longer.
inline std::filesystem::path make_tiny_model(const std::filesystem::path& folder) {
    Weights weights;
    std::uint64_t seed = 70;
    for (const auto& [name, shape] : align_shapes(parse_align_config(tiny_align_config(), "tiny"))) {
        const double fan = shape.size() == 4 ? static_cast<double>(shape[1] * shape[2] * shape[3]) / 2 : 16;
        const bool one = shape.size() < 2 && !name.ends_with("bias") && !name.ends_with("running_mean");
        weights[name] =
            shape.size() >= 2 ? random_tensor(shape, ++seed) / std::sqrt(fan) : at::full(shape, one ? 1.0 : 0.0);
    }
    center_embeddings(weights);
    const auto model = folder / "model";
    std::filesystem::create_directories(model);
    save_weights(model / "model.safetensors", weights, {{"format", "pt"}});
    write_text(model / "vocab.txt", small_vocabulary());
    write_text(model / "preprocessor_config.json", R"({"rescale_factor": 0.0078431, "rescale_offset": true,
                                                       "do_normalize": false, "include_top": false})");
    write_text(model / "config.json", tiny_align_config().dump());
    return model;
}

/// "pairs.jsonl" and the pictures it lists, "0.png", "1.png", …
inline std::filesystem::path write_toy_pairs(const std::filesystem::path& folder, std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = std::to_string(i) + ".png";
        write_text(folder / name, encode_png(toy_picture(i)));
        list += json{{"image", name}, {"text", toy_captions[i % 3]}}.dump() + "\n";
    }
    write_text(folder / "pairs.jsonl", list);
    return folder / "pairs.jsonl";
}

/// Training of the tiny model on 18 listed pairs, with 6 held out, into `folder` / "run"; three batches an epoch.
inline PretrainConfig toy_config(const std::filesystem::path& folder) {
    PretrainConfig config;
    config.seed = 5;
    config.device = "cpu";
    config.threads = 1;
    config.checkpoint_seconds = 1e9;
    config.model = (folder / "model").string();
    config.output = (folder / "run").string();
    config.pairs = {.list = (folder / "pairs.jsonl").string(), .image_size = 32, .held_out_every = 4};
    config.contrastive.batch_size = 6;
    config.contrastive.epochs = 2;
    config.contrastive.warmup_steps = 2;
    config.contrastive.learning_rate = 1e-2;
    config.held_out = {.every = 1000, .pairs = 6, .pictures_per_class = 2};
    return config;
}

/// The model and pairs of `toy_config`.
inline PretrainConfig make_toy_training(const std::filesystem::path& folder) {
    make_tiny_model(folder);
    write_toy_pairs(folder, 24);
    return toy_config(folder);
}

}  // namespace ltad::test
