#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ltad/core/image.h"
#include "ltad/data/sample.h"

namespace ltad {

/// Decodes PNG, JPEG, BMP, TIFF, WebP … of 8 or 16 bit, grey, palette, colour or with alpha (dropped); EXIF orientation
/// is ignored. Throws Error naming `name` when the bytes are no picture.
[[nodiscard]] Image decode_image(std::string_view bytes, const std::string& name);
[[nodiscard]] Image read_image(const std::filesystem::path& path);

/// Antialiased bilinear (triangle filter scaled with the reduction), within one grey level of PIL's BILINEAR.
[[nodiscard]] Image resize_bilinear(const Image& image, int width, int height);

}  // namespace ltad
