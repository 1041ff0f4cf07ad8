#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "ltad/core/random.h"

namespace ltad {

/// Euclidean distance of each query to its nearest row of the bank: [Q, C], [B, C] → [Q]. Memory beyond that does not
/// grow with Q · B. The nearest row is found by matrix products, in float for float tensors; the distance to it is then
/// computed from the differences, so that it is 0 for a row of the bank.
[[nodiscard]] at::Tensor nearest_distances(const at::Tensor& queries, const at::Tensor& bank);

/// Indices of `count` rows of points, [N, D], that cover them: one after the other the row that is farthest from those
/// chosen (greedy k-centre). As PatchCore does it, distances start as the mean distance to ten rows drawn at random.
/// `progress` is told after each. Returns [count] int64. Throws Error unless 1 ≤ count ≤ N.
[[nodiscard]] at::Tensor greedy_coreset(const at::Tensor& points, std::int64_t count, Random& random,
                                        const std::function<void()>& progress);

}  // namespace ltad
