#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ltad {

/// The connected parts of a mask.
struct Regions {
    /// Where their pixels are, y * width + x, one region after the other.
    std::vector<std::uint32_t> pixels;
    /// How many pixels each has.
    std::vector<std::uint32_t> sizes;
};

/// The regions of a mask's defective pixels (labels other than 0), pixels that touch by a side or a corner being of
/// one region. labels: rows of `width`. In the order of their first pixels, row by row. Throws Error where the labels
/// are no whole rows.
[[nodiscard]] Regions find_regions(std::span<const std::uint8_t> labels, std::size_t width);

}  // namespace ltad
