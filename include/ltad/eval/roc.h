#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ltad {

/// The scores of good and of defective items, collected to rank them. Holds each score once, 4 bytes of it; an area
/// needs a second copy of the good ones while it sorts.
class RankedScores {
public:
    /// labels: 0 good, else defective; as many as scores. −0 becomes 0. Throws Error for a NaN and where the lengths
    /// differ.
    void add(std::span<const float> scores, std::span<const std::uint8_t> labels);
    void reserve_good(std::size_t count) { good_.reserve(count); }

    /// Area under the ROC curve: the probability that a defective item scores higher than a good one, ties counted
    /// half. Exact: ranks by sorting, whole numbers until the last division. Infinities are ordered. Empty when only
    /// one label is there. Sorts by all threads.
    [[nodiscard]] std::optional<double> auroc();

private:
    // Whole numbers in the order of the floats, which sort by digits.
    std::vector<std::uint32_t> good_;
    std::vector<std::uint32_t> defective_;
};

/// RankedScores::auroc of these.
[[nodiscard]] std::optional<double> auroc(std::span<const float> scores, std::span<const std::uint8_t> labels);

}  // namespace ltad
