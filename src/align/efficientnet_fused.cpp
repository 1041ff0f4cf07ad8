#include "efficientnet_fused.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace ltad {
namespace {

constexpr std::int64_t deep_area = 28 * 28;

std::int64_t padding_before(const BlockSpec& spec) {
    return spec.stride == 2 && spec.asymmetric_padding ? spec.kernel / 2 - 1 : spec.kernel / 2;
}

}  // namespace

/// Memory that the blocks of one call share.
struct FusedEfficientNet::Run {
    std::vector<float> y, means, gates;
};

std::optional<Rectifier> FusedEfficientNet::rectifier_of(Activation activation) {
    if (activation == Activation::relu) return Rectifier::relu;
    if (activation == Activation::relu6) return Rectifier::relu6;
    if (activation == Activation::swish) return Rectifier::swish;
    return std::nullopt;
}

FusedEfficientNet::Pointwise FusedEfficientNet::packed(const ImageEncoder::Convolution& convolution,
                                                       Precision precision) {
    const at::Tensor weight = convolution.weight.contiguous(at::MemoryFormat::ChannelsLast);
    return {PointwiseWeight(weight.const_data_ptr<float>(), weight.size(0), weight.numel() / weight.size(0), precision),
            convolution.bias};
}

FusedEfficientNet::FusedEfficientNet(const ImageEncoder::Convolution& stem, Rectifier rectifier, Precision precision)
    : rectifier_(rectifier), precision_(precision), stem_(packed(stem, Precision::float32)) {}

void FusedEfficientNet::add(const ImageEncoder::Block& block) {
    const at::Tensor depthwise = block.depthwise.weight.contiguous();
    Block packed_block{
        .spec = block.spec,
        .expand = {},
        .depthwise = DepthwiseWeight(depthwise.const_data_ptr<float>(), block.depthwise.bias.const_data_ptr<float>(),
                                     depthwise.size(0), block.spec.kernel),
        .reduce = {},
        .excite = {},
        .project = packed(block.project, precision_)};
    if (block.spec.expand_ratio != 1) packed_block.expand = packed(block.expand, precision_);
    if (block.gated) {
        packed_block.reduce = packed(block.reduce, Precision::float32);
        packed_block.excite = packed(block.excite, Precision::float32);
    }
    blocks_.push_back(std::move(packed_block));
}

void FusedEfficientNet::run_block(const Block& block, MapShape shape, const float* x, float* out, Run& run) const {
    const std::int64_t expanded = block.spec.expanded();
    const std::int64_t area = shape.out_height() * shape.out_width();
    const auto needed = static_cast<std::size_t>(shape.batch * area * expanded);
    if (run.y.size() < needed) run.y.resize(needed);
    run.means.resize(static_cast<std::size_t>(shape.batch * expanded));
    run.gates.resize(static_cast<std::size_t>(shape.batch * expanded));
    expand_depthwise(shape, x, block.expand ? &block.expand->weight : nullptr,
                     block.expand ? block.expand->bias_data() : nullptr, block.depthwise, rectifier_, run.y.data(),
                     run.means.data());
    if (block.reduce)
        squeeze_excite(shape.batch, run.means.data(), block.reduce->weight, block.reduce->bias_data(),
                       block.excite->weight, block.excite->bias_data(), rectifier_, run.gates.data());
    project(shape.batch, area, run.y.data(), block.reduce ? run.gates.data() : nullptr, block.project.weight,
            block.project.bias_data(), block.spec.residual ? x : nullptr, out);
}

ImageEncoder::Output FusedEfficientNet::forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const {
    const at::Tensor input = pixels.to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t batch = input.size(0);
    const auto wanted = [&](std::int64_t index) { return std::find(taps.begin(), taps.end(), index) != taps.end(); };
    // Shapes of all maps, the stem's first.
    std::vector<MapShape> shapes = {{batch, input.size(2), input.size(3), 3, 2, 0}};
    for (const Block& block : blocks_)
        shapes.push_back({batch, shapes.back().out_height(), shapes.back().out_width(), block.spec.kernel,
                          block.spec.stride, padding_before(block.spec)});
    std::size_t deep = 0;
    while (deep < blocks_.size() && shapes[deep + 1].height * shapes[deep + 1].width > deep_area) ++deep;
    const auto channels_after = [&](std::size_t i) {
        return i == 0 ? stem_.weight.outputs() : blocks_[i - 1].spec.out;
    };
    std::vector<at::Tensor> maps(shapes.size());  // [N, H, W, C]; kept ones only
    for (std::size_t i = 0; i < maps.size(); ++i)
        if (wanted(static_cast<std::int64_t>(i) - 1) || i == deep || i + 1 == maps.size())
            maps[i] = at::empty({batch, shapes[i].out_height(), shapes[i].out_width(), channels_after(i)}, at::kFloat);
    Run run;
    std::vector<float> scratch[2];
    const auto run_range = [&](std::int64_t first, std::int64_t count, std::size_t from, std::size_t to) {
        const float* x = nullptr;
        for (std::size_t i = from; i < to; ++i) {
            MapShape shape = shapes[i];
            shape.batch = count;
            const std::int64_t size = shape.out_height() * shape.out_width() * channels_after(i);
            float* out = nullptr;
            if (maps[i].defined())
                out = maps[i].mutable_data_ptr<float>() + first * size;
            else {
                auto& mine = scratch[i % 2];
                if (mine.size() < static_cast<std::size_t>(count * size))
                    mine.resize(static_cast<std::size_t>(count * size));
                out = mine.data();
            }
            if (i == 0)
                stem(shape, input.const_data_ptr<float>() + first * input.size(1) * input.size(2) * input.size(3),
                     stem_.weight, stem_.bias_data(), rectifier_, out);
            else
                run_block(blocks_[i - 1], shape,
                          x != nullptr ? x
                                       : maps[i - 1].const_data_ptr<float>() +
                                             first * shape.height * shape.width * channels_after(i - 1),
                          out, run);
            x = out;
        }
    };
    const std::int64_t group = std::max<std::int64_t>(1, at::get_num_threads());
    for (std::int64_t first = 0; first < batch; first += group)
        run_range(first, std::min(group, batch - first), 0, deep + 1);
    run_range(0, batch, deep + 1, maps.size());
    ImageEncoder::Output out;
    for (const std::int64_t tap : taps)
        out.taps.push_back(maps[static_cast<std::size_t>(tap + 1)].permute({0, 3, 1, 2}));
    out.pooled = maps.back().mean({1, 2});
    return out;
}

}  // namespace ltad
