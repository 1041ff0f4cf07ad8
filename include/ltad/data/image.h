#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ltad/core/image.h"
#include "ltad/data/sample.h"

namespace ltad {

/// A picture in 8 bits, and what its file held.
struct DecodedPicture {
    Image image;
    int largest = 0;  ///< the greatest sample of a file of 16 bits; 0 for other files
};

/// Decodes what `decode_raster` does, and brings samples to 8 bits. `bits`: how many of their 16 the samples of 16-bit
/// files use, from the lowest on (9 to 16; config key dataset.bits); 0: all. Throws Error as `decode_raster` does, and
/// where a sample is above what `bits` hold.
[[nodiscard]] DecodedPicture decode_picture(std::string_view bytes, const std::string& name, int bits = 0);
[[nodiscard]] DecodedPicture read_picture(const std::filesystem::path& path, int bits = 0);

/// The image of `decode_picture` alone.
[[nodiscard]] Image decode_image(std::string_view bytes, const std::string& name, int bits = 0);
[[nodiscard]] Image read_image(const std::filesystem::path& path, int bits = 0);

/// Antialiased bilinear (triangle filter scaled with the reduction), within one grey level of PIL's BILINEAR.
[[nodiscard]] Image resize_bilinear(const Image& image, int width, int height);

}  // namespace ltad
