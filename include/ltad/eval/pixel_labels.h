#pragma once

#include <cstdint>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/data/sample.h"
#include "ltad/features/store.h"

namespace ltad {

/// A test picture's pixels at side × side, row by row, 1 where defective: its mask resized (nearest neighbour), 0
/// everywhere for a picture without one. `picture` is what the feature store knows of it. Throws Error naming a mask
/// that cannot be read or has not the size of its picture.
[[nodiscard]] std::vector<std::uint8_t> pixel_labels(const DatasetConfig& dataset, const Sample& sample,
                                                     const ImageFeatures& picture, std::int64_t side);

}  // namespace ltad
