#include "ltad/kernels/few_rows.h"

#include <vector>

#include "support/golden.h"

namespace ltad {
namespace {

struct Shape {
    std::int64_t rows, k, n;
};

const std::vector<Shape> shapes = {{1, 1, 1}, {3, 5, 63}, {8, 48, 64}, {8, 130, 700}, {64, 33, 65}, {2, 4096, 3}};

struct Case {
    at::Tensor x, weight, bias, d_y;
    at::Tensor y, d_weight, d_bias, d_x;

    explicit Case(const Shape& s)
        : x(test::random_tensor({s.rows, s.k}, 1)),
          weight(test::random_tensor({s.n, s.k}, 2)),
          bias(test::random_tensor({s.n}, 3)),
          d_y(test::random_tensor({s.rows, s.n}, 4)),
          y(at::full_like(d_y, 7)),
          d_weight(at::full_like(weight, 7)),
          d_bias(at::full_like(bias, 7)),
          d_x(at::full_like(x, 7)) {
        const auto in = [](const at::Tensor& t) { return t.const_data_ptr<float>(); };
        const auto out = [](const at::Tensor& t) { return t.mutable_data_ptr<float>(); };
        multiply_few_rows(in(x), s.rows, s.k, in(weight), s.n, in(bias), out(y));
        few_rows_weight_gradient(in(x), s.rows, s.k, in(d_y), s.n, out(d_weight), out(d_bias));
        few_rows_input_gradient(in(d_y), s.rows, s.n, in(weight), s.k, out(d_x));
    }
};

TEST(FewRows, EqualPlainProducts) {
    for (const Shape& s : shapes) {
        SCOPED_TRACE(testing::Message() << s.rows << ' ' << s.k << ' ' << s.n);
        const Case c(s);
        const auto d = [](const at::Tensor& t) { return t.to(at::kDouble); };
        EXPECT_CLOSE_WITHIN(c.y, at::linear(d(c.x), d(c.weight), d(c.bias)), 1e-5);
        EXPECT_CLOSE_WITHIN(c.d_weight, at::matmul(d(c.d_y).t(), d(c.x)), 1e-5);
        EXPECT_CLOSE_WITHIN(c.d_bias, d(c.d_y).sum(0), 1e-5);
        EXPECT_CLOSE_WITHIN(c.d_x, at::matmul(d(c.d_y), d(c.weight)), 1e-5);
    }
}

TEST(FewRows, BiasMayBeLeftOut) {
    const at::Tensor x = test::random_tensor({2, 3}, 1), weight = test::random_tensor({4, 3}, 2), y = at::empty({2, 4});
    multiply_few_rows(x.const_data_ptr<float>(), 2, 3, weight.const_data_ptr<float>(), 4, nullptr,
                      y.mutable_data_ptr<float>());
    EXPECT_CLOSE_WITHIN(y, at::linear(x, weight), 1e-6);
}

TEST(FewRows, DoNotDependOnThreads) {
    for (const Shape& s : shapes) {
        const Case one(s);
        for (const int threads : {2, 5}) {
            at::set_num_threads(threads);
            const Case more(s);
            at::set_num_threads(1);
            EXPECT_TRUE(at::equal(one.y, more.y));
            EXPECT_TRUE(at::equal(one.d_weight, more.d_weight));
            EXPECT_TRUE(at::equal(one.d_bias, more.d_bias));
            EXPECT_TRUE(at::equal(one.d_x, more.d_x));
        }
    }
}

}  // namespace
}  // namespace ltad
