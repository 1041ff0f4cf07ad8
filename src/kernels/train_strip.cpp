#include "train_strip.h"

#include <algorithm>

#include "ltad/kernels/multiversion.h"
#include "train_rectifier.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // all of these are inlined: nobody returns vectors
#endif

namespace ltad::strip {
namespace {

/// A pixel's strip, by way of `kept` where the strip is not full; beyond its channels `kept` holds zeros.
LTAD_INLINE const float* pixel(const StripRow<const float>& row, std::int64_t x, float* kept) {
    const float* const from = row.data + x * row.ld;
    if (row.count == width) return from;
    for (std::int64_t i = 0; i < row.count; ++i) kept[i] = from[i];
    return kept;
}

// Registers are laid out by hand: GCC does not keep arrays of floats in them.

/// `pixels` neighbouring results, ld apart. in: the first one's upper left tap; weight: [kernel², width].
template <std::int64_t pixels>
LTAD_INLINE void convolve_pixels(const float* in, std::int64_t in_row, std::int64_t kernel, const float* weight,
                                 float* out, std::int64_t ld) {
    Lanes low[pixels] = {}, high[pixels] = {};
    for (std::int64_t y = 0; y < kernel; ++y) {
        for (std::int64_t x = 0; x < kernel; ++x) {
            const float* const tap = weight + (y * kernel + x) * width;
            const float* const from = in + y * in_row + x * width;
            const Lanes tap_low = load_lanes(tap), tap_high = load_lanes(tap + lane_count);
#pragma GCC unroll 8
            for (std::int64_t p = 0; p < pixels; ++p) {
                low[p] += load_lanes(from + p * width) * tap_low;
                high[p] += load_lanes(from + p * width + lane_count) * tap_high;
            }
        }
    }
#pragma GCC unroll 8
    for (std::int64_t p = 0; p < pixels; ++p) {
        store_lanes(low[p], out + p * ld);
        store_lanes(high[p], out + p * ld + lane_count);
    }
}

/// Adds the gradient of `taps` neighbouring taps: sum[t] += Σ d[pixel] in[pixel + t], [taps, width].
template <std::int64_t taps>
LTAD_INLINE void correlate_taps(const float* d, const float* in, std::int64_t rows, std::int64_t size,
                                std::int64_t row_stride, float* sum) {
    Lanes low[taps], high[taps];
#pragma GCC unroll 8
    for (std::int64_t t = 0; t < taps; ++t) {
        low[t] = load_lanes(sum + t * width);
        high[t] = load_lanes(sum + t * width + lane_count);
    }
    for (std::int64_t y = 0; y < rows; ++y) {
        for (std::int64_t x = 0; x < size; ++x) {
            const float* const from = in + y * row_stride + x * width;
            const float* const here = d + y * row_stride + x * width;
            const Lanes d_low = load_lanes(here), d_high = load_lanes(here + lane_count);
#pragma GCC unroll 8
            for (std::int64_t t = 0; t < taps; ++t) {
                low[t] += d_low * load_lanes(from + t * width);
                high[t] += d_high * load_lanes(from + t * width + lane_count);
            }
        }
    }
#pragma GCC unroll 8
    for (std::int64_t t = 0; t < taps; ++t) {
        store_lanes(low[t], sum + t * width);
        store_lanes(high[t], sum + t * width + lane_count);
    }
}

LTAD_MULTIVERSION(void, activate,
                  (Rectifier f, const StripRow<const float>& row, const InputParameters& p, const std::int64_t* source,
                   std::int64_t size, float* __restrict out)) {
    with_rectifier(
        f, [&](auto c) __attribute__((always_inline)) {
            float kept[width] = {};
            for (std::int64_t x = 0; x < size; ++x) {
                if (x > 0 && source[x] == source[x - 1]) {
                    std::copy_n(out + (x - 1) * width, width, out + x * width);
                    continue;
                }
                const float* const from = pixel(row, source[x], kept);
                for (std::int64_t i = 0; i < width; ++i)
                    out[x * width + i] = value_of<c.value>(from[i] * p.scale.value[i] + p.shift.value[i]);
            }
        });
}

LTAD_MULTIVERSION(void, gradient,
                  (Rectifier f, const StripRow<const float>& y, const StripRow<const float>& d_gated,
                   const GradientParameters& p, std::int64_t size, float* __restrict out)) {
    with_rectifier(
        f, [&](auto c) __attribute__((always_inline)) {
            float kept_y[width] = {}, kept_d[width] = {};
            for (std::int64_t x = 0; x < size; ++x) {
                const float* const from = pixel(y, x, kept_y);
                const float* const d = pixel(d_gated, x, kept_d);
                for (std::int64_t i = 0; i < width; ++i) {
                    const float d_a = d[i] * p.gate.value[i] + p.d_mean.value[i];
                    const float d_z = d_a * slope_of<c.value>(from[i] * p.scale.value[i] + p.shift.value[i]);
                    out[x * width + i] = d_z * p.through.value[i] + (from[i] * p.slope.value[i] + p.offset.value[i]);
                }
            }
        });
}

LTAD_MULTIVERSION(void, finish,
                  (Rectifier f, const float* __restrict d, const StripRow<const float>& x_row, const InputParameters& p,
                   std::int64_t size, const StripRow<float>& d_z_row, float* __restrict sum,
                   float* __restrict product)) {
    with_rectifier(
        f, [&](auto c) __attribute__((always_inline)) {
            float kept[width] = {};
            for (std::int64_t x = 0; x < size; ++x) {
                const float* const from = pixel(x_row, x, kept);
                float d_z[width];
                for (std::int64_t i = 0; i < width; ++i) {
                    d_z[i] = d[x * width + i] * slope_of<c.value>(from[i] * p.scale.value[i] + p.shift.value[i]);
                    sum[i] += d_z[i];
                    product[i] += d_z[i] * (from[i] - p.mean.value[i]);
                }
                float* const to = d_z_row.data + x * d_z_row.ld;
                if (d_z_row.count == width)
                    for (std::int64_t i = 0; i < width; ++i) to[i] = d_z[i];
                else
                    for (std::int64_t i = 0; i < d_z_row.count; ++i) to[i] = d_z[i];
            }
        });
}

/// Seven at a time fill the registers of AVX-512, and EfficientNet's maps are multiples of it.
LTAD_MULTIVERSION(void, convolve,
                  (const float* in, std::int64_t size, std::int64_t kernel, const float* weight, float* out,
                   std::int64_t ld)) {
    const std::int64_t in_row = (size + kernel - 1) * width;
    std::int64_t x = 0;
    for (; x + 7 <= size; x += 7) convolve_pixels<7>(in + x * width, in_row, kernel, weight, out + x * ld, ld);
    for (; x + 2 <= size; x += 2) convolve_pixels<2>(in + x * width, in_row, kernel, weight, out + x * ld, ld);
    for (; x < size; ++x) convolve_pixels<1>(in + x * width, in_row, kernel, weight, out + x * ld, ld);
}

LTAD_MULTIVERSION(void, correlate_rows,
                  (const float* d, const float* in, std::int64_t rows, std::int64_t size, std::int64_t kernel,
                   float* sum)) {
    const std::int64_t row_stride = (size + kernel - 1) * width;
    for (std::int64_t y = 0; y < kernel; ++y) {
        const float* const from = in + y * row_stride;
        float* const to = sum + y * kernel * width;
        if (kernel == 5)
            correlate_taps<5>(d, from, rows, size, row_stride, to);
        else if (kernel == 3)
            correlate_taps<3>(d, from, rows, size, row_stride, to);
        else
            for (std::int64_t x = 0; x < kernel; ++x)
                correlate_taps<1>(d, from + x * width, rows, size, row_stride, to + x * width);
    }
}

LTAD_MULTIVERSION(void, add, (const float* __restrict x, float* __restrict sum)) {
    for (std::int64_t i = 0; i < width; ++i) sum[i] += x[i];
}

}  // namespace

void activate_row(Rectifier f, const StripRow<const float>& row, const InputParameters& p, const std::int64_t* source,
                  std::int64_t size, float* out) {
    activate(f, row, p, source, size, out);
}

void gradient_row(Rectifier f, const StripRow<const float>& y, const StripRow<const float>& d_gated,
                  const GradientParameters& p, std::int64_t size, float* out) {
    gradient(f, y, d_gated, p, size, out);
}

void finish_row(Rectifier f, const float* d, const StripRow<const float>& x_row, const InputParameters& p,
                std::int64_t size, const StripRow<float>& d_z_row, float* sum, float* product) {
    finish(f, d, x_row, p, size, d_z_row, sum, product);
}

void convolve_row(const float* in, std::int64_t size, std::int64_t kernel, const float* weight, float* out,
                  std::int64_t ld) {
    convolve(in, size, kernel, weight, out, ld);
}

void correlate(const float* d, const float* in, std::int64_t rows, std::int64_t size, std::int64_t kernel, float* sum) {
    correlate_rows(d, in, rows, size, kernel, sum);
}

void add_pixel(const float* x, float* sum) { add(x, sum); }

}  // namespace ltad::strip
