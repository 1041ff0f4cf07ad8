#include "ltad/model/decoder.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "ltad/core/error.h"

namespace ltad {

Decoder::Decoder(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
                 std::int64_t text_dim, Parameters& parameters)
    : config_(config), grid_(layout.grid), channels_(layout.channels) {
    const auto specs = block_specs(encoder);
    const auto sizes = map_sizes(encoder, layout.image_size);  // [i]: the side of block i's input
    const auto limit = [&](std::int64_t size) { return config.resolution == "grid" ? std::min(size, grid_) : size; };
    seed_channels_ = specs.back().out;
    seed_map_size_ = limit(sizes.back());
    seed_is_tap_ = layout.taps.back() + 1 == static_cast<std::int64_t>(specs.size());
    seed_ = make_linear(parameters, "decoder.seed", layout.latent + text_dim,
                        seed_channels_ * config.seed_size * config.seed_size,
                        init_xavier_uniform(layout.latent + text_dim, seed_channels_));
    const Activation activation = parse_activation(encoder.hidden_act, "vision_config");
    const NormOptions norm{config.norm == "batch", config.norm_momentum, encoder.batch_norm_eps};
    // The mirror of block i gives a map like block i − 1's output, down to the first tap.
    for (auto i = static_cast<std::int64_t>(specs.size()) - 1; i > layout.taps.front(); --i) {
        const auto index = static_cast<std::size_t>(i);
        Stage stage{DecoderBlock(specs[index], limit(sizes[index]), activation, norm, text("decoder.blocks.", i, "."),
                                 parameters)};
        const auto tap = std::find(layout.taps.begin(), layout.taps.end(), i - 1);
        if (tap != layout.taps.end()) stage.emits = tap - layout.taps.begin();
        stages_.push_back(std::move(stage));
    }
}

void Decoder::start_at(const at::Tensor& mean, const at::Tensor& deviation) {
    for (const Stage& stage : stages_) {
        if (stage.emits < 0) continue;
        const std::int64_t count = channels_[static_cast<std::size_t>(stage.emits)];
        const std::int64_t first = std::accumulate(channels_.begin(), channels_.begin() + stage.emits, std::int64_t{0});
        stage.block.start_at(mean.narrow(0, first, count), deviation.narrow(0, first, count));
    }
}

at::Tensor Decoder::to_grid(const at::Tensor& map) const {
    return map.size(2) == grid_ ? map : at::upsample_bilinear2d(map, {grid_, grid_}, true);
}

at::Tensor Decoder::forward(const at::Tensor& latent, const at::Tensor& text, bool training) const {
    const std::int64_t seed = config_.seed_size;
    at::Tensor x = seed_(at::cat({latent, text}, 1)).view({latent.size(0), seed_channels_, seed, seed});
    x = x.contiguous(at::MemoryFormat::ChannelsLast);
    if (seed_map_size_ != seed) x = at::upsample_nearest2d(x, {seed_map_size_, seed_map_size_});
    std::vector<at::Tensor> taps(channels_.size());
    if (seed_is_tap_) taps.back() = to_grid(x);
    for (const Stage& stage : stages_) {
        x = stage.block.forward(x, training);
        if (stage.emits >= 0) taps[static_cast<std::size_t>(stage.emits)] = to_grid(x);
    }
    return at::cat(taps, 1);
}

}  // namespace ltad
