#include "ltad/align/efficientnet.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "efficientnet_fused.h"
#include "ltad/align/convolution.h"
#include "ltad/core/error.h"

namespace ltad {
namespace {

/// w' = w γ / √(var + eps), b' = β − mean γ / √(var + eps), computed in double.
std::pair<at::Tensor, at::Tensor> fold(const Weights& weights, const std::string& convolution, const std::string& norm,
                                       double eps, at::Device device) {
    const auto get = [&](const std::string& name) { return weights.at(name).to(at::kDouble); };
    const at::Tensor scale = get(norm + ".weight") / (get(norm + ".running_var") + eps).sqrt();
    const at::Tensor weight = get(convolution + ".weight") * scale.view({-1, 1, 1, 1});
    const at::Tensor bias = get(norm + ".bias") - get(norm + ".running_mean") * scale;
    return {weight.to(device, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast), bias.to(device, at::kFloat)};
}

/// Whether a squeeze-excite's gate is exactly 1, whatever it sees.
bool is_open(const at::Tensor& weight, const at::Tensor& bias) {
    return !weight.any().item<bool>() && bias.sigmoid().eq(1).all().item<bool>();
}

}  // namespace

ImageEncoder::ImageEncoder(const EfficientNetConfig& config, const Weights& weights, at::Device device,
                           Precision precision)
    : activation_(parse_activation(config.hidden_act, "vision_config")) {
    const auto folded = [&](const std::string& convolution, const std::string& norm) {
        auto [weight, bias] = fold(weights, convolution, norm, config.batch_norm_eps, device);
        return Convolution{std::move(weight), std::move(bias)};
    };
    const auto plain = [&](const std::string& name) {
        return Convolution{weights.at(name + ".weight").to(device, at::kFloat).clone(),
                           weights.at(name + ".bias").to(device, at::kFloat).clone()};
    };
    stem_ = folded("embeddings.convolution", "embeddings.batchnorm");
    std::unique_ptr<FusedEfficientNet> fused;
    if (const auto rectifier = rectifier_of(activation_); rectifier && device.is_cpu())
        fused = std::make_unique<FusedEfficientNet>(stem_, *rectifier, precision);
    if (!fused && precision != Precision::float32)
        fail(
            "encoder.precision: \"bfloat16\" needs the CPU and one of the activations swish, relu and relu6; the "
            "encoder "
            "has ",
            config.hidden_act, "; use \"float32\"");
    for (const BlockSpec& spec : block_specs(config)) {
        const std::string name = text("encoder.blocks.", block_count_++, ".");
        Block block;
        block.spec = spec;
        if (spec.expand_ratio != 1) block.expand = folded(name + "expansion.expand_conv", name + "expansion.expand_bn");
        block.depthwise = folded(name + "depthwise_conv.depthwise_conv", name + "depthwise_conv.depthwise_norm");
        block.reduce = plain(name + "squeeze_excite.reduce");
        block.excite = plain(name + "squeeze_excite.expand");
        block.gated = !is_open(block.excite.weight, block.excite.bias);
        block.project = folded(name + "projection.project_conv", name + "projection.project_bn");
        embedding_dim_ = spec.out;
        if (fused)
            fused->add(block);
        else
            blocks_.push_back(std::move(block));
    }
    fused_ = std::move(fused);
}

ImageEncoder::~ImageEncoder() = default;

at::Tensor ImageEncoder::run_block(const Block& block, const at::Tensor& input) const {
    const BlockSpec& spec = block.spec;
    at::Tensor x = input;
    if (spec.expand_ratio != 1)
        x = activate_in_place(activation_, at::conv2d(x, block.expand.weight, block.expand.bias));
    x = convolve(x, block.depthwise.weight, block.depthwise.bias, spec.stride, spec.asymmetric_padding,
                 spec.expanded());
    x = activate_in_place(activation_, x);
    if (block.gated) {
        at::Tensor gate = at::conv2d(x.mean({2, 3}, true), block.reduce.weight, block.reduce.bias);
        gate = at::conv2d(activate_in_place(activation_, gate), block.excite.weight, block.excite.bias).sigmoid_();
        x.mul_(gate);
    }
    x = at::conv2d(x, block.project.weight, block.project.bias);
    return spec.residual ? x.add_(input) : x;
}

ImageEncoder::Output ImageEncoder::forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const {
    const c10::NoGradGuard no_grad;
    std::int64_t previous = -2;
    for (const std::int64_t tap : taps) {
        if (tap <= previous || tap >= block_count_)
            fail("encoder.taps: block ", tap, " was asked for; the blocks are 0 to ", block_count_ - 1,
                 ", in increasing order");
        previous = tap;
    }
    return fused_ ? fused_->forward(pixels, taps) : plain_forward(pixels, taps);
}

ImageEncoder::Output ImageEncoder::plain_forward(const at::Tensor& pixels,
                                                 const std::vector<std::int64_t>& taps) const {
    Output out;
    auto wanted = taps.begin();
    const auto emit = [&](std::int64_t index, const at::Tensor& map) {
        if (wanted == taps.end() || *wanted != index) return;
        out.taps.push_back(map);
        ++wanted;
    };
    at::Tensor x = convolve(pixels.contiguous(at::MemoryFormat::ChannelsLast), stem_.weight, stem_.bias, 2, true, 1);
    x = activate_in_place(activation_, x);
    emit(-1, x);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        x = run_block(blocks_[i], x);
        emit(static_cast<std::int64_t>(i), x);
    }
    out.pooled = x.mean({2, 3});
    return out;
}

}  // namespace ltad
