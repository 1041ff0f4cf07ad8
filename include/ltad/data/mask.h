#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/core/image.h"
#include "ltad/data/raster.h"
#include "ltad/data/sample.h"

namespace ltad {

/// Values beside zero that a lossless mask may have and still has labels, whatever they are.
inline constexpr std::int64_t most_labels = 8;

/// What a mask's file holds, by which one sees whether it can be a mask.
struct MaskLook {
    /// Whether grey levels lie between background and defect, as soft edges and JPEG have them: those from half of the
    /// range on are defective then. Else the picture has two values, or labels, and any but zero is.
    bool soft = false;
    std::int64_t values = 0;      ///< different ones beside zero
    int largest = 0;              ///< the greatest sample
    double zero = 0;              ///< share of the pixels that are zero
    double between = 0;           ///< share of the pixels far from both ends of the range
    double defective = 0;         ///< share of the pixels that count as defective
    double border_defective = 0;  ///< the same of the outermost pixels
};

struct ReadMask {
    Mask mask;
    MaskLook look;
};

/// Tells a mask's pixels, at each the greatest of its colours. A lossless picture of at most eight values beside zero,
/// or of values below half of the range, has labels (1 in the mask: not zero); another one is soft (1: half of the
/// range or more). `background`: turned round. Throws Error naming `name` for a lossy picture without any value of half
/// of the range, which is neither.
[[nodiscard]] ReadMask mask_of(const Raster& raster, const std::string& name, bool background = false);

/// The mask in a file, by `mask_of`. Throws Error naming the file.
[[nodiscard]] Mask read_mask(const std::filesystem::path& path);

/// A sample's mask, as dataset.masks says. Throws Error naming the file.
[[nodiscard]] Mask read_mask(const DatasetConfig& dataset, const Sample& sample);
/// The same, which has to have the size of its picture. Throws Error naming both where it has not.
[[nodiscard]] Mask read_mask(const DatasetConfig& dataset, const Sample& sample, std::int64_t width,
                             std::int64_t height);

/// Throws Error naming a sample's mask and picture where the mask has not the picture's size.
void check_mask_size(const DatasetConfig& dataset, const Sample& sample, const Mask& mask, std::int64_t width,
                     std::int64_t height);

/// Reads all masks among the samples, with so many threads, and says what is wrong with them, a line each, by which no
/// figure can be right: a mask that cannot be read, has not its picture's size, has no background, or is a picture
/// rather than a mask; classes most of whose masks mark nearly all of their pictures up to the borders, as inverted
/// ones do. With dataset.masks "unchecked" only the first two. What may be right is a warning for each class: soft
/// masks, empty ones, ones that are almost full.
[[nodiscard]] std::vector<std::string> problems_of_masks(const DatasetConfig& dataset,
                                                         const std::vector<Sample>& samples, std::size_t threads);

/// Throws Error with the first of `problems_of_masks`, and how many there are.
void check_masks(const DatasetConfig& dataset, const std::vector<Sample>& samples, std::size_t threads);

/// Nearest neighbour with PIL's pixel centres: source x = floor((x + 0.5) * scale).
[[nodiscard]] Mask resize_nearest(const Mask& mask, int width, int height);

}  // namespace ltad
