#include "ltad/kernels/farthest_point.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad::test {
namespace {

TEST(FarthestPoint, CoversAsAPlainLoopDoes) {
    for (const auto& [rows, dim] : {std::pair(1, 1), {5, 3}, {100, 16}, {4097, 17}, {9000, 64}, {4500, 130}}) {
        const at::Tensor points = random_tensor({rows, dim}, 1);
        const at::Tensor start = random_tensor({rows}, 2).abs() * 10;
        at::Tensor least = start.clone(), again = start.clone();
        const std::int64_t chosen = rows / 3;
        const auto farthest =
            cover_from(points.const_data_ptr<float>(), rows, dim, chosen, least.mutable_data_ptr<float>());

        at::Tensor expected = at::minimum(start, (points - points[chosen]).square().sum(1).sqrt());
        expected[chosen].fill_(-1);
        EXPECT_CLOSE_WITHIN(least, expected, 1e-5) << rows << " x " << dim;
        EXPECT_EQ(farthest, least.argmax().item<std::int64_t>());

        const int threads = at::get_num_threads();
        at::set_num_threads(threads == 1 ? 2 : 1);
        EXPECT_EQ(cover_from(points.const_data_ptr<float>(), rows, dim, chosen, again.mutable_data_ptr<float>()),
                  farthest);
        at::set_num_threads(threads);
        EXPECT_TRUE(at::equal(least, again));
    }
}

TEST(FarthestPoint, TakesTheFirstOfEquals) {
    std::vector<float> points(10000, 0.0f), least(10000, 5.0f);
    points[20] = 1;
    std::fill(points.begin() + 5000, points.begin() + 5010, 3.0f);
    // From 0: the ten points at distance 3 are all the farthest.
    EXPECT_EQ(cover_from(points.data(), 10000, 1, 0, least.data()), 5000);
    EXPECT_EQ(least[0], -1);
}

}  // namespace
}  // namespace ltad::test
