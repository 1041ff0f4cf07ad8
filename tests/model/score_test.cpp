#include "ltad/model/score.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "ltad/model/jitter.h"
#include "support/golden.h"

namespace ltad {
namespace {

TEST(Score, TokensAgreeWithTheFormulas) {
    const ReconstructionConfig config = {.hidden_dim = 8,
                                         .heads = 2,
                                         .encoder_layers = 1,
                                         .decoder_layers = 1,
                                         .feedforward_dim = 12,
                                         .dropout = 0.5,
                                         .neighbor_size = 3};
    Parameters parameters(1, at::kCPU), head_parameters(2, at::kCPU);
    const Reconstruction reconstruction(config, 5, 4, parameters);
    SemanticHead head({}, {2, 3}, 6, 1, head_parameters);
    head.set_texts(test::random_tensor({2, 6}, 1), test::random_tensor({2, 6}, 2));
    const at::Tensor tokens = test::random_tensor({3, 16, 5}, 3);
    const at::Tensor classes = at::tensor({1, 0, 1}, at::kLong);
    const TokenScores scores = score_tokens(reconstruction, head, tokens, classes);
    ASSERT_EQ(scores.reconstruction.sizes().vec(), (std::vector<std::int64_t>{3, 16}));
    EXPECT_FALSE(scores.reconstruction.requires_grad() || scores.semantic.requires_grad());

    const auto rebuilt = test::values_of(reconstruction.forward(tokens, false)), real = test::values_of(tokens);
    const auto logits = test::values_of(head.logits(tokens, classes));
    const auto first = test::values_of(scores.reconstruction), second = test::values_of(scores.semantic);
    for (std::size_t n = 0; n < 48; ++n) {
        double square = 0;
        for (std::size_t c = 0; c < 5; ++c) square += std::pow(rebuilt[n * 5 + c] - real[n * 5 + c], 2);
        EXPECT_NEAR(first[n], square, 1e-4 * square);
        EXPECT_NEAR(second[n], 1 / (1 + std::exp(-logits[n])), 1e-6);
    }
}

TEST(Score, MapsMatchTheReferences) {
    // UniAD's map is the root of the squared distance, upsampled.
    const Weights expected = load_weights(test::golden_path("uniad_tiny/expected.safetensors"));
    const at::Tensor difference = to_tokens(expected.at("feature_rec")) - to_tokens(expected.at("feature_align"));
    EXPECT_CLOSE(anomaly_maps(difference.square().sum(2).sqrt(), 96), expected.at("pred").squeeze(1));
}

TEST(Score, MapsAreBilinearWithCornersAligned) {
    const at::Tensor scores = test::random_tensor({2, 25}, 1, at::kDouble);
    const at::Tensor maps = anomaly_maps(scores, 13);
    ASSERT_EQ(maps.sizes().vec(), (std::vector<std::int64_t>{2, 13, 13}));
    const auto grid = scores.view({2, 5, 5});
    const auto s = grid.accessor<double, 3>();
    const auto m = maps.accessor<double, 3>();
    for (int b = 0; b < 2; ++b)
        for (int y = 0; y < 13; ++y)
            for (int x = 0; x < 13; ++x) {
                const double row = y / 3.0, column = x / 3.0;  // (5 − 1) / (13 − 1)
                const int top = std::min(3, static_cast<int>(row)), left = std::min(3, static_cast<int>(column));
                const double v = row - top, u = column - left;
                const double value = (1 - v) * ((1 - u) * s[b][top][left] + u * s[b][top][left + 1]) +
                                     v * ((1 - u) * s[b][top + 1][left] + u * s[b][top + 1][left + 1]);
                EXPECT_NEAR(m[b][y][x], value, 1e-12);
            }
    for (const std::int64_t size : {5, 14, 224}) {
        const at::Tensor large = anomaly_maps(scores, size);
        for (const auto& [y, x] : {std::pair(0, 0), {0, 4}, {4, 0}, {4, 4}})
            EXPECT_EQ(large[1][y == 0 ? 0 : size - 1][x == 0 ? 0 : size - 1].item<double>(), s[1][y][x]) << size;
    }
}

TEST(Score, MapsOfMiddlesAreBilinearBetweenThem) {
    const at::Tensor scores = test::random_tensor({1, 25}, 1, at::kDouble);
    const at::Tensor maps = anomaly_maps(scores, 15, TokenPlaces::middles);
    const auto grid = scores.view({5, 5});
    const auto s = grid.accessor<double, 2>();
    const auto m = maps.accessor<double, 3>();
    for (int y = 0; y < 15; ++y)
        for (int x = 0; x < 15; ++x) {
            // Three pixels a token; beyond the outer middles the outer tokens' own.
            const double row = std::clamp((y - 1) / 3.0, 0.0, 4.0), column = std::clamp((x - 1) / 3.0, 0.0, 4.0);
            const int top = std::min(3, static_cast<int>(row)), left = std::min(3, static_cast<int>(column));
            const double v = row - top, u = column - left;
            const double value = (1 - v) * ((1 - u) * s[top][left] + u * s[top][left + 1]) +
                                 v * ((1 - u) * s[top + 1][left] + u * s[top + 1][left + 1]);
            EXPECT_NEAR(m[0][y][x], value, 1e-12);
        }
}

TEST(Score, ImageScoresAreTheMaximumOfASlidingMean) {
    const at::Tensor maps = test::random_tensor({3, 9, 9}, 1, at::kDouble);
    const auto m = maps.accessor<double, 3>();
    for (const int side : {1, 2, 4, 9}) {
        const auto scores = test::values_of(image_scores(maps, side));
        ASSERT_EQ(scores.size(), 3u);
        for (int b = 0; b < 3; ++b) {
            double best = -1e9;
            for (int y = 0; y + side <= 9; ++y)
                for (int x = 0; x + side <= 9; ++x) {
                    double sum = 0;
                    for (int i = 0; i < side; ++i)
                        for (int j = 0; j < side; ++j) sum += m[b][y + i][x + j];
                    best = std::max(best, sum / (side * side));
                }
            EXPECT_NEAR(scores[static_cast<std::size_t>(b)], best, 1e-12) << side;
        }
    }
}

TEST(Score, SmoothingIsAGaussianMirroredAtTheEdges) {
    constexpr int side = 9;
    const at::Tensor maps = test::random_tensor({2, side, side}, 1, at::kDouble);
    const auto m = maps.accessor<double, 3>();
    for (const double deviation : {0.7, 1.5, 4.0}) {  // 4: wider than the map
        const at::Tensor got = smooth_maps(maps, deviation);
        const int radius = static_cast<int>(std::lround(4 * deviation));
        const auto mirrored = [](int i) {
            i = ((i % (2 * side)) + 2 * side) % (2 * side);
            return i < side ? i : 2 * side - 1 - i;
        };
        for (int y = 0; y < side; y += 4)
            for (int x = 0; x < side; x += 3) {
                double sum = 0, weights = 0;
                for (int i = -radius; i <= radius; ++i)
                    for (int j = -radius; j <= radius; ++j) {
                        const double weight = std::exp(-0.5 * (i * i + j * j) / (deviation * deviation));
                        sum += weight * m[1][mirrored(y + i)][mirrored(x + j)];
                        weights += weight;
                    }
                EXPECT_NEAR(got[1][y][x].item<double>(), sum / weights, 1e-12) << deviation << ' ' << y << ' ' << x;
            }
    }
    EXPECT_TRUE(at::equal(smooth_maps(maps, 0), maps));
    // scipy.ndimage.gaussian_filter([[0, 0, 1], [0, 0, 0], [2, 0, 0]], 0.8)
    const at::Tensor few = at::tensor({0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0}, at::kDouble).view({1, 3, 3});
    const std::vector<double> scipy = {0.0497080404, 0.1933134544, 0.5295492755, 0.3695179450, 0.1878316925,
                                       0.1933134544, 1.0575401524, 0.3695179450, 0.0497080404};
    const auto got = test::values_of(smooth_maps(few, 0.8));
    for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(got[i], scipy[i], 1e-8) << i;
}

}  // namespace
}  // namespace ltad
