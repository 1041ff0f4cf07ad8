#include "efficientnet_fused.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace ltad {
namespace {

/// Maps of more pixels than this go through the network an image for each thread at a time, which keeps them in the
/// cache; smaller ones all together, which reads the weights, most of which are there, once.
constexpr std::int64_t large_map = 28 * 28;

FrozenPointwise packed(const ImageEncoder::Convolution& from, Precision precision) {
    const at::Tensor weight = from.weight.contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t outputs = weight.size(0);
    return {weight.const_data_ptr<float>(), from.bias.contiguous().const_data_ptr<float>(), outputs,
            weight.numel() / outputs, precision};
}

FrozenDepthwise packed_depthwise(const ImageEncoder::Convolution& from) {
    const at::Tensor weight = from.weight.contiguous();
    return {weight.const_data_ptr<float>(), from.bias.contiguous().const_data_ptr<float>(), weight.size(0),
            weight.size(2)};
}

}  // namespace

FusedEfficientNet::FusedEfficientNet(const ImageEncoder::Convolution& stem, Rectifier f, Precision precision)
    : f_(f), precision_(precision), stem_(packed(stem, Precision::float32)) {}

void FusedEfficientNet::add(const ImageEncoder::Block& from) {
    Block block;
    block.spec = from.spec;
    if (from.spec.expand_ratio != 1) block.expand = packed(from.expand, precision_);
    block.depthwise = packed_depthwise(from.depthwise);
    if (from.gated) {
        block.reduce = packed(from.reduce, Precision::float32);
        block.excite = packed(from.excite, Precision::float32);
    }
    block.project = packed(from.project, precision_);
    blocks_.push_back(std::move(block));
}

float* FusedEfficientNet::Scratch::Floats::grown_to(std::int64_t needed) {
    if (size < needed) {
        data = make_buffer<float>(needed);
        size = needed;
    }
    return data.get();
}

/// One forward pass and its maps. Layer 0 is the stem, i block i − 1.
class FusedEfficientNet::Call {
public:
    Call(const FusedEfficientNet& network, const at::Tensor& pixels, const std::vector<std::int64_t>& taps);

    [[nodiscard]] ImageEncoder::Output run(const std::vector<std::int64_t>& taps);

private:
    [[nodiscard]] std::int64_t channels(std::size_t layer) const {
        return layer == 0 ? net_.stem_.outputs() : net_.blocks_[layer - 1].spec.out;
    }
    void run_images(std::int64_t first, std::int64_t count, std::size_t from, std::size_t to);
    void run_layer(std::size_t layer, const MapShape& shape, const float* x, float* out);

    const FusedEfficientNet& net_;
    at::Tensor pixels_;             ///< [N, H, W, 3]
    std::vector<MapShape> shapes_;  ///< of each layer
    std::size_t large_ = 1;         ///< layers that run on a few images at a time
    std::vector<at::Tensor> maps_;  ///< what each layer gives for all images, [N, H, W, C], where that is kept
};

FusedEfficientNet::Call::Call(const FusedEfficientNet& network, const at::Tensor& pixels,
                              const std::vector<std::int64_t>& taps)
    : net_(network), pixels_(pixels.to(at::kFloat).permute({0, 2, 3, 1}).contiguous()) {
    const std::int64_t batch = pixels_.size(0);
    shapes_.push_back({batch, pixels_.size(1), pixels_.size(2), 3, 2, 0});
    for (const Block& block : net_.blocks_) {
        const BlockSpec& spec = block.spec;
        const bool shorter = spec.stride == 2 && spec.asymmetric_padding;
        shapes_.push_back({batch, shapes_.back().out_height(), shapes_.back().out_width(), spec.kernel, spec.stride,
                           spec.kernel / 2 - (shorter ? 1 : 0)});
    }
    while (large_ < shapes_.size() && shapes_[large_].area() > large_map) ++large_;
    maps_.resize(shapes_.size());
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
        const bool tapped = std::find(taps.begin(), taps.end(), static_cast<std::int64_t>(i) - 1) != taps.end();
        if (tapped || i + 1 == large_ || i + 1 == shapes_.size())
            maps_[i] = at::empty({batch, shapes_[i].out_height(), shapes_[i].out_width(), channels(i)}, at::kFloat);
    }
}

void FusedEfficientNet::Call::run_layer(std::size_t layer, const MapShape& shape, const float* x, float* out) {
    if (layer == 0) {
        stem(shape, x, net_.stem_, net_.f_, out);
        return;
    }
    const Block& block = net_.blocks_[layer - 1];
    const std::int64_t expanded = block.spec.expanded();
    float* const planes = net_.scratch_.planes.grown_to(planes_size(shape, expanded));
    float* const means = net_.scratch_.means.grown_to(shape.batch * expanded);
    float* const gates = net_.scratch_.gates.grown_to(shape.batch * expanded);
    expand_depthwise(shape, x, block.expand ? &*block.expand : nullptr, block.depthwise, net_.f_, planes, means);
    if (block.reduce) squeeze_excite(shape.batch, means, *block.reduce, *block.excite, net_.f_, gates);
    project(shape.batch, shape.out_area(), planes, block.reduce ? gates : nullptr, block.project,
            block.spec.residual ? x : nullptr, out);
}

/// Images first … first + count through the layers from … to.
void FusedEfficientNet::Call::run_images(std::int64_t first, std::int64_t count, std::size_t from, std::size_t to) {
    const at::Tensor& input = from == 0 ? pixels_ : maps_[from - 1];
    const float* x = input.const_data_ptr<float>() + first * input.stride(0);
    for (std::size_t i = from; i < to; ++i) {
        MapShape shape = shapes_[i];
        shape.batch = count;
        float* const out = maps_[i].defined()
                               ? maps_[i].mutable_data_ptr<float>() + first * maps_[i].stride(0)
                               : net_.scratch_.passing[i % 2].grown_to(count * shape.out_area() * channels(i));
        run_layer(i, shape, x, out);
        x = out;
    }
}

ImageEncoder::Output FusedEfficientNet::Call::run(const std::vector<std::int64_t>& taps) {
    const std::int64_t batch = pixels_.size(0), group = std::min<std::int64_t>(batch, at::get_num_threads());
    for (std::int64_t first = 0; first < batch; first += group)
        run_images(first, std::min(group, batch - first), 0, large_);
    run_images(0, batch, large_, maps_.size());
    ImageEncoder::Output out;
    for (const std::int64_t tap : taps)
        out.taps.push_back(maps_[static_cast<std::size_t>(tap + 1)].permute({0, 3, 1, 2}));
    out.pooled = maps_.back().mean({1, 2});
    return out;
}

ImageEncoder::Output FusedEfficientNet::forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const {
    const std::lock_guard lock(mutex_);
    return Call(*this, pixels, taps).run(taps);
}

}  // namespace ltad
