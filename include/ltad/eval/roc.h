#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace ltad {

/// Area under the ROC curve: the probability that a defective item scores higher than a good one, ties counted half.
/// Exact: ranks by sorting, whole numbers until the last division. scores and labels (0 good, else defective) have the
/// same length. −0 equals 0, infinities are ordered. Empty when only one label is there. Throws Error for a NaN.
[[nodiscard]] std::optional<double> auroc(std::span<const float> scores, std::span<const std::uint8_t> labels);

}  // namespace ltad
