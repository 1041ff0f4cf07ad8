#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ltad/eval/roc.h"

namespace ltad {

/// The scores of pictures' pixels, for the figures over all pixels alike and for the one over defective regions. Holds
/// 4 bytes for each good pixel and 12 for each defective one.
class PixelScores {
public:
    /// Of one picture, in rows of `width`. labels: 0 good, else defective; as many as scores. Throws Error for a NaN,
    /// where the lengths differ and where they are no whole rows; nothing is added then.
    void add(std::span<const float> scores, std::span<const std::uint8_t> labels, std::size_t width);
    void reserve_good(std::size_t count) { ranked_.reserve_good(count); }

    /// As those of RankedScores.
    [[nodiscard]] std::optional<RankedFigures> figures() { return ranked_.figures(); }
    [[nodiscard]] std::vector<RocPoint> roc_curve(std::size_t most) { return ranked_.roc_curve(most); }
    /// All pixels alike, to be added to those of other classes.
    [[nodiscard]] const RankedScores& ranked() const { return ranked_; }

    /// AUPRO, the area under the per-region overlap curve (Bergmann et al., "MVTec AD", IJCV 2021), in [0, 1]:
    /// ∫₀^limit PRO(f) df / limit, where f is the false positive rate over all good pixels and PRO the share of its
    /// pixels found of a defective region, averaged over the regions of all pictures (`find_regions`). Over all
    /// thresholds, with straight lines between those next to each other. Empty without good pixels or without regions.
    /// Throws Error for a limit outside (0, 1].
    [[nodiscard]] std::optional<double> region_overlap(double limit = 0.3);

private:
    RankedScores ranked_;
    std::vector<std::uint64_t> region_pixels_;  // key · 2^32 + region
    std::vector<std::uint32_t> region_sizes_;
    bool sorted_ = false;  // region_pixels_
};

}  // namespace ltad
