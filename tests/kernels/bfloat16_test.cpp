#include "ltad/kernels/bfloat16.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ltad/kernels/gemm.h"
#include "support/golden.h"

namespace ltad {
namespace {

const float* data(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

TEST(Bfloat16, RoundsAsLibTorchDoes) {
    at::Tensor x = test::random_tensor({10'000}, 1) * at::pow(10, test::random_tensor({10'000}, 2) * 8);
    x[0] = 1.00390625f;  // half way between two: to even
    x[1] = 1.01171875f;
    x[2] = std::numeric_limits<float>::infinity();
    x[3] = -std::numeric_limits<float>::max();  // rounds to −∞
    x[4] = -0.0f;
    const at::Tensor expected = x.to(at::kBFloat16);
    for (std::int64_t i = 0; i < x.numel(); ++i)
        ASSERT_EQ(bfloat16_bits(data(x)[i]), expected.const_data_ptr<at::BFloat16>()[i].x) << data(x)[i];
    EXPECT_TRUE(std::isnan(std::bit_cast<float>(bfloat16_bits(std::numeric_limits<float>::quiet_NaN()) << 16)));
    EXPECT_TRUE(std::isnan(std::bit_cast<float>(bfloat16_bits(std::bit_cast<float>(0x7F800001u)) << 16)));
}

TEST(Bfloat16, PacksNeighboursOfRowsAndOfColumns) {
    const at::Tensor x = rounded(test::random_tensor({5, 8}, 1));
    const auto upper = [&](std::int64_t r, std::int64_t c) {
        return r < 5 && c < 7 ? std::bit_cast<std::uint32_t>(data(x)[r * 8 + c]) >> 16 : 0;
    };
    std::vector<std::uint32_t> rows(5 * 4, 1), columns(3 * 7, 1);
    to_bfloat16(data(x), 5, 7, 8, rows.data());
    to_bfloat16_pairs(data(x), 5, 7, 8, columns.data());
    for (std::int64_t r = 0; r < 5; ++r)
        for (std::int64_t c = 0; c < 8; c += 2)
            EXPECT_EQ(rows[static_cast<std::size_t>(r * 4 + c / 2)], upper(r, c) | upper(r, c + 1) << 16);
    for (std::int64_t r = 0; r < 6; r += 2)
        for (std::int64_t c = 0; c < 7; ++c)
            EXPECT_EQ(columns[static_cast<std::size_t>(r / 2 * 7 + c)], upper(r, c) | upper(r + 1, c) << 16);
}

/// Products of rounded factors are exact in float32: only the order of the sums differs from LibTorch's.
TEST(Bfloat16, ProductsAreThoseOfTheRoundedFactors) {
    if (!has_bfloat16()) GTEST_SKIP() << "this processor has no bfloat16 products";
    for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 1}, {3, 5, 7}, {130, 65, 16}, {257, 100, 41}}) {
        const at::Tensor x = test::random_tensor({m, k}, 1), weight = test::random_tensor({n, k}, 2);
        const at::Tensor product = at::matmul(rounded(x), rounded(weight).t());
        at::Tensor y = at::empty({m, n});
        multiply_rows(data(x), k, m, Panels::transposed(data(weight), n, k, Precision::bfloat16),
                      y.mutable_data_ptr<float>(), n);
        EXPECT_CLOSE_WITHIN(y, product, 1e-5);
        const at::Tensor flipped = weight.t().contiguous();
        multiply_rows(data(x), k, m, Panels::of(data(flipped), k, n, Precision::bfloat16), y.mutable_data_ptr<float>(),
                      n);
        EXPECT_CLOSE_WITHIN(y, product, 1e-5);
    }
    for (const auto& [rows, na, nb] : {std::array<std::int64_t, 3>{1, 1, 1}, {250, 70, 30}, {113, 30, 70}}) {
        const at::Tensor a = test::random_tensor({rows, na + 1}, 1), b = test::random_tensor({rows, nb}, 2);
        at::Tensor product = at::empty({na, nb});
        multiply_transposed(data(a), na, na + 1, data(b), nb, nb, rows, product.mutable_data_ptr<float>(),
                            Precision::bfloat16);
        EXPECT_CLOSE_WITHIN(product, at::matmul(rounded(a).narrow(1, 0, na).t(), rounded(b)), 1e-5);
    }
}

}  // namespace
}  // namespace ltad
