#include "ltad/eval/pixel_scores.h"

#include "ltad/core/error.h"
#include "ltad/eval/regions.h"
#include "ordered_keys.h"

namespace ltad {

void PixelScores::add(std::span<const float> scores, std::span<const std::uint8_t> labels, std::size_t width) {
    const Regions regions = find_regions(labels, width);
    ranked_.add(scores, labels);
    sorted_ = false;
    auto pixel = regions.pixels.begin();
    for (const std::uint32_t size : regions.sizes) {
        const std::uint64_t region = region_sizes_.size();
        for (const auto end = pixel + size; pixel != end; ++pixel)
            region_pixels_.push_back(std::uint64_t{ordered_key(scores[*pixel])} << 32 | region);
        region_sizes_.push_back(size);
    }
}

std::optional<double> PixelScores::region_overlap(double limit) {
    if (!(limit > 0 && limit <= 1)) fail("AUPRO: the limit ", limit, " of the false positive rate is not in (0, 1]");
    ranked_.sort();
    if (!sorted_) radix_sort(region_pixels_);
    sorted_ = true;
    if (ranked_.good_.empty() || region_pixels_.empty()) return std::nullopt;

    // The curve is the mean over the regions of the mean over their pixels of a step: a pixel is found from the false
    // positive rate of its own score on. Where good pixels have that score, too, the step becomes a slope.
    const double end = limit * static_cast<double>(ranked_.good_.size());  // in good pixels, as all below
    GoodAbove counts(ranked_.good_);
    double sum = 0;
    for (auto pixel = region_pixels_.rbegin(); pixel != region_pixels_.rend(); ++pixel) {
        counts.descend_to(static_cast<std::uint32_t>(*pixel >> 32));
        const auto from = static_cast<double>(counts.above), to = static_cast<double>(counts.at_or_above);
        if (from >= end) break;
        const double area = to <= end ? end - (from + to) / 2 : (end - from) * (end - from) / (to - from) / 2;
        sum += area / region_sizes_[*pixel & 0xffffffffu];
    }
    return sum / (static_cast<double>(region_sizes_.size()) * end);
}

}  // namespace ltad
