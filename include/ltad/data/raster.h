#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ltad {

/// A decoded picture as its file stores it: pixels in stored order, no orientation applied, alpha dropped, palettes
/// resolved, planes put together, min-is-white turned round. samples[(y * width + x) * channels + channel].
struct Raster {
    int width = 0;
    int height = 0;
    int channels = 1;    ///< 1 grey, 3 RGB
    int bits = 8;        ///< 8 or 16: the range that the samples could use
    bool lossy = false;  ///< JPEG, lossy WebP, JPEG in TIFF: samples are near to what was drawn, not equal
    std::vector<std::uint16_t> samples;
};

/// Decodes the bytes of a PNG, JPEG, BMP, TIFF or WebP file, told by how they begin. Throws Error naming `name` when
/// they are none of these, damaged, of samples that are neither 8 nor 16 bit, or too large to be decoded.
[[nodiscard]] Raster decode_raster(std::string_view bytes, const std::string& name);
[[nodiscard]] Raster read_raster(const std::filesystem::path& path);

/// The most pixels that a picture may have, and the longest side.
inline constexpr std::int64_t most_pixels = std::int64_t{1} << 30;
inline constexpr std::int64_t longest_side = std::int64_t{1} << 20;

/// What a picture's file says before a pixel is decoded.
struct PictureHeader {
    std::string_view format;  ///< "PNG", "JPEG", "BMP", "TIFF", "WebP"
    std::int64_t width = 0;
    std::int64_t height = 0;
};

/// Reads only as much of the file as tells its size. Throws Error naming the file when it does not begin as a picture,
/// or has more pixels, a longer side, or many more bytes for its pixels than can be decoded.
[[nodiscard]] PictureHeader read_picture_header(const std::filesystem::path& path);

/// The bytes of a picture's file, once its header has been found good as by `read_picture_header`.
[[nodiscard]] std::string read_picture_file(const std::filesystem::path& path);

}  // namespace ltad
