#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ltad {

/// 8-bit RGB, interleaved, row by row: pixels[(y * width + x) * 3 + channel].
struct Image {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> pixels;
};

/// 1 where defective, else 0: pixels[y * width + x].
struct Mask {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> pixels;
};

/// The bytes of a PNG file; a mask becomes grey, 255 where defective.
[[nodiscard]] std::string encode_png(const Image& image);
[[nodiscard]] std::string encode_png(const Mask& mask);

}  // namespace ltad
