#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "ltad/kernels/gemm.h"

namespace ltad {

// A transformer's parts as differentiable functions. In float32 on the CPU they run on kernels/ (one pass over the
// memory where the plain operators take several); elsewhere, and in double, they are the plain operators, which know
// float32 products only. Dropout draws a key from LibTorch's default generator, when `training` and p > 0.

/// x [..., in] → x Wᵀ + b, [..., out]. `precision`, here and below: of products with weights, forward and backward.
[[nodiscard]] at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                Precision precision = Precision::float32);

/// dropout(relu(x Wᵀ + b)).
[[nodiscard]] at::Tensor linear_relu_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                             double p, bool training, Precision precision = Precision::float32);

/// LayerNorm(x + dropout(change)) over the last dimension, eps 1e-5. x: [B or 1, N, D]; change: [B, N, D], or undefined
/// for LayerNorm(x).
[[nodiscard]] at::Tensor add_layer_norm(const at::Tensor& x, const at::Tensor& change, const at::Tensor& weight,
                                        const at::Tensor& bias, double p, bool training);

/// The weights of multi-head attention's three projections, stacked: q, k, v.
struct AttentionInput {
    at::Tensor weight;  ///< [3 D, D]
    at::Tensor bias;    ///< [3 D]
};

/// softmax(q kᵀ / √(D / heads) + mask), dropout, times v, before the output projection. query: [B or 1, N, D];
/// key, value: [B, N, D]; mask: [N, N], added to the scores of (query, key). Gives [B, N, D].
[[nodiscard]] at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                   const AttentionInput& input, const at::Tensor& mask, std::int64_t heads, double p,
                                   bool training, Precision precision = Precision::float32);

}  // namespace ltad
