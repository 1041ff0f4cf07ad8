#pragma once

#include <algorithm>
#include <cstdint>

#include "ltad/kernels/simd.h"
#include "ltad/kernels/train_norm.h"

namespace ltad::strip {

// Rows of maps, 32 channels (a strip) at a time: what Depthwise does with them. Rows in buffers are dense, [pixels,
// width], with zeros beyond the strip's channels; rows in memory are channels-last.

constexpr std::int64_t width = 32;

/// One strip's part of a per-channel array, with zeros beyond its channels.
struct Parameter {
    float value[width] = {};

    Parameter() = default;
    Parameter(const float* all, std::int64_t first, std::int64_t count) { std::copy_n(all + first, count, value); }
};

/// Of the input's norm.
struct InputParameters {
    Parameter mean, scale, shift;
};

/// Of the output's norm, of the gradient through it (`through` is its scale), and of squeeze-excite.
struct GradientParameters {
    Parameter scale, shift, slope, offset, through, gate, d_mean;
};

/// Rows of a map in memory: a strip's `count` channels of pixel x at data + x · ld.
template <typename T>
struct StripRow {
    T* data = nullptr;
    std::int64_t ld = 0;
    std::int64_t count = 0;
};

/// Brings a row of the next strip near, which the processor cannot see coming: its pixels lie too far apart.
template <typename T>
LTAD_INLINE void fetch_next_strip(const StripRow<T>& row, std::int64_t size) {
    for (std::int64_t x = 0; x < size; ++x) {
        __builtin_prefetch(row.data + x * row.ld + width);
        __builtin_prefetch(row.data + x * row.ld + width + lane_count);
    }
}

/// out [size, width] = f(norm(row)), upsampled: pixel x is the row's pixel source[x].
void activate_row(Rectifier f, const StripRow<const float>& row, const InputParameters& p, const std::int64_t* source,
                  std::int64_t size, float* out);

/// out [size, width] = gradient of y.
void gradient_row(Rectifier f, const StripRow<const float>& y, const StripRow<const float>& d_gated,
                  const GradientParameters& p, std::int64_t size, float* out);

/// d_z = d f'(norm(x)) for a row of input pixels; adds to its sums, [width] each.
void finish_row(Rectifier f, const float* d, const StripRow<const float>& x_row, const InputParameters& p,
                std::int64_t size, const StripRow<float>& d_z_row, float* sum, float* product);

/// A row of `size` results, ld apart. in: the first one's upper left tap, in rows of size + kernel − 1 pixels; weight:
/// [kernel², width].
void convolve_row(const float* in, std::int64_t size, std::int64_t kernel, const float* weight, float* out,
                  std::int64_t ld);

/// Adds Σ d[pixel] in[pixel + tap] to sum [kernel², width]. d: the first pixel's gradient; in: its upper left tap; both
/// in rows of size + kernel − 1 pixels.
void correlate(const float* d, const float* in, std::int64_t rows, std::int64_t size, std::int64_t kernel, float* sum);

/// sum += x, [width].
void add_pixel(const float* x, float* sum);

}  // namespace ltad::strip
