#include "ltad/kernels/train_product.h"

#include "support/golden.h"

namespace ltad {
namespace {

TEST(ColumnTiles, CoverTheColumnsOnceInVectors) {
    for (const std::int64_t n : {1, 15, 16, 17, 31, 96, 144, 240, 256, 257, 672, 1152, 3840}) {
        const ColumnTiles tiles(n);
        EXPECT_EQ(tiles.first(0), 0);
        EXPECT_EQ(tiles.first(tiles.count()), n);
        for (std::int64_t i = 0; i < tiles.count(); ++i) {
            EXPECT_GT(tiles.width(i), 0) << n << ' ' << i;
            EXPECT_LE(tiles.width(i), 144) << n << ' ' << i;
            EXPECT_EQ(tiles.first(i) % 16, 0) << n << ' ' << i;
        }
        if (n > 16) {
            EXPECT_EQ(tiles.count() % 2, 0) << n;  // the same work for two threads
        }
    }
}

TEST(WideWeightGradient, EqualsAPlainProduct) {
    struct Shape {
        std::int64_t rows, n, k;
    };
    for (const Shape& s : {Shape{1, 1, 1}, {5, 24, 3}, {49, 130, 40}, {400, 300, 65}, {785, 96, 70}}) {
        SCOPED_TRACE(testing::Message() << s.rows << ' ' << s.n << ' ' << s.k);
        const at::Tensor d_y = test::random_tensor({s.rows, s.n}, 1), x = test::random_tensor({s.rows, s.k}, 2);
        const auto gradient = [&](int threads) {
            at::set_num_threads(threads);
            at::Tensor d_weight = at::full({s.n, s.k}, 7, at::kFloat);
            wide_weight_gradient(d_y.const_data_ptr<float>(), s.n, x.const_data_ptr<float>(), s.k, s.rows,
                                 d_weight.mutable_data_ptr<float>());
            at::set_num_threads(1);
            return d_weight;
        };
        const at::Tensor one = gradient(1);
        EXPECT_CLOSE_WITHIN(one, at::matmul(d_y.to(at::kDouble).t(), x.to(at::kDouble)), 1e-5);
        EXPECT_TRUE(at::equal(one, gradient(2)));
        EXPECT_TRUE(at::equal(one, gradient(5)));
    }
}

}  // namespace
}  // namespace ltad
