#pragma once

#include <cstdint>

#include "ltad/kernels/mbconv.h"
#include "ltad/kernels/simd.h"

namespace ltad {

/// 16 channels of some rows of a map, their neighbours in the kernel's reach around them.
struct DepthwisePlane {
    static constexpr std::int64_t strip = 7;  ///< pixels computed together; maps of 224-pixel pictures are multiples

    const float* in = nullptr;    ///< [.., row, 16]: the first row's window; zeros where the map ends
    std::int64_t row = 0;         ///< pixels from one row of `in` to the next, of which a strip may read the last ones
    const float* taps = nullptr;  ///< [kernel · kernel, 16]
    const float* bias = nullptr;  ///< [16]
    std::int64_t kernel = 0;
    std::int64_t stride = 0;

    float* out = nullptr;  ///< [rows, width, channels], the first of the 16 channels
    std::int64_t rows = 0;
    std::int64_t width = 0;
    std::int64_t channels = 0;
    std::int64_t lanes = 0;  ///< channels that exist, 1 to 16
    float* sums = nullptr;   ///< [16]: the results' sums are added
};

void depthwise_plane(const DepthwisePlane& plane, Rectifier rectifier);

/// to[l] [m, 16] = act(from[m, 16 l …] + bias) for the channels that exist; bias null: from as it is, no activation.
void scatter_planes(const float* from, std::int64_t m, std::int64_t ld, std::int64_t columns, const float* bias,
                    Rectifier rectifier, float* to, std::int64_t plane_stride);

/// x[i] = act(x[i] + bias[i % n]) for [m, n], rows ld apart.
void add_bias_rectify(float* x, std::int64_t m, std::int64_t n, std::int64_t ld, const float* bias,
                      Rectifier rectifier);

}  // namespace ltad
