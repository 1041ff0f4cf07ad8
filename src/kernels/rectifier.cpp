#include "ltad/kernels/rectifier.h"

#include <algorithm>

#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

LTAD_MULTIVERSION(void, add_and_rectify,
                  (float* x, std::int64_t m, std::int64_t n, std::int64_t ld, const float* bias, Rectifier f)) {
    for (std::int64_t c = 0; c < n; c += lane_count) {
        const std::int64_t lanes = std::min(lane_count, n - c);
        const Lanes shift = load_lanes(bias + c, lanes);
        for (std::int64_t i = 0; i < m; ++i) {
            float* const at = x + i * ld + c;
            store_lanes(rectified(load_lanes(at, lanes) + shift, f), at, lanes);
        }
    }
}

}  // namespace

void add_bias_rectify(float* x, std::int64_t m, std::int64_t n, std::int64_t ld, const float* bias, Rectifier f) {
    add_and_rectify(x, m, n, ld, bias, f);
}

}  // namespace ltad
