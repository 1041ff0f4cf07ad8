#include "ltad/kernels/train_depthwise.h"

#include "train_maps.h"

namespace ltad {
namespace {

using test::in;
using test::out;

const std::vector<DepthwiseShape> shapes = {{2, 3, 1, 1, 3},  {2, 40, 7, 7, 3},   {1, 32, 7, 14, 5}, {2, 35, 5, 8, 5},
                                            {1, 8, 3, 10, 7}, {1, 33, 40, 80, 3}, {1, 5, 9, 9, 1}};

struct Plain {
    at::Tensor x, z, weight, y;

    Plain(const DepthwiseShape& s, Rectifier f, const test::AnyNorm& norm) {
        x = test::random_tensor({s.batch, s.channels, s.in_size, s.in_size}, 1, at::kDouble);
        z = norm.apply(x).requires_grad_(true);
        weight = test::random_tensor({s.channels, 1, s.kernel, s.kernel}, 2, at::kDouble).requires_grad_(true);
        const at::Tensor large = at::upsample_nearest2d(test::plain_curve(f, z), {s.size, s.size});
        y = at::conv2d(large, weight, {}, 1, s.kernel / 2, 1, s.channels);
    }
};

struct Result {
    at::Tensor y, mean, variance, d_z, d_weight;
    std::vector<double> sum, product;
};

struct Case {
    DepthwiseShape shape;
    Rectifier f;
    test::AnyNorm norm{shape.channels, 10}, out_norm{shape.channels, 20};
    Plain plain{shape, f, norm};
    at::Tensor d_gated = test::random_tensor({shape.batch, shape.channels, shape.size, shape.size}, 3, at::kDouble);
    at::Tensor gate = test::random_tensor({shape.batch, shape.channels}, 4);
    at::Tensor d_mean = test::random_tensor({shape.batch, shape.channels}, 5);
    ChannelNormGradient through{std::vector<float>(static_cast<std::size_t>(shape.channels), 0.7f),
                                std::vector<float>(static_cast<std::size_t>(shape.channels), -0.3f),
                                std::vector<float>(static_cast<std::size_t>(shape.channels), 0.2f)};

    [[nodiscard]] Result run(int threads) const {
        at::set_num_threads(threads);
        const Depthwise depthwise(shape);
        const at::Tensor x = test::to_rows(plain.x), weight = plain.weight.detach().to(at::kFloat);
        const at::Tensor rows = test::to_rows(d_gated);
        const NormedInput input{in(x), norm.view(), f};
        BatchStatistics statistics(depthwise.rows_of_blocks(), shape.channels);
        Result run{at::full({rows.size(0), shape.channels}, 7, at::kFloat),
                   at::empty({shape.channels}),
                   at::empty({shape.channels}),
                   at::full_like(x, 7),
                   at::full_like(weight, 7),
                   {},
                   {}};
        depthwise.forward(input, in(weight), out(run.y), &statistics);
        statistics.finish(out(run.mean), out(run.variance));
        BlockSums sums(depthwise.blocks(), 2, shape.channels);
        depthwise.backward(input, in(weight),
                           {.y = in(run.y),
                            .norm = out_norm.view(),
                            .through_norm = through,
                            .f = f,
                            .d_gated = in(rows),
                            .gate = in(gate),
                            .d_mean = in(d_mean)},
                           out(run.d_z), out(run.d_weight), sums);
        run.sum = sums.total(0);
        run.product = sums.total(1);
        at::set_num_threads(1);
        return run;
    }

    /// The gradient of y by plain operators.
    [[nodiscard]] at::Tensor d_y() const {
        const auto per_picture = [&](const at::Tensor& t) {
            return t.to(at::kDouble).view({shape.batch, shape.channels, 1, 1});
        };
        const at::Tensor y = plain.y.detach();
        const at::Tensor z = out_norm.apply(y).requires_grad_(true);
        test::plain_curve(f, z).backward(d_gated * per_picture(gate) + per_picture(d_mean));
        return 0.7f * z.grad().to(at::kDouble) - static_cast<double>(0.3f) * y + static_cast<double>(0.2f);
    }
};

TEST(Depthwise, ForwardAndGradientsEqualPlainOperatorsInDouble) {
    for (const DepthwiseShape& shape : shapes) {
        for (const Rectifier f : {Rectifier::relu, Rectifier::relu6, Rectifier::swish}) {
            SCOPED_TRACE(testing::Message() << shape.channels << " channels, " << shape.in_size << " to " << shape.size
                                            << ", kernel " << shape.kernel << ", f " << static_cast<int>(f));
            const Case c{shape, f};
            const Result run = c.run(1);
            EXPECT_CLOSE_WITHIN(run.y, test::to_rows(c.plain.y), 1e-5);
            EXPECT_CLOSE_WITHIN(run.mean, c.plain.y.mean({0, 2, 3}), 1e-4);
            EXPECT_CLOSE_WITHIN(run.variance, c.plain.y.var({0, 2, 3}, false), 1e-4);
            c.plain.y.backward(c.d_y());
            const at::Tensor d_z = c.plain.z.grad();
            EXPECT_CLOSE_WITHIN(run.d_z, test::to_rows(d_z), 1e-4);
            EXPECT_CLOSE_WITHIN(run.d_weight, c.plain.weight.grad(), 1e-4);
            const at::Tensor from_mean = c.plain.x - c.norm.mean.to(at::kDouble).view({1, -1, 1, 1});
            EXPECT_CLOSE_WITHIN(at::tensor(run.sum), d_z.sum({0, 2, 3}), 1e-4);
            EXPECT_CLOSE_WITHIN(at::tensor(run.product), (d_z * from_mean).sum({0, 2, 3}), 1e-4);
        }
    }
}

TEST(Depthwise, DoesNotDependOnThreads) {
    for (const DepthwiseShape& shape : {DepthwiseShape{2, 40, 7, 14, 5}, {1, 33, 40, 80, 3}}) {
        const Case c{shape, Rectifier::swish};
        const Result one = c.run(1);
        for (const int threads : {2, 5}) {
            const Result more = c.run(threads);
            EXPECT_TRUE(at::equal(one.y, more.y));
            EXPECT_TRUE(at::equal(one.variance, more.variance));
            EXPECT_TRUE(at::equal(one.d_z, more.d_z));
            EXPECT_TRUE(at::equal(one.d_weight, more.d_weight));
            EXPECT_EQ(one.product, more.product);
        }
    }
}

}  // namespace
}  // namespace ltad
