#include "ltad/data/mask.h"

#include <algorithm>

#include "ltad/core/error.h"

namespace ltad {
namespace {

/// Each pixel's level: the greatest of its colours.
std::vector<std::uint16_t> levels_of(const Raster& raster) {
    if (raster.channels == 1) return raster.samples;
    std::vector<std::uint16_t> levels;
    levels.reserve(raster.samples.size() / static_cast<std::size_t>(raster.channels));
    for (auto at = raster.samples.begin(); at != raster.samples.end(); at += raster.channels)
        levels.push_back(*std::max_element(at, at + raster.channels));
    return levels;
}

/// Fills in what the levels alone tell. `half`: of the samples' range.
void look_at_levels(const std::vector<std::uint16_t>& levels, int half, bool lossy, MaskLook& look) {
    std::vector<std::int64_t> count(static_cast<std::size_t>(half) * 2, 0);
    for (const std::uint16_t level : levels) ++count[level];
    const auto pixels = static_cast<double>(levels.size());
    std::int64_t between = 0;
    for (int level = 1; level < 2 * half; ++level) {
        const std::int64_t there = count[static_cast<std::size_t>(level)];
        if (there == 0) continue;
        ++look.values;
        look.largest = level;
        if (level >= half / 4 && level < 2 * half - half / 4) between += there;
    }
    look.zero = static_cast<double>(count[0]) / pixels;
    look.between = static_cast<double>(between) / pixels;
    look.soft = lossy || (look.values > most_labels && look.largest >= half);
}

/// Shares of all pixels, and of the outermost ones, that are 1.
void look_at_pixels(const Mask& mask, MaskLook& look) {
    const auto width = static_cast<std::size_t>(mask.width);
    const auto height = static_cast<std::size_t>(mask.height);
    std::size_t all = 0, border = 0, defective_border = 0;
    for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x) {
            const std::size_t here = mask.pixels[y * width + x];
            all += here;
            if (x > 0 && x + 1 < width && y > 0 && y + 1 < height) continue;
            ++border;
            defective_border += here;
        }
    look.defective = static_cast<double>(all) / static_cast<double>(width * height);
    look.border_defective = static_cast<double>(defective_border) / static_cast<double>(border);
}

}  // namespace

ReadMask mask_of(const Raster& raster, const std::string& name, bool background) {
    const int half = raster.bits == 16 ? 1 << 15 : 1 << 7;
    const auto levels = levels_of(raster);
    ReadMask read{.mask = {.width = raster.width, .height = raster.height, .pixels = {}}, .look = {}};
    look_at_levels(levels, half, raster.lossy, read.look);
    if (raster.lossy && read.look.largest > half / 8 && read.look.largest < half)
        fail(
            name, ": a mask in a lossy format whose values go to ", read.look.largest, " of ", 2 * half - 1,
            " only, so that neither zero nor half of the range tells defects; save masks as PNG, with 255 for defects");
    const int least = read.look.soft ? half : 1;
    read.mask.pixels.reserve(levels.size());
    for (const std::uint16_t level : levels) read.mask.pixels.push_back((level >= least) != background ? 1 : 0);
    look_at_pixels(read.mask, read.look);
    return read;
}

Mask read_mask(const std::filesystem::path& path) { return mask_of(read_raster(path), path.string()).mask; }

Mask read_mask(const DatasetConfig& dataset, const Sample& sample) {
    const auto path = std::filesystem::path(dataset.root) / sample.mask;
    return mask_of(read_raster(path), path.string(), dataset.masks == "background").mask;
}

Mask read_mask(const DatasetConfig& dataset, const Sample& sample, std::int64_t width, std::int64_t height) {
    Mask mask = read_mask(dataset, sample);
    check_mask_size(dataset, sample, mask, width, height);
    return mask;
}

void check_mask_size(const DatasetConfig& dataset, const Sample& sample, const Mask& mask, std::int64_t width,
                     std::int64_t height) {
    if (mask.width != width || mask.height != height)
        fail((std::filesystem::path(dataset.root) / sample.mask).string(), ": the mask has ", mask.width, " x ",
             mask.height, " pixels, its picture ", sample.file, ' ', width, " x ", height);
}

Mask resize_nearest(const Mask& mask, int width, int height) {
    const auto source = [](int i, int in, int out) { return std::min(in - 1, static_cast<int>((i + 0.5) * in / out)); };
    Mask result{.width = width, .height = height, .pixels = {}};
    result.pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    for (int y = 0; y < height; ++y) {
        const std::size_t line =
            static_cast<std::size_t>(source(y, mask.height, height)) * static_cast<std::size_t>(mask.width);
        for (int x = 0; x < width; ++x)
            result.pixels.push_back(mask.pixels[line + static_cast<std::size_t>(source(x, mask.width, width))]);
    }
    return result;
}

}  // namespace ltad
