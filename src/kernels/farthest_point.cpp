#include "ltad/kernels/farthest_point.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>

#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t block_rows = 4096;

LTAD_INLINE float squared_distance(const float* a, const float* b, std::int64_t dim) {
    Lanes sum[4] = {};
    std::int64_t i = 0;
    for (; i + 4 * lane_count <= dim; i += 4 * lane_count)
        for (int k = 0; k < 4; ++k) {
            const Lanes d = load_lanes(a + i + k * lane_count) - load_lanes(b + i + k * lane_count);
            sum[k] += d * d;
        }
    for (; i < dim; i += lane_count) {
        const std::int64_t count = std::min(lane_count, dim - i);
        const Lanes d = load_lanes(a + i, count) - load_lanes(b + i, count);
        sum[0] += d * d;
    }
    const Lanes all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    float total = 0;
    for (std::int64_t k = 0; k < lane_count; ++k) total += all[k];
    return total;
}

/// Of rows first … last − 1. Returns the one with the largest `least`.
LTAD_MULTIVERSION(std::int64_t, cover_rows,
                  (const float* points, std::int64_t first, std::int64_t last, std::int64_t dim, const float* chosen,
                   float* least)) {
    std::int64_t farthest = first;
    for (std::int64_t i = first; i < last; ++i) {
        least[i] = std::min(least[i], std::sqrt(squared_distance(points + i * dim, chosen, dim)));
        if (least[i] > least[farthest]) farthest = i;
    }
    return farthest;
}

}  // namespace

std::int64_t cover_from(const float* points, std::int64_t rows, std::int64_t dim, std::int64_t chosen, float* least) {
    const std::int64_t blocks = (rows + block_rows - 1) / block_rows;
    std::vector<std::int64_t> farthest(static_cast<std::size_t>(blocks));
    least[chosen] = -1;
    at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b)
            farthest[static_cast<std::size_t>(b)] = cover_rows(
                points, b * block_rows, std::min(rows, (b + 1) * block_rows), dim, points + chosen * dim, least);
    });
    return *std::max_element(farthest.begin(), farthest.end(),
                             [least](std::int64_t a, std::int64_t b) { return least[a] < least[b]; });
}

}  // namespace ltad
