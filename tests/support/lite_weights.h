#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "ltad/core/error.h"
#include "support/golden.h"

namespace ltad::test {

/// A block of a tiny EfficientNet-Lite.
struct LiteBlock {
    std::int64_t in, out, expand, kernel, stride;
    [[nodiscard]] std::int64_t expanded() const { return in * expand; }
    [[nodiscard]] bool residual() const { return stride == 1 && in == out; }
};

/// Seven stages of one block, the second and fifth of two.
inline const std::vector<LiteBlock> lite_blocks = {{32, 16, 1, 3, 1}, {16, 24, 2, 3, 2}, {24, 24, 2, 3, 1},
                                                   {24, 32, 2, 5, 2}, {32, 40, 3, 3, 2}, {40, 48, 2, 5, 1},
                                                   {48, 48, 2, 5, 1}, {48, 56, 2, 5, 2}, {56, 64, 2, 3, 1}};

/// Random tensors under the names of EfficientNet-Lite's files, with the classifier they carry.
inline Weights lite_weights(std::uint64_t seed = 1) {
    Weights weights;
    const auto convolution = [&](const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
        const double fan = static_cast<double>(in * kernel * kernel);
        weights[name + ".weight"] = random_tensor({out, in, kernel, kernel}, ++seed) * std::sqrt(2 / fan);
    };
    const auto norm = [&](const std::string& name, std::int64_t channels) {
        weights[name + ".weight"] = random_tensor({channels}, ++seed) * 0.2 + 1.1;
        weights[name + ".bias"] = random_tensor({channels}, ++seed) * 0.5;
        weights[name + ".running_mean"] = random_tensor({channels}, ++seed) * 0.3;
        weights[name + ".running_var"] = random_tensor({channels}, ++seed).abs() * 0.3 + 0.8;
        weights[name + ".num_batches_tracked"] = at::full({}, 7, at::kLong);
    };
    convolution("_conv_stem", 32, 3, 3);
    norm("_bn0", 32);
    for (std::size_t i = 0; i < lite_blocks.size(); ++i) {
        const LiteBlock& block = lite_blocks[i];
        const std::string name = text("_blocks.", i, ".");
        if (block.expand != 1) {
            convolution(name + "_expand_conv", block.expanded(), block.in, 1);
            norm(name + "_bn0", block.expanded());
        }
        convolution(name + "_depthwise_conv", block.expanded(), 1, block.kernel);
        norm(name + "_bn1", block.expanded());
        convolution(name + "_project_conv", block.out, block.expanded(), 1);
        norm(name + "_bn2", block.out);
    }
    convolution("_conv_head", 128, 64, 1);
    norm("_bn1", 128);
    weights["_fc.weight"] = random_tensor({10, 128}, ++seed);
    weights["_fc.bias"] = random_tensor({10}, ++seed);
    return weights;
}

/// A BERT's folder: golden/align_tiny's text encoder under a BertModel's names, with its vocabulary.
inline void make_tiny_bert(const std::filesystem::path& folder) {
    make_align_tiny(folder / "align");
    std::filesystem::rename(folder / "align" / "vocab.txt", folder / "vocab.txt");
    write_json(folder / "config.json", read_json(folder / "align" / "config.json")["text_config"]);
    save_weights(folder / "model.safetensors",
                 with_prefix(load_weights(folder / "align" / "model.safetensors"), "text_model."), {});
    std::filesystem::remove_all(folder / "align");
}

}  // namespace ltad::test
