#include "ltad/model/jitter.h"

#include <cmath>

#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad {
namespace {

const Phase2Config token = {.jitter = 20, .jitter_scale = "token"};
const Phase2Config channel = {.jitter = 20, .jitter_scale = "channel"};

TEST(Jitter, AgreesWithPlainLoops) {
    const at::Tensor tokens = test::random_tensor({2, 3, 7}, 1, at::kDouble);
    const at::Tensor noise = test::random_tensor({2, 3, 7}, 2, at::kDouble);
    const at::Tensor deviation = test::random_tensor({7}, 3, at::kDouble).abs();
    const at::Tensor by_token = jitter(token, tokens, noise, {});
    const at::Tensor by_channel = jitter(channel, tokens, noise, deviation);
    const auto p = tokens.accessor<double, 3>(), e = noise.accessor<double, 3>();
    const auto got_token = by_token.accessor<double, 3>(), got_channel = by_channel.accessor<double, 3>();
    const auto sigma = deviation.accessor<double, 1>();
    for (int b = 0; b < 2; ++b)
        for (int n = 0; n < 3; ++n) {
            double norm = 0;
            for (int c = 0; c < 7; ++c) norm += p[b][n][c] * p[b][n][c];
            norm = std::sqrt(norm);
            for (int c = 0; c < 7; ++c) {
                EXPECT_NEAR(got_token[b][n][c], p[b][n][c] + e[b][n][c] * norm / 7 * 20, 1e-12);
                EXPECT_NEAR(got_channel[b][n][c], p[b][n][c] + e[b][n][c] * sigma[c] * 20 / std::sqrt(7.0), 1e-12);
            }
        }
}

TEST(Jitter, HasTheStrengthItSays) {
    const std::int64_t channels = 64;
    const at::Tensor tokens = test::random_tensor({4, 200, channels}, 4, at::kDouble);
    const at::Tensor noise = test::random_tensor({4, 200, channels}, 5, at::kDouble);
    // Relative to the token, the shift has length α / √C on average, for tokens of any length.
    for (const double length : {1.0, 50.0}) {
        const at::Tensor shift = jitter(token, tokens * length, noise, {}) - tokens * length;
        const at::Tensor relative = shift.norm(2, {2}) / (tokens * length).norm(2, {2});
        EXPECT_NEAR(relative.mean().item<double>(), 20 / std::sqrt(64.0), 0.03);
        EXPECT_NEAR(shift.mean().item<double>() / length, 0, 0.05);
    }
    // Where all channels have deviation 1, both scales are equally strong.
    const at::Tensor ones = at::ones({channels}, at::kDouble);
    const double by_token = (jitter(token, tokens, noise, {}) - tokens).norm().item<double>();
    const double by_channel = (jitter(channel, tokens, noise, ones) - tokens).norm().item<double>();
    EXPECT_NEAR(by_token / by_channel, 1, 0.01);
    // And each channel is shifted in proportion to its own.
    const at::Tensor deviation = at::linspace(0, 3, channels, at::kDouble);
    const auto shifts = test::values_of((jitter(channel, tokens, noise, deviation) - tokens).flatten(0, 1).std(0));
    for (std::size_t c = 0; c < shifts.size(); ++c)
        EXPECT_NEAR(shifts[c], static_cast<double>(c) * 3 / 63 * 2.5, 0.5) << c;
    EXPECT_EQ(shifts[0], 0);
}

TEST(Jitter, ZeroStrengthAndZeroTokensStay) {
    const at::Tensor tokens = test::random_tensor({1, 2, 3}, 1);
    const at::Tensor noise = test::random_tensor({1, 2, 3}, 2);
    EXPECT_TRUE(at::equal(jitter({.jitter = 0, .jitter_scale = "token"}, tokens, noise, {}), tokens));
    EXPECT_TRUE(at::equal(jitter(token, at::zeros_like(tokens), noise, {}), at::zeros_like(tokens)));
}

TEST(ToTokens, OrdersRowByRow) {
    const at::Tensor maps = test::random_tensor({2, 3, 4, 4}, 1);
    const at::Tensor tokens = to_tokens(maps);
    ASSERT_EQ(tokens.sizes().vec(), (std::vector<std::int64_t>{2, 16, 3}));
    EXPECT_TRUE(tokens.is_contiguous());
    for (std::int64_t y = 0; y < 4; ++y)
        for (std::int64_t x = 0; x < 4; ++x)
            EXPECT_TRUE(at::equal(tokens[1][y * 4 + x], maps.select(0, 1).select(2, x).select(1, y)));
}

}  // namespace
}  // namespace ltad
