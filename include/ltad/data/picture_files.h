#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ltad {

/// Whether a file is looked at as a picture: its ending is .png, .jpg, .jpeg, .bmp, .tif, .tiff or .webp, in any case.
[[nodiscard]] bool has_picture_ending(const std::filesystem::path& file);

/// Whether a file may be a picture or mask of a format that is not read: .gif, .npy, .jp2, .pgm and the like.
[[nodiscard]] bool has_foreign_picture_ending(const std::filesystem::path& file);

/// ASCII letters made small, others left as they are.
[[nodiscard]] std::string lower_case(std::string_view words);

}  // namespace ltad
