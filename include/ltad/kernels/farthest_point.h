#pragma once

#include <cstdint>
#include <vector>

namespace ltad {

/// One step of greedy k-centre: least[i] ← min(least[i], ‖x_i − x_chosen‖) for all rows of points ([rows, dim]), and −1
/// for the chosen one, in one pass over memory. Returns the row whose `least` is the largest, the first of equals; the
/// same with any number of threads.
[[nodiscard]] std::int64_t cover_from(const float* points, std::int64_t rows, std::int64_t dim, std::int64_t chosen,
                                      float* least);

}  // namespace ltad
