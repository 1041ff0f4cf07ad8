#include "ltad/kernels/train_gate.h"

#include "train_maps.h"

namespace ltad {
namespace {

using test::in;
using test::out;

/// f(norm(x)) ∘ gate, times a weight, with norm the batch's own.
struct Case {
    std::int64_t batch, channels, n, size;
    Rectifier f;
    at::Tensor x = test::random_tensor({batch, channels, size, size}, 1, at::kDouble).requires_grad_(true);
    at::Tensor gamma = (test::random_tensor({channels}, 2, at::kDouble) + 1).requires_grad_(true);
    at::Tensor beta = test::random_tensor({channels}, 3, at::kDouble).requires_grad_(true);
    at::Tensor gate = test::random_tensor({batch, channels}, 4).to(at::kDouble).requires_grad_(true);
    at::Tensor weight = test::random_tensor({n, channels}, 5).to(at::kDouble).requires_grad_(true);
    at::Tensor d_y = test::random_tensor({batch * size * size, n}, 6);
    at::Tensor d_mean = test::random_tensor({batch, channels}, 7);
    at::Tensor a = test::plain_curve(f, at::batch_norm(x, gamma, beta, {}, {}, true, 0, 1e-3, false));

    at::Tensor rows = test::to_rows(x), gates = gate.detach().to(at::kFloat), weights = weight.detach().to(at::kFloat);
    at::Tensor mean = x.detach().mean({0, 2, 3}), inverse = (x.detach().var({0, 2, 3}, false) + 1e-3).rsqrt();
    at::Tensor scale = gamma.detach() * inverse;
    at::Tensor norm = at::stack({mean, inverse, scale, beta.detach() - scale* mean}).to(at::kFloat);

    [[nodiscard]] NormedInput input() const {
        const float* const first = in(norm);
        return {in(rows), {first, first + channels, first + 2 * channels, first + 3 * channels}, f};
    }
    [[nodiscard]] std::int64_t pixels() const { return size * size; }
    /// [batch · pixels, n].
    [[nodiscard]] at::Tensor plain() const {
        const at::Tensor gated = a * gate.view({batch, channels, 1, 1});
        return at::matmul(gated.permute({0, 2, 3, 1}).reshape({-1, channels}), weight.t());
    }
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const Rectifier f : {Rectifier::relu, Rectifier::relu6, Rectifier::swish}) {
        all.push_back({2, 5, 3, 1, f});
        all.push_back({3, 40, 16, 7, f});
        all.push_back({1, 150, 70, 12, f});  // more rows than a block has, and two tiles
    }
    return all;
}

TEST(Gate, MeansAndProductEqualPlainOperatorsInDouble) {
    for (const Case& c : cases()) {
        const at::Tensor means = at::empty({c.batch, c.channels});
        mean_of_maps(c.input(), c.batch, c.pixels(), c.channels, out(means));
        EXPECT_CLOSE_WITHIN(means, c.a.mean({2, 3}), 1e-5);

        const MapBlocks blocks(c.batch, c.pixels(), 50);
        BatchStatistics statistics(blocks.all_rows(), c.n);
        const at::Tensor y = at::empty({c.batch * c.pixels(), c.n}), mean = at::empty({c.n}),
                         variance = at::empty({c.n});
        gated_product(c.input(), in(c.gates), Panels::transposed(in(c.weights), c.n, c.channels), blocks, out(y),
                      &statistics);
        statistics.finish(out(mean), out(variance));
        EXPECT_CLOSE_WITHIN(y, c.plain(), 1e-5);
        EXPECT_CLOSE_WITHIN(mean, c.plain().mean(0), 1e-5);
        EXPECT_CLOSE_WITHIN(variance, c.plain().var(0, false), 1e-5);
    }
}

struct Gradients {
    at::Tensor d_gated, d_weight, d_gate, d_gamma, d_beta;
    ChannelNormGradient through;
};

Gradients gradients(const Case& c, int threads) {
    at::set_num_threads(threads);
    const MapBlocks blocks(c.batch, c.pixels(), 50);
    BlockSums sums(blocks.count(), gate_sum_kinds, c.channels);
    Gradients g{at::full_like(c.rows, 7),    at::full_like(c.weights, 7), at::full_like(c.gates, 7),
                at::full({c.channels}, 7.f), at::full({c.channels}, 7.f), {}};
    gated_product_backward(c.input(), in(c.gates), in(c.weights), c.n, c.channels, blocks, in(c.d_y), out(g.d_gated),
                           out(g.d_weight), sums);
    gate_gradient(sums, blocks, c.batch, c.channels, out(g.d_gate));
    g.through = gated_norm_gradient(c.input().norm, sums, blocks, c.batch, c.batch * c.pixels(), c.channels,
                                    in(c.gates), in(c.d_mean), out(g.d_gamma), out(g.d_beta));
    at::set_num_threads(1);
    return g;
}

TEST(Gate, GradientsEqualPlainOperatorsInDouble) {
    for (const Case& c : cases()) {
        SCOPED_TRACE(testing::Message() << c.channels << " channels, f " << static_cast<int>(c.f));
        const Gradients g = gradients(c, 1);
        const at::Tensor mean_part = (c.a * c.d_mean.to(at::kDouble).view({c.batch, c.channels, 1, 1})).sum();
        ((c.plain() * c.d_y).sum() + mean_part).backward();
        EXPECT_CLOSE_WITHIN(g.d_gated, at::matmul(c.d_y.to(at::kDouble), c.weight), 1e-5);
        EXPECT_CLOSE_WITHIN(g.d_weight, c.weight.grad(), 1e-5);
        EXPECT_CLOSE_WITHIN(g.d_gate, c.gate.grad(), 1e-4);
        EXPECT_CLOSE_WITHIN(g.d_gamma, c.gamma.grad(), 1e-4);
        EXPECT_CLOSE_WITHIN(g.d_beta, c.beta.grad(), 1e-4);

        // The gradient of x: scale d_z + slope x + offset.
        const at::Tensor z = (c.rows * c.norm[2] + c.norm[3]).to(at::kDouble).requires_grad_(true);
        const auto each_pixel = [&](const at::Tensor& t) { return t.to(at::kDouble).repeat_interleave(c.pixels(), 0); };
        test::plain_curve(c.f, z).backward(g.d_gated.to(at::kDouble) * each_pixel(c.gates) + each_pixel(c.d_mean));
        const at::Tensor d_x = z.grad() * at::tensor(g.through.scale) + c.rows * at::tensor(g.through.slope) +
                               at::tensor(g.through.offset);
        // With one pixel and two pictures x̂ is ±1 whatever x, and what is left of the gradient is rounding.
        if (c.size > 1) {
            EXPECT_CLOSE_WITHIN(d_x, test::to_rows(c.x.grad()), 1e-4);
        }
    }
}

TEST(Gate, DoesNotDependOnThreads) {
    const Case c{2, 300, 70, 12, Rectifier::swish};
    const Gradients one = gradients(c, 1);
    for (const int threads : {2, 5}) {
        const Gradients more = gradients(c, threads);
        EXPECT_TRUE(at::equal(one.d_gated, more.d_gated));
        EXPECT_TRUE(at::equal(one.d_weight, more.d_weight));
        EXPECT_TRUE(at::equal(one.d_gate, more.d_gate));
        EXPECT_EQ(one.through.slope, more.through.slope);
    }
}

}  // namespace
}  // namespace ltad
