#include "ltad/model/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

/// He et al. 2015 with the fan counted per group: the plain fan-out makes a depthwise convolution's output so small
/// that the norm's eps swallows it.
Init init_convolution(std::int64_t out, std::int64_t kernel, std::int64_t groups) {
    return init_normal(std::sqrt(2.0 / static_cast<double>(kernel * kernel * out / groups)));
}

}  // namespace

Decoder::Decoder(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
                 std::int64_t text_dim, Parameters& parameters)
    : config_(config),
      activation_(parse_activation(encoder.hidden_act, "vision_config")),
      norm_eps_(encoder.batch_norm_eps),
      grid_(layout.grid),
      channels_(layout.channels) {
    const auto specs = block_specs(encoder);
    const auto sizes = map_sizes(encoder, layout.image_size);  // [i]: the side of block i's input
    const auto limit = [&](std::int64_t size) { return config.resolution == "grid" ? std::min(size, grid_) : size; };
    seed_channels_ = specs.back().out;
    seed_map_size_ = limit(sizes.back());
    seed_is_tap_ = layout.taps.back() + 1 == static_cast<std::int64_t>(specs.size());
    seed_ = make_linear(parameters, "decoder.seed", layout.latent + text_dim,
                        seed_channels_ * config.seed_size * config.seed_size,
                        init_xavier_uniform(layout.latent + text_dim, seed_channels_));
    // The mirror of block i gives a map like block i − 1's output, down to the first tap.
    for (auto i = static_cast<std::int64_t>(specs.size()) - 1; i > layout.taps.front(); --i) {
        Block block = make_block(specs[static_cast<std::size_t>(i)], text("decoder.blocks.", i, "."), parameters);
        block.size = limit(sizes[static_cast<std::size_t>(i)]);
        const auto tap = std::find(layout.taps.begin(), layout.taps.end(), i - 1);
        if (tap != layout.taps.end()) block.emits = tap - layout.taps.begin();
        blocks_.push_back(std::move(block));
    }
}

Decoder::Unit Decoder::make_unit(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                                 std::int64_t groups, Parameters& parameters) const {
    Unit unit;
    unit.weight =
        parameters.add(name + ".weight", {out, in / groups, kernel, kernel}, init_convolution(out, kernel, groups));
    unit.scale = parameters.add(name + ".norm.weight", {out}, init_constant(1));
    unit.shift = parameters.add(name + ".norm.bias", {out}, init_constant(0));
    if (config_.norm == "batch") {
        unit.running_mean = parameters.add_buffer(name + ".norm.running_mean", {out}, init_constant(0));
        unit.running_var = parameters.add_buffer(name + ".norm.running_var", {out}, init_constant(1));
    }
    unit.groups = groups;
    return unit;
}

Decoder::Block Decoder::make_block(const BlockSpec& mirrored, const std::string& name, Parameters& parameters) const {
    const std::int64_t in = mirrored.out;
    const std::int64_t out = mirrored.in;
    const std::int64_t middle = in * mirrored.expand_ratio;
    Block block;
    block.expands = mirrored.expand_ratio != 1;
    block.residual = mirrored.residual;
    if (block.expands) block.expand = make_unit(name + "expand", in, middle, 1, 1, parameters);
    block.depthwise = make_unit(name + "depthwise", middle, middle, mirrored.kernel, middle, parameters);
    const std::int64_t squeeze = mirrored.squeeze;
    block.reduce_weight =
        parameters.add(name + "reduce.weight", {squeeze, middle, 1, 1}, init_convolution(squeeze, 1, 1));
    block.reduce_bias = parameters.add(name + "reduce.bias", {squeeze}, init_constant(0));
    block.excite_weight =
        parameters.add(name + "excite.weight", {middle, squeeze, 1, 1}, init_convolution(middle, 1, 1));
    block.excite_bias = parameters.add(name + "excite.bias", {middle}, init_constant(0));
    block.project = make_unit(name + "project", middle, out, 1, 1, parameters);
    return block;
}

at::Tensor Decoder::run(const Unit& unit, const at::Tensor& x, bool training) const {
    const std::array<std::int64_t, 1> one{1}, half{unit.weight.size(2) / 2};
    const at::Tensor y = at::conv2d(x, unit.weight, {}, one, half, one, unit.groups);
    if (config_.norm == "group")
        return at::group_norm(y, std::gcd(y.size(1), std::int64_t{8}), unit.scale, unit.shift, norm_eps_);
    // One value per channel has no variance; its estimate would be NaN and stay so.
    const bool learn = training && y.size(0) * y.size(2) * y.size(3) > 1;
    return at::batch_norm(y, unit.scale, unit.shift, unit.running_mean, unit.running_var, learn, config_.norm_momentum,
                          norm_eps_, false);
}

at::Tensor Decoder::run(const Block& block, const at::Tensor& x, bool training) const {
    at::Tensor y = block.expands ? activate(activation_, run(block.expand, x, training)) : x;
    if (y.size(2) != block.size) y = at::upsample_nearest2d(y, {block.size, block.size});
    y = activate(activation_, run(block.depthwise, y, training));
    const at::Tensor squeezed = at::conv2d(y.mean({2, 3}, true), block.reduce_weight, block.reduce_bias);
    y = y * at::conv2d(activate(activation_, squeezed), block.excite_weight, block.excite_bias).sigmoid();
    y = run(block.project, y, training);
    return block.residual ? y + x : y;
}

void Decoder::start_at(const at::Tensor& mean, const at::Tensor& deviation) {
    const c10::NoGradGuard no_grad;
    for (const Block& block : blocks_) {
        if (block.emits < 0) continue;
        const auto tap = static_cast<std::size_t>(block.emits);
        const std::int64_t first = std::accumulate(channels_.begin(), channels_.begin() + block.emits, std::int64_t{0});
        block.project.shift.copy_(mean.narrow(0, first, channels_[tap]));
        block.project.scale.copy_(deviation.narrow(0, first, channels_[tap]));
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
    for (const Block& block : blocks_) {
        x = run(block, x, training);
        if (block.emits >= 0) taps[static_cast<std::size_t>(block.emits)] = to_grid(x);
    }
    return at::cat(taps, 1);
}

}  // namespace ltad
