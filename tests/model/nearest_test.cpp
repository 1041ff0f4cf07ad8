#include "ltad/model/nearest.h"

#include <algorithm>
#include <set>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/plain_distances.h"

namespace ltad::test {
namespace {

TEST(NearestDistances, EqualAPlainLoop) {
    for (const auto& [queries, bank] : {std::pair(1, 1), {7, 3}, {1030, 4100}, {20, 8192 + 5}}) {
        const at::Tensor q = random_tensor({queries, 3}, 1);
        const at::Tensor b = random_tensor({bank, 3}, 2);
        EXPECT_CLOSE_WITHIN(nearest_distances(q, b), plain_distances(q, b), 1e-5) << queries << " x " << bank;
    }
}

TEST(NearestDistances, AreZeroForRowsOfTheBankWhereverTheyAre) {
    const at::Tensor bank = random_tensor({9000, 40}, 3) + 5;
    const at::Tensor rows = at::arange(0, 9000, 450, at::TensorOptions(at::kLong));
    EXPECT_EQ(nearest_distances(bank.index_select(0, rows), bank).max().item<float>(), 0);
}

/// The largest distance from any point to the chosen ones.
double radius(const at::Tensor& points, const at::Tensor& chosen) {
    return at::cdist(points, points.index_select(0, chosen)).amin(1).max().item<double>();
}

at::Tensor coreset(const at::Tensor& points, std::int64_t count, std::uint64_t seed = 1) {
    Random random(RandomUse::test, {seed});
    return greedy_coreset(points, count, random, [] {});
}

TEST(GreedyCoreset, TakesTheFarthestPointEachTime) {
    const at::Tensor points = random_tensor({200, 5}, 3, at::kDouble);
    const at::Tensor all = at::cdist(points, points);
    const auto distance = all.accessor<double, 2>();
    Random random(RandomUse::test, {1});
    std::vector<double> least(200, 0);
    for (int k = 0; k < 10; ++k) {
        const auto start = static_cast<std::int64_t>(random.below(200));
        for (std::int64_t i = 0; i < 200; ++i) least[static_cast<std::size_t>(i)] += distance[i][start] / 10;
    }
    std::vector<std::int64_t> expected;
    for (int k = 0; k < 150; ++k) {
        expected.push_back(std::max_element(least.begin(), least.end()) - least.begin());
        for (std::int64_t i = 0; i < 200; ++i) {
            double& own = least[static_cast<std::size_t>(i)];
            own = std::min(own, distance[i][expected.back()]);
        }
    }
    EXPECT_TRUE(at::equal(coreset(points, 150), at::tensor(expected, at::kLong)));
    // In float the kernel chooses, which sees the same distances.
    EXPECT_TRUE(at::equal(coreset(points.to(at::kFloat), 150), at::tensor(expected, at::kLong)));
}

TEST(GreedyCoreset, CoversClustersThatChanceMisses) {
    // 990 points in one place, 10 far away from it and from each other.
    at::Tensor points = 0.01 * random_tensor({1000, 3}, 5);
    for (std::int64_t i = 0; i < 10; ++i)
        points[i * 100] = at::tensor({100.0f * static_cast<float>(i + 1), 0.0f, 7.0f});
    const at::Tensor chosen = coreset(points, 11);
    EXPECT_LT(radius(points, chosen), 0.1);
}

TEST(GreedyCoreset, NeverTakesAPointTwice) {
    at::Tensor points = random_tensor({50, 4}, 9);
    points.narrow(0, 10, 20).copy_(points[0]);  // the same point over and over
    for (const std::int64_t count : {1, 10, 49, 50}) {
        const at::Tensor chosen = coreset(points, count);
        ASSERT_EQ(chosen.numel(), count);
        const std::int64_t* const data = chosen.const_data_ptr<std::int64_t>();
        EXPECT_EQ(std::set<std::int64_t>(data, data + count).size(), static_cast<std::size_t>(count));
    }
}

TEST(GreedyCoreset, FollowsTheSeed) {
    const at::Tensor points = random_tensor({100, 4}, 2);
    EXPECT_TRUE(at::equal(coreset(points, 20), coreset(points, 20)));
    EXPECT_FALSE(at::equal(coreset(points, 20), coreset(points, 20, 2)));
}

TEST(GreedyCoreset, RefusesImpossibleCounts) {
    const at::Tensor points = random_tensor({5, 2}, 1);
    for (const std::int64_t count : {0, 6})
        EXPECT_THAT([&] { (void)coreset(points, count); },
                    ::testing::ThrowsMessage<Error>(::testing::HasSubstr("coreset")));
}

}  // namespace
}  // namespace ltad::test
