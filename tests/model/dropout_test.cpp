#include "ltad/model/dropout.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "support/golden.h"

namespace ltad::test {
namespace {

void seed(std::uint64_t value) {
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_current_seed(value);
}

TEST(Dropout, KeepsTheMeanAndDropsTheAskedShare) {
    for (const double p : {0.1, 0.5, 0.9}) {
        const at::Tensor y = apply_dropout(at::ones({1000, 1000}), p, true);
        const double dropped = y.eq(0).to(at::kDouble).mean().item<double>();
        EXPECT_NEAR(dropped, p, 5 * std::sqrt(p * (1 - p) / 1e6));
        EXPECT_NEAR(y.max().item<double>(), 1 / (1 - p), 1e-3);
        EXPECT_NEAR(y.mean().item<double>(), 1, 0.02);
    }
}

TEST(Dropout, DependsOnTheSeedNotOnTheThreads) {
    const at::Tensor x = at::ones({37, 1001});
    const auto draw = [&](std::uint64_t value, int threads) {
        at::set_num_threads(threads);
        seed(value);
        const at::Tensor first = apply_dropout(x, 0.3, true);
        const at::Tensor second = apply_dropout(x, 0.3, true);
        at::set_num_threads(1);
        EXPECT_FALSE(at::equal(first, second)) << "every call draws anew";
        return first;
    };
    EXPECT_TRUE(at::equal(draw(5, 1), draw(5, 2)));
    EXPECT_FALSE(at::equal(draw(5, 1), draw(6, 1)));
}

TEST(Dropout, NeighboursAreIndependent) {
    seed(1);
    const at::Tensor kept = apply_dropout(at::ones({1'000'000}), 0.5, true).gt(0).to(at::kDouble);
    for (const std::int64_t lag : {1, 2, 7, 8, 9, 64}) {
        const at::Tensor product = (kept.slice(0, lag) - 0.5) * (kept.slice(0, 0, -lag) - 0.5);
        EXPECT_NEAR(4 * product.mean().item<double>(), 0, 0.006) << lag;
    }
}

TEST(Dropout, GradientsPassWhereValuesDo) {
    at::Tensor x = random_tensor({50, 50}, 3).set_requires_grad(true);
    const at::Tensor y = apply_dropout(x, 0.4, true);
    y.sum().backward();
    EXPECT_CLOSE(x.grad() * x, y);
}

TEST(Dropout, IsNothingInEvaluation) {
    const at::Tensor x = random_tensor({5}, 3);
    EXPECT_TRUE(apply_dropout(x, 0.4, false).is_same(x));
    EXPECT_TRUE(apply_dropout(x, 0, true).is_same(x));
}

}  // namespace
}  // namespace ltad::test
