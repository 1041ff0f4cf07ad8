#pragma once

#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

#include "ltad/align/activation.h"
#include "ltad/align/efficientnet.h"

namespace ltad {

/// The image encoder before its batch norms are folded, open to gradients: for training, and for measuring what the
/// norms see. (ltad/align's ImageEncoder is the fast one.)
class EfficientNetGraph {
public:
    /// Batch norm of a convolution's output; `name`: the norm's, such as "encoder.blocks.3.projection.project_bn".
    using Norm = std::function<at::Tensor(const at::Tensor&, const std::string& name)>;

    /// `weights`: as efficientnet_shapes lists them; handles, so that gradients reach them.
    EfficientNetGraph(const EfficientNetConfig& config, const Weights& weights, Norm norm);

    /// pixels: [N, 3, H, W], preprocessed → the last block's map, [N, C_last, h, w].
    [[nodiscard]] at::Tensor forward(const at::Tensor& pixels) const;

private:
    [[nodiscard]] at::Tensor unit(const at::Tensor& x, const std::string& convolution, const std::string& norm,
                                  std::int64_t stride, bool asymmetric, std::int64_t groups) const;
    [[nodiscard]] at::Tensor block(const at::Tensor& input, const BlockSpec& spec, const std::string& name) const;

    std::vector<BlockSpec> blocks_;
    Weights weights_;
    Norm norm_;
    Activation activation_;
};

/// The norm with a network's own running statistics, as in inference.
[[nodiscard]] EfficientNetGraph::Norm running_norm(const EfficientNetConfig& config, const Weights& weights);

}  // namespace ltad
