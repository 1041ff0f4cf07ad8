#pragma once

#include <cstdint>

namespace ltad {

// A weighted squared error of rows [rows, channels] on the CPU in float32, by all threads. The sum does not depend on
// their number.

/// Σ weight[c] (predicted − real)² over all rows and channels c.
[[nodiscard]] double squared_error(const float* predicted, const float* real, std::int64_t rows, std::int64_t channels,
                                   const float* weight);

/// Its gradient times `scale`: d = 2 scale weight[c] (predicted − real).
void squared_error_gradient(const float* predicted, const float* real, std::int64_t rows, std::int64_t channels,
                            const float* weight, float scale, float* d);

}  // namespace ltad
