#include "depthwise_plane.h"

#include <algorithm>

#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t strip = DepthwisePlane::strip;

/// One strip for a kernel and stride known in advance: every input is loaded once for each row of the kernel.
template <int kernel, int stride>
LTAD_INLINE void strip_of(const DepthwisePlane& p, const float* in, Lanes* sums) {
    for (int y = 0; y < kernel; ++y) {
        Lanes taps[kernel];
#pragma GCC unroll 8
        for (int x = 0; x < kernel; ++x) taps[x] = load_lanes(p.taps + (y * kernel + x) * lane_count);
#pragma GCC unroll 32
        for (int i = 0; i < (strip - 1) * stride + kernel; ++i) {
            const Lanes value = load_lanes(in + (y * p.row + i) * lane_count);
#pragma GCC unroll 8
            for (int x = 0; x < kernel; ++x)
                if (i >= x && (i - x) % stride == 0 && (i - x) / stride < strip)
                    sums[(i - x) / stride] += value * taps[x];
        }
    }
}

LTAD_INLINE void strip_of_any(const DepthwisePlane& p, const float* in, Lanes* sums) {
    for (std::int64_t y = 0; y < p.kernel; ++y)
        for (std::int64_t x = 0; x < p.kernel; ++x) {
            const Lanes tap = load_lanes(p.taps + (y * p.kernel + x) * lane_count);
            for (std::int64_t i = 0; i < strip; ++i)
                sums[i] += load_lanes(in + (y * p.row + i * p.stride + x) * lane_count) * tap;
        }
}

/// kernel 0: any.
template <int kernel, int stride>
LTAD_INLINE void plane_of(const DepthwisePlane& p, Rectifier f) {
    const Lanes bias = load_lanes(p.bias);
    Lanes total = load_lanes(p.sums);
    for (std::int64_t y = 0; y < p.rows; ++y) {
        Lanes row_total{};  // rows first: the sum of a large map loses less
        for (std::int64_t x = 0; x < p.width; x += strip) {
            const float* const in = p.in + (y * p.row + x) * p.stride * lane_count;
            Lanes sums[strip];
            for (Lanes& sum : sums) sum = bias;
            if constexpr (kernel == 0)
                strip_of_any(p, in, sums);
            else
                strip_of<kernel, stride>(p, in, sums);
            float* const out = p.out + (y * p.width + x) * lane_count;
            const std::int64_t count = std::min(strip, p.width - x);
#pragma GCC unroll 8  // so that the sums stay in registers
            for (std::int64_t i = 0; i < strip; ++i) {
                if (i >= count) break;
                const Lanes result = rectified(sums[i], f);
                store_lanes(result, out + i * lane_count);
                row_total += result;
            }
        }
        total += row_total;
    }
    store_lanes(total, p.sums);
}

LTAD_MULTIVERSION(void, plane_3_1, (const DepthwisePlane& p, Rectifier f)) { plane_of<3, 1>(p, f); }
LTAD_MULTIVERSION(void, plane_3_2, (const DepthwisePlane& p, Rectifier f)) { plane_of<3, 2>(p, f); }
LTAD_MULTIVERSION(void, plane_5_1, (const DepthwisePlane& p, Rectifier f)) { plane_of<5, 1>(p, f); }
LTAD_MULTIVERSION(void, plane_5_2, (const DepthwisePlane& p, Rectifier f)) { plane_of<5, 2>(p, f); }
LTAD_MULTIVERSION(void, plane_any, (const DepthwisePlane& p, Rectifier f)) { plane_of<0, 0>(p, f); }

}  // namespace

void depthwise_plane(const DepthwisePlane& p, Rectifier f) {
    if (p.kernel == 3 && p.stride == 1) return plane_3_1(p, f);
    if (p.kernel == 3 && p.stride == 2) return plane_3_2(p, f);
    if (p.kernel == 5 && p.stride == 1) return plane_5_1(p, f);
    if (p.kernel == 5 && p.stride == 2) return plane_5_2(p, f);
    plane_any(p, f);
}

}  // namespace ltad
