#include "ltad/eval/pixel_labels.h"

#include "ltad/data/mask.h"

namespace ltad {

std::vector<std::uint8_t> pixel_labels(const DatasetConfig& dataset, const Sample& sample, const ImageFeatures& picture,
                                       std::int64_t side) {
    if (sample.mask.empty()) return std::vector<std::uint8_t>(static_cast<std::size_t>(side * side), 0);
    const Mask mask = read_mask(dataset, sample, picture.width, picture.height);
    return resize_nearest(mask, static_cast<int>(side), static_cast<int>(side)).pixels;
}

}  // namespace ltad
