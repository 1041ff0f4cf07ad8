#pragma once

#include "ltad/model/decoder_block.h"

namespace ltad {

/// DecoderBlock::forward on kernels/: float32 on the CPU, batch norm, relu, relu6 or swish, a block that expands,
/// an odd kernel, maps that do not shrink, and in training more than one value per channel. Differentiable in training
/// only.
[[nodiscard]] at::Tensor forward_on_kernels(const DecoderBlock::Parts& block, const at::Tensor& x, bool training);

}  // namespace ltad
