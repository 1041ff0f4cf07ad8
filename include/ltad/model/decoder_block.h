#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "ltad/align/activation.h"
#include "ltad/align/efficientnet.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// How the norms behind convolutions work.
struct NormOptions {
    bool batch = true;    ///< batch norm, or group norm of up to 8 groups
    double momentum = 0;  ///< weight of the newest batch in the running statistics
    double eps = 0;
};

/// A trained inverted-residual block (MBConv with squeeze-excite) that upsamples: 1 × 1 convolution, nearest
/// upsampling, depthwise convolution, gate, 1 × 1 convolution; a norm behind each convolution. In float32 on the CPU,
/// with batch norm and EfficientNet's activations, it runs on kernels/, training as one differentiable function;
/// elsewhere, and in double, it is plain operators.
class DecoderBlock {
public:
    /// A convolution and the norm behind it.
    struct Unit {
        at::Tensor weight, scale, shift, running_mean, running_var;
        std::int64_t groups = 1;
    };
    struct Parts {
        bool expands = false;
        bool residual = false;
        std::int64_t size = 0;  ///< side of the map it gives
        Activation activation = Activation::swish;
        NormOptions norm;
        Unit expand, depthwise, project;
        at::Tensor reduce_weight, reduce_bias, excite_weight, excite_bias;
    };

    /// `mirrored` with in and out exchanged; gives maps of size × size. The parameters' names start with `name`.
    DecoderBlock(const BlockSpec& mirrored, std::int64_t size, Activation activation, const NormOptions& norm,
                 const std::string& name, Parameters& parameters);

    /// x: [N, in, H, H]. Gives [N, out, size, size]. `training` uses the batch's statistics and updates the running
    /// ones (batch norm only).
    [[nodiscard]] at::Tensor forward(const at::Tensor& x, bool training) const;
    /// The same by plain operators always.
    [[nodiscard]] at::Tensor plain_forward(const at::Tensor& x, bool training) const;

    /// Lets the result have this mean and deviation in each channel, [out].
    void start_at(const at::Tensor& mean, const at::Tensor& deviation) const;

private:
    [[nodiscard]] bool has_kernels(const at::Tensor& x, bool training) const;
    [[nodiscard]] at::Tensor plain(const Unit& unit, const at::Tensor& x, bool training) const;

    Parts parts_;
};

}  // namespace ltad
