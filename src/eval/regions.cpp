#include "ltad/eval/regions.h"

#include <algorithm>

#include "ltad/core/error.h"

namespace ltad {

Regions find_regions(std::span<const std::uint8_t> labels, std::size_t width) {
    if (width == 0 || labels.size() % width != 0)
        fail("regions: ", labels.size(), " labels are no whole rows of ", width, " pixels");
    const std::size_t height = labels.size() / width;
    Regions regions;
    std::vector<std::uint8_t> left(labels.begin(), labels.end());  // defective and of no region yet
    const auto take = [&](std::size_t pixel) {
        left[pixel] = 0;
        regions.pixels.push_back(static_cast<std::uint32_t>(pixel));
    };
    const auto take_around = [&](std::size_t pixel) {
        const std::size_t x = pixel % width, y = pixel / width;
        for (std::size_t row = y - (y > 0 ? 1 : 0); row < std::min(y + 2, height); ++row)
            for (std::size_t column = x - (x > 0 ? 1 : 0); column < std::min(x + 2, width); ++column)
                if (left[row * width + column] != 0) take(row * width + column);
    };
    for (std::size_t first = 0; first < left.size(); ++first) {
        if (left[first] == 0) continue;
        const std::size_t start = regions.pixels.size();
        take(first);
        // The region's pixels so far are the queue of those whose neighbours are still to be looked at.
        for (std::size_t next = start; next < regions.pixels.size(); ++next) take_around(regions.pixels[next]);
        regions.sizes.push_back(static_cast<std::uint32_t>(regions.pixels.size() - start));
    }
    return regions;
}

}  // namespace ltad
