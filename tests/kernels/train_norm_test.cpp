#include "ltad/kernels/train_norm.h"

#include "support/golden.h"

namespace ltad {
namespace {

const float* in(const at::Tensor& t) { return t.const_data_ptr<float>(); }
float* out(const at::Tensor& t) { return t.mutable_data_ptr<float>(); }

TEST(MapBlocks, CoverEveryRowOnceAndKeepToOnePicture) {
    for (const std::int64_t pixels : {1, 4, 49, 127, 128, 129, 196, 1000}) {
        const MapBlocks blocks(3, pixels, 128);
        std::int64_t next = 0;
        for (std::int64_t block = 0; block < blocks.count(); ++block) {
            EXPECT_EQ(blocks.first(block), next);
            EXPECT_GT(blocks.rows(block), 0);
            EXPECT_LE(blocks.rows(block), 128);
            EXPECT_EQ(blocks.first(block) / pixels, blocks.picture(block));
            EXPECT_EQ((blocks.first(block) + blocks.rows(block) - 1) / pixels, blocks.picture(block));
            next += blocks.rows(block);
        }
        EXPECT_EQ(next, 3 * pixels);
        EXPECT_EQ(static_cast<std::int64_t>(blocks.all_rows().size()), blocks.count());
    }
}

TEST(BatchStatistics, EqualThoseOfTheWholeEvenFarFromZero) {
    for (const std::int64_t channels : {1, 16, 35, 150}) {
        at::Tensor x = test::random_tensor({3 * 140, channels}, 1) + 1000;
        const MapBlocks blocks(3, 140, 64);
        BatchStatistics statistics(blocks.all_rows(), channels);
        for (std::int64_t block = 0; block < blocks.count(); ++block) {
            const float* const row = in(x) + blocks.first(block) * channels;
            const std::int64_t half = channels / 2;  // in two parts, as strips come
            statistics.add(block, row, channels, 0, half);
            statistics.add(block, row + half, channels, half, channels - half);
        }
        const at::Tensor mean = at::empty({channels}), variance = at::empty({channels});
        statistics.finish(out(mean), out(variance));
        const at::Tensor whole = x.to(at::kDouble);
        EXPECT_CLOSE_WITHIN(mean, whole.mean(0), 1e-6);
        EXPECT_CLOSE_WITHIN(variance, whole.var(0, false), 1e-4);
    }
}

/// A norm with the batch's statistics, made by plain operators.
struct Norm {
    at::Tensor mean, inverse, scale, shift;

    Norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta, double eps) {
        const at::Tensor wide = x.to(at::kDouble);
        const at::Tensor center = wide.mean(0);
        const at::Tensor over = (wide.var(0, false) + eps).rsqrt();
        mean = center.to(at::kFloat);
        inverse = over.to(at::kFloat);
        scale = (gamma * over).to(at::kFloat);
        shift = (beta - gamma * over * center).to(at::kFloat);
    }
    [[nodiscard]] ChannelNorm view() const { return {in(mean), in(inverse), in(scale), in(shift)}; }
};

TEST(ChannelNorm, ForwardAndGradientEqualBatchNormInDouble) {
    for (const std::int64_t channels : {3, 16, 37}) {
        const std::int64_t batch = 3, pixels = 130, rows = batch * pixels;
        const at::Tensor x = test::random_tensor({rows, channels}, 1) * 2 + 3;
        const at::Tensor gamma = test::random_tensor({channels}, 2), beta = test::random_tensor({channels}, 3);
        const at::Tensor added = test::random_tensor({rows, channels}, 4),
                         d_z = test::random_tensor({rows, channels}, 5);
        const at::Tensor wide_x = x.to(at::kDouble).requires_grad_(true),
                         wide_gamma = gamma.to(at::kDouble).requires_grad_(true),
                         wide_beta = beta.to(at::kDouble).requires_grad_(true);
        const at::Tensor z = at::batch_norm(wide_x, wide_gamma, wide_beta, {}, {}, true, 0, 1e-3, false);
        z.backward(d_z.to(at::kDouble));

        const Norm norm(x, gamma, beta, 1e-3);
        const at::Tensor y = at::empty_like(x);
        normalize_rows(in(x), rows, channels, norm.view(), nullptr, out(y));
        EXPECT_CLOSE_WITHIN(y, z, 1e-5);
        normalize_rows(in(x), rows, channels, norm.view(), in(added), out(y));
        EXPECT_CLOSE_WITHIN(y, z + added, 1e-5);

        const MapBlocks blocks(batch, pixels, 50);
        BlockSums sums(blocks.count(), 2, channels);
        sum_norm_gradient(blocks, channels, in(d_z), in(x), norm.view(), sums);
        const at::Tensor d_gamma = at::empty_like(gamma), d_beta = at::empty_like(beta), d_x = d_z.clone();
        const ChannelNormGradient gradient =
            norm_gradient(norm.view(), rows, sums.total(0), sums.total(1), out(d_gamma), out(d_beta));
        apply_norm_gradient(gradient, in(d_x), in(x), rows, channels, out(d_x));
        EXPECT_CLOSE_WITHIN(d_x, wide_x.grad(), 1e-5);
        EXPECT_CLOSE_WITHIN(d_gamma, wide_gamma.grad(), 1e-5);
        EXPECT_CLOSE_WITHIN(d_beta, wide_beta.grad(), 1e-5);
    }
}

TEST(BlockSums, AddBlocksOfOneKind) {
    BlockSums sums(3, 2, 4);
    for (std::int64_t block = 0; block < 3; ++block)
        for (std::int64_t kind = 0; kind < 2; ++kind)
            for (std::int64_t c = 0; c < 4; ++c)
                sums.part(block, kind)[c] = static_cast<float>(100 * block + 10 * kind + c);
    EXPECT_EQ(sums.total(1), (std::vector<double>{330, 333, 336, 339}));
    EXPECT_EQ(sums.total(0, 1, 1), (std::vector<double>{100, 101, 102, 103}));
}

}  // namespace
}  // namespace ltad
