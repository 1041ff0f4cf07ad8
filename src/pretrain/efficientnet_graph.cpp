#include "efficientnet_graph.h"

#include <ATen/ATen.h>

#include "ltad/align/convolution.h"
#include "ltad/core/error.h"

namespace ltad {

EfficientNetGraph::EfficientNetGraph(const EfficientNetConfig& config, const Weights& weights, Norm norm)
    : blocks_(block_specs(config)),
      weights_(weights),
      norm_(std::move(norm)),
      activation_(parse_activation(config.hidden_act, "vision_config")) {}

at::Tensor EfficientNetGraph::forward(const at::Tensor& pixels) const {
    at::Tensor x = activate(activation_, unit(pixels, "embeddings.convolution", "embeddings.batchnorm", 2, true, 1));
    for (std::size_t i = 0; i < blocks_.size(); ++i) x = block(x, blocks_[i], text("encoder.blocks.", i, "."));
    return x;
}

at::Tensor EfficientNetGraph::unit(const at::Tensor& x, const std::string& convolution, const std::string& norm,
                                   std::int64_t stride, bool asymmetric, std::int64_t groups) const {
    return norm_(convolve(x, weights_.at(convolution + ".weight"), {}, stride, asymmetric, groups), norm);
}

at::Tensor EfficientNetGraph::block(const at::Tensor& input, const BlockSpec& spec, const std::string& name) const {
    at::Tensor x = input;
    if (spec.expand_ratio != 1)
        x = activate(activation_, unit(x, name + "expansion.expand_conv", name + "expansion.expand_bn", 1, true, 1));
    x = unit(x, name + "depthwise_conv.depthwise_conv", name + "depthwise_conv.depthwise_norm", spec.stride,
             spec.asymmetric_padding, spec.expanded());
    x = activate(activation_, x);
    const auto squeeze = [&](const at::Tensor& y, const std::string& part) {
        return at::conv2d(y, weights_.at(name + "squeeze_excite." + part + ".weight"),
                          weights_.at(name + "squeeze_excite." + part + ".bias"));
    };
    x = x * squeeze(activate(activation_, squeeze(x.mean({2, 3}, true), "reduce")), "expand").sigmoid();
    x = unit(x, name + "projection.project_conv", name + "projection.project_bn", 1, true, 1);
    return spec.residual ? x + input : x;
}

EfficientNetGraph::Norm running_norm(const EfficientNetConfig& config, const Weights& weights) {
    return [eps = config.batch_norm_eps, weights](const at::Tensor& x, const std::string& name) {
        return at::batch_norm(x, weights.at(name + ".weight"), weights.at(name + ".bias"),
                              weights.at(name + ".running_mean"), weights.at(name + ".running_var"), false, 0.0, eps,
                              false);
    };
}

}  // namespace ltad
