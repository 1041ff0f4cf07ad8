#include "depthwise_plane.h"

#include <algorithm>

namespace ltad {
namespace {

constexpr std::int64_t strip = DepthwisePlane::strip;

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // all of these are inlined: nobody returns vectors
#endif

LTAD_INLINE Lanes rectified(const Lanes& x, Rectifier rectifier) {
    if (rectifier == Rectifier::swish) return x * fast_sigmoid(x);
    const Lanes positive = x > 0.0f ? x : 0.0f;
    return rectifier == Rectifier::relu6 ? (positive < 6.0f ? positive : 6.0f) : positive;
}

/// One strip for a kernel and stride known in advance: every input is loaded once for each row of the kernel.
template <int kernel, int stride>
LTAD_INLINE void strip_of(const float* in, std::int64_t row, const float* taps, Lanes* sums) {
    for (int y = 0; y < kernel; ++y) {
        Lanes weights[kernel];
#pragma GCC unroll 8
        for (int x = 0; x < kernel; ++x) weights[x] = load_lanes(taps + (y * kernel + x) * lane_count);
#pragma GCC unroll 32
        for (int i = 0; i < (strip - 1) * stride + kernel; ++i) {
            const Lanes value = load_lanes(in + (y * row + i) * lane_count);
#pragma GCC unroll 8
            for (int x = 0; x < kernel; ++x)
                if (i >= x && (i - x) % stride == 0 && (i - x) / stride < strip)
                    sums[(i - x) / stride] += value * weights[x];
        }
    }
}

LTAD_INLINE void strip_of_any(const DepthwisePlane& p, const float* in, Lanes* sums) {
    for (std::int64_t y = 0; y < p.kernel; ++y)
        for (std::int64_t x = 0; x < p.kernel; ++x) {
            const Lanes weight = load_lanes(p.taps + (y * p.kernel + x) * lane_count);
            for (std::int64_t i = 0; i < strip; ++i)
                sums[i] += load_lanes(in + (y * p.row + i * p.stride + x) * lane_count) * weight;
        }
}

template <int kernel, int stride>
LTAD_INLINE void plane_of(const DepthwisePlane& p, Rectifier rectifier) {
    const Lanes bias = load_lanes(p.bias);
    Lanes total = load_lanes(p.sums);
    for (std::int64_t y = 0; y < p.rows; ++y)
        for (std::int64_t x = 0; x < p.width; x += strip) {
            const float* const in = p.in + (y * p.row + x) * p.stride * lane_count;
            Lanes sums[strip];
            for (Lanes& sum : sums) sum = bias;
            if constexpr (kernel == 0)
                strip_of_any(p, in, sums);
            else
                strip_of<kernel, stride>(in, p.row, p.taps, sums);
            float* const out = p.out + (y * p.width + x) * p.channels;
            const std::int64_t count = std::min(strip, p.width - x);
            for (std::int64_t i = 0; i < count; ++i) {
                const Lanes result = rectified(sums[i], rectifier);
                store_lanes(result, out + i * p.channels, p.lanes);
                total += result;
            }
        }
    store_lanes(total, p.sums);
}

LTAD_MULTIVERSION void plane_3_1(const DepthwisePlane& p, Rectifier rectifier) { plane_of<3, 1>(p, rectifier); }
LTAD_MULTIVERSION void plane_3_2(const DepthwisePlane& p, Rectifier rectifier) { plane_of<3, 2>(p, rectifier); }
LTAD_MULTIVERSION void plane_5_1(const DepthwisePlane& p, Rectifier rectifier) { plane_of<5, 1>(p, rectifier); }
LTAD_MULTIVERSION void plane_5_2(const DepthwisePlane& p, Rectifier rectifier) { plane_of<5, 2>(p, rectifier); }
LTAD_MULTIVERSION void plane_any(const DepthwisePlane& p, Rectifier rectifier) { plane_of<0, 0>(p, rectifier); }

LTAD_MULTIVERSION void scatter(const float* __restrict from, std::int64_t m, std::int64_t ld, std::int64_t lanes,
                               const float* __restrict bias, Rectifier rectifier, float* __restrict to) {
    if (bias == nullptr) {
        for (std::int64_t i = 0; i < m; ++i) store_lanes(load_lanes(from + i * ld, lanes), to + i * lane_count);
        return;
    }
    const Lanes shift = load_lanes(bias, lanes);
    for (std::int64_t i = 0; i < m; ++i)
        store_lanes(rectified(load_lanes(from + i * ld, lanes) + shift, rectifier), to + i * lane_count);
}

LTAD_MULTIVERSION void add_rectify(float* x, std::int64_t m, std::int64_t n, std::int64_t ld, const float* bias,
                                   Rectifier rectifier) {
    for (std::int64_t c = 0; c < n; c += lane_count) {
        const std::int64_t lanes = std::min(lane_count, n - c);
        const Lanes shift = load_lanes(bias + c, lanes);
        for (std::int64_t i = 0; i < m; ++i) {
            float* const at = x + i * ld + c;
            store_lanes(rectified(load_lanes(at, lanes) + shift, rectifier), at, lanes);
        }
    }
}

}  // namespace

void add_bias_rectify(float* x, std::int64_t m, std::int64_t n, std::int64_t ld, const float* bias,
                      Rectifier rectifier) {
    add_rectify(x, m, n, ld, bias, rectifier);
}

void depthwise_plane(const DepthwisePlane& p, Rectifier rectifier) {
    if (p.kernel == 3 && p.stride == 1) return plane_3_1(p, rectifier);
    if (p.kernel == 3 && p.stride == 2) return plane_3_2(p, rectifier);
    if (p.kernel == 5 && p.stride == 1) return plane_5_1(p, rectifier);
    if (p.kernel == 5 && p.stride == 2) return plane_5_2(p, rectifier);
    plane_any(p, rectifier);
}

void scatter_planes(const float* from, std::int64_t m, std::int64_t ld, std::int64_t columns, const float* bias,
                    Rectifier rectifier, float* to, std::int64_t plane_stride) {
    for (std::int64_t c = 0; c < columns; c += lane_count)
        scatter(from + c, m, ld, std::min(lane_count, columns - c), bias == nullptr ? nullptr : bias + c, rectifier,
                to + c / lane_count * plane_stride);
}

}  // namespace ltad
