#pragma once

#include <cstdint>

#include "ltad/kernels/rectifier.h"

namespace ltad {

/// 16 channels of some rows of a map, with as many pixels around them as the kernel reaches.
struct DepthwisePlane {
    static constexpr std::int64_t strip = 7;  ///< pixels computed together: maps of 224-pixel pictures are multiples

    const float* in = nullptr;    ///< [.., row, 16]: the first result's window; zeros where the map ends
    std::int64_t row = 0;         ///< pixels of a row of `in`: what `columns` says, or more
    const float* taps = nullptr;  ///< [kernel · kernel, 16]
    const float* bias = nullptr;  ///< [16]
    std::int64_t kernel = 0;
    std::int64_t stride = 0;

    float* out = nullptr;  ///< [rows, width, 16]
    std::int64_t rows = 0;
    std::int64_t width = 0;
    float* sums = nullptr;  ///< [16]; the results' sums are added

    /// Pixels that the strips of a row of `width` results read.
    static constexpr std::int64_t columns(std::int64_t width, std::int64_t kernel, std::int64_t stride) {
        return ((width + strip - 1) / strip * strip - 1) * stride + kernel;
    }
};

/// out = f(depthwise(in) + bias), on the calling thread.
void depthwise_plane(const DepthwisePlane& plane, Rectifier f);

}  // namespace ltad
