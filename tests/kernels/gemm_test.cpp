#include "ltad/kernels/gemm.h"

#include <cmath>

#include <gtest/gtest.h>

#include "ltad/kernels/simd.h"
#include "support/golden.h"

namespace ltad {
namespace {

const float* data(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
float* out(at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

struct Size {
    std::int64_t m, n, k;
};

const std::vector<Size> sizes = {{1, 1, 1}, {3, 5, 7}, {17, 64, 33}, {130, 65, 16}, {257, 100, 40}, {16, 200, 128}};

TEST(Gemm, AgreesWithMatmulAndAddsWhenAsked) {
    for (const auto& [m, n, k] : sizes) {
        const at::Tensor a = test::random_tensor({m, k + 3}, 1), b = test::random_tensor({k, n + 2}, 2);
        at::Tensor c = test::random_tensor({m, n + 1}, 3);
        const at::Tensor before = c.clone();
        const at::Tensor product = at::matmul(a.narrow(1, 0, k), b.narrow(1, 0, n));
        gemm(m, n, k, data(a), k + 3, data(b), n + 2, out(c), n + 1, true);
        EXPECT_CLOSE_WITHIN(c.narrow(1, 0, n), before.narrow(1, 0, n) + product, 1e-5) << m << ' ' << n << ' ' << k;
        gemm(m, n, k, data(a), k + 3, data(b), n + 2, out(c), n + 1);
        EXPECT_CLOSE_WITHIN(c.narrow(1, 0, n), product, 1e-5) << m << ' ' << n << ' ' << k;
        EXPECT_TRUE(at::equal(c.narrow(1, n, 1), before.narrow(1, n, 1))) << "wrote beyond its columns";
    }
}

TEST(Gemm, TransposesExactly) {
    for (const auto& [m, n, k] : sizes) {
        const at::Tensor in = test::random_tensor({m, n + 5}, 1);
        at::Tensor flipped = at::zeros({n, m + 1});
        transpose(data(in), m, n, n + 5, out(flipped), m + 1);
        EXPECT_TRUE(at::equal(flipped.narrow(1, 0, m), in.narrow(1, 0, n).t()));
        EXPECT_FALSE(flipped.narrow(1, m, 1).any().item<bool>());
    }
}

TEST(Panels, MultiplyAsTheMatrixDoes) {
    for (const auto& [m, n, k] : sizes) {
        const at::Tensor x = test::random_tensor({m, k}, 1), weight = test::random_tensor({n, k}, 2);
        const at::Tensor product = at::matmul(x, weight.t());
        at::Tensor y = at::empty({m, n});
        std::int64_t finished = 0;
        multiply_rows(data(x), k, m, Panels::transposed(data(weight), n, k), out(y), n,
                      [&](std::int64_t, std::int64_t rows) { finished += rows; });
        EXPECT_CLOSE_WITHIN(y, product, 1e-5);
        EXPECT_EQ(finished, m);
        const at::Tensor flipped = weight.t().contiguous();
        multiply_rows(data(x), k, m, Panels::of(data(flipped), k, n), out(y), n);
        EXPECT_CLOSE_WITHIN(y, product, 1e-5);
    }
}

TEST(Gemm, SumsOuterProductsAndRows) {
    for (const auto& [rows, na, nb] : {Size{1, 1, 1}, {250, 70, 30}, {113, 30, 70}, {300, 128, 128}}) {
        const at::Tensor a = test::random_tensor({rows, na + 1}, 1), b = test::random_tensor({rows, nb}, 2);
        at::Tensor product = at::empty({na, nb}), sums = at::empty({na});
        multiply_transposed(data(a), na, na + 1, data(b), nb, nb, rows, out(product));
        EXPECT_CLOSE_WITHIN(product, at::matmul(a.narrow(1, 0, na).t(), b), 1e-5);
        sum_rows(data(a), rows, na, na + 1, out(sums));
        EXPECT_CLOSE_WITHIN(sums, a.narrow(1, 0, na).sum(0), 1e-5);
    }
}

TEST(Gemm, NoRowsAreNoWork) {
    const at::Tensor weight = test::random_tensor({5, 3}, 1);
    at::Tensor product = at::ones({3, 5}), sums = at::ones({3});
    multiply_rows(data(weight), 3, 0, Panels::transposed(data(weight), 5, 3), nullptr, 5);
    multiply_transposed(data(weight), 3, 3, data(weight), 5, 5, 0, out(product));
    sum_rows(data(weight), 0, 3, 3, out(sums));
    EXPECT_FALSE(product.any().item<bool>());
    EXPECT_FALSE(sums.any().item<bool>());
}

TEST(Gemm, DoesNotDependOnTheNumberOfThreads) {
    const at::Tensor a = test::random_tensor({300, 200}, 1), b = test::random_tensor({300, 90}, 2);
    const auto products = [&](int threads) {
        at::set_num_threads(threads);
        at::Tensor square = at::empty({200, 90}), rows = at::empty({200, 300}), sums = at::empty({200});
        multiply_transposed(data(a), 200, 200, data(b), 90, 90, 300, out(square));
        multiply_rows(data(square), 90, 200, Panels::transposed(data(b), 300, 90), out(rows), 300);
        sum_rows(data(a), 300, 200, 200, out(sums));
        at::set_num_threads(1);
        return at::cat({square.flatten(), rows.flatten(), sums});
    };
    EXPECT_TRUE(at::equal(products(1), products(2)));
    EXPECT_TRUE(at::equal(products(1), products(5)));
}

TEST(FastExp, IsWithinThreeUnitsInTheLastPlace) {
    for (float x = -86.9f; x < 87.0f; x += 0.0137f) {
        const double exact = std::exp(static_cast<double>(x));
        EXPECT_NEAR(fast_exp(x) / exact, 1, 2e-7) << x;
        EXPECT_NEAR(fast_sigmoid(x) / (1 / (1 + 1 / exact)), 1, 3e-7) << x;
    }
    EXPECT_EQ(fast_exp(-std::numeric_limits<float>::infinity()), 0);
    EXPECT_EQ(fast_exp(-1000), 0);
    EXPECT_EQ(fast_exp(0), 1);
    EXPECT_TRUE(std::isnan(fast_exp(std::numeric_limits<float>::quiet_NaN())));
    EXPECT_EQ(fast_sigmoid(1000), 1);
    EXPECT_EQ(fast_sigmoid(-1000), 0);
}

}  // namespace
}  // namespace ltad
