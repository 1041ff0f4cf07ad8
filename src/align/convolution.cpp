#include "ltad/align/convolution.h"

#include <array>

#include <ATen/ATen.h>

namespace ltad {

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                    bool asymmetric, std::int64_t groups) {
    const std::array<std::int64_t, 1> half{weight.size(2) / 2}, none{0}, strides{stride}, dilation{1};
    if (stride == 1) return at::conv2d(x, weight, bias, strides, half, dilation, groups);
    const std::int64_t before = asymmetric ? half[0] - 1 : half[0];
    const at::Tensor padded = at::constant_pad_nd(x, {before, half[0], before, half[0]});
    return at::conv2d(padded, weight, bias, strides, none, dilation, groups);
}

}  // namespace ltad
