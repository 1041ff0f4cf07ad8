#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "support/golden.h"

namespace ltad::test {

/// The distances of nearest_distances by the definition, in double.
inline at::Tensor plain_distances(const at::Tensor& queries, const at::Tensor& bank) {
    const auto q = values_of(queries);
    const auto b = values_of(bank);
    const auto channels = static_cast<std::size_t>(bank.size(1));
    std::vector<double> nearest;
    for (std::size_t i = 0; i < q.size(); i += channels) {
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < b.size(); j += channels) {
            double sum = 0;
            for (std::size_t c = 0; c < channels; ++c) sum += (q[i + c] - b[j + c]) * (q[i + c] - b[j + c]);
            least = std::min(least, sum);
        }
        nearest.push_back(std::sqrt(least));
    }
    return at::tensor(nearest, at::kDouble);
}

}  // namespace ltad::test
