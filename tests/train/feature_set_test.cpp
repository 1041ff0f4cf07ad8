#include "ltad/train/feature_set.h"

#include <numeric>

#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad {
namespace {

TEST(BatchIndices, CoverEveryEpochAndSayWhatComesNext) {
    for (const std::size_t count : {1, 7, 8, 9, 24}) {
        const auto order = epoch_order(1, 2, 3, count);
        const std::size_t per_epoch = (count + 7) / 8;
        std::vector<std::size_t> seen;
        for (std::size_t step = 0; step < per_epoch; ++step) {
            const auto [now, next] = batch_indices(order, static_cast<std::int64_t>(5 * per_epoch + step), 8);
            seen.insert(seen.end(), now.begin(), now.end());
            const auto after = batch_indices(order, static_cast<std::int64_t>(step + 1), 8).now;
            if (step + 1 == per_epoch)
                EXPECT_TRUE(next.empty());
            else
                EXPECT_TRUE(std::equal(next.begin(), next.end(), after.begin(), after.end()));
        }
        EXPECT_EQ(seen, order) << count;
    }
}

TEST(EpochOrder, IsAPermutationOfItsOwn) {
    auto order = epoch_order(1, 2, 3, 50);
    EXPECT_NE(order, epoch_order(1, 2, 4, 50));
    EXPECT_NE(order, epoch_order(2, 2, 3, 50));
    EXPECT_NE(order, epoch_order(1, 1, 3, 50));
    EXPECT_EQ(order, epoch_order(1, 2, 3, 50));
    std::sort(order.begin(), order.end());
    std::vector<std::size_t> all(50);
    std::iota(all.begin(), all.end(), std::size_t{0});
    EXPECT_EQ(order, all);
}

}  // namespace
}  // namespace ltad
