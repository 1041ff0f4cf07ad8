#include "ltad/model/feature_vae.h"

#include <cmath>

#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/golden.h"
#include "support/gradient_check.h"

namespace ltad {
namespace {

TEST(Posterior, SampleIsMeanPlusDeviationTimesNoise) {
    const Posterior posterior = {test::random_tensor({2, 3}, 1, at::kDouble),
                                 test::random_tensor({2, 3}, 2, at::kDouble)};
    const at::Tensor noise = test::random_tensor({2, 3}, 3, at::kDouble);
    const auto got = test::values_of(posterior.sample(noise));
    const auto mean = test::values_of(posterior.mean), log_variance = test::values_of(posterior.log_variance),
               e = test::values_of(noise);
    for (std::size_t i = 0; i < 6; ++i)
        EXPECT_NEAR(got[i], mean[i] + std::sqrt(std::exp(log_variance[i])) * e[i], 1e-12);
}

TEST(Posterior, KlIsTheIntegralOverTheDensity) {
    const std::vector<std::pair<double, double>> gaussians = {{0, 1}, {1.5, 1}, {0, 0.4}, {-0.7, 2}};
    double sum = 0;
    std::vector<double> means, log_variances;
    for (const auto& [mean, deviation] : gaussians) {
        means.push_back(mean);
        log_variances.push_back(2 * std::log(deviation));
        // ∫ q log(q / p), by the midpoint rule.
        double integral = 0;
        const double step = 1e-3;
        for (double z = -10; z < 10; z += step) {
            const double x = mean + deviation * (z + step / 2);
            const double log_q = -0.5 * std::pow((x - mean) / deviation, 2) - std::log(deviation);
            const double log_p = -0.5 * x * x;
            integral += std::exp(log_q) * (log_q - log_p) / std::sqrt(2 * 3.14159265358979) * deviation * step;
        }
        sum += integral;
        const Posterior one = {at::full({1, 1}, mean, at::kDouble),
                               at::full({1, 1}, 2 * std::log(deviation), at::kDouble)};
        EXPECT_NEAR(one.kl().item<double>(), integral, 1e-9) << mean << ' ' << deviation;
    }
    const Posterior all = {at::tensor(means, at::kDouble).view({2, 2}),
                           at::tensor(log_variances, at::kDouble).view({2, 2})};
    EXPECT_NEAR(all.kl().item<double>(), sum / 4, 1e-9);  // averaged over dimensions and batch
}

TEST(Posterior, GradientsAreRightInDouble) {
    const at::Tensor mean = test::random_tensor({3, 4}, 1, at::kDouble).requires_grad_(true);
    const at::Tensor log_variance = test::random_tensor({3, 4}, 2, at::kDouble).requires_grad_(true);
    const at::Tensor noise = test::random_tensor({3, 4}, 3, at::kDouble);
    const Posterior posterior = {mean, log_variance};
    test::check_gradients([&] { return posterior.kl(); }, {{"mean", mean}, {"log_variance", log_variance}}, 12);
    test::check_gradients([&] { return posterior.sample(noise).pow(3).sum(); },
                          {{"mean", mean}, {"log_variance", log_variance}}, 12);
}

TEST(TapLoss, IsTheMeanOverTapsOfTheElementMeans) {
    const std::vector<std::int64_t> channels = {1, 3, 2};
    const at::Tensor predicted = test::random_tensor({2, 6, 3, 3}, 1, at::kDouble).requires_grad_(true);
    const at::Tensor real = test::random_tensor({2, 6, 3, 3}, 2, at::kDouble);
    const auto p = test::values_of(predicted), r = test::values_of(real);
    double expected = 0;
    std::size_t first = 0;
    for (const std::int64_t count : channels) {
        double sum = 0;
        for (std::size_t b = 0; b < 2; ++b)
            for (std::size_t i = first * 9; i < (first + static_cast<std::size_t>(count)) * 9; ++i)
                sum += std::pow(p[b * 54 + i] - r[b * 54 + i], 2);
        expected += sum / static_cast<double>(2 * count * 9) / 3;
        first += static_cast<std::size_t>(count);
    }
    EXPECT_NEAR(tap_loss(predicted, real, channels).item<double>(), expected, 1e-12);
    test::check_gradients([&] { return tap_loss(predicted, real, channels); }, {{"predicted", predicted}}, 20);
    for (std::int64_t tap = 0, at = 0; tap < 3; at += channels[static_cast<std::size_t>(tap++)]) {  // each term alone
        const at::Tensor one = real.clone();
        const std::int64_t count = channels[static_cast<std::size_t>(tap)];
        one.narrow(1, at, count).add_(1);
        EXPECT_NEAR(tap_loss(one, real, channels).item<double>(), 1.0 / 3, 1e-12) << tap;
    }
}

TEST(TapLoss, InFloatItEqualsDoubleInAnyLayoutAndWithAnyThreads) {
    const std::vector<std::int64_t> channels = {3, 20, 9};
    const at::Tensor predicted = test::random_tensor({3, 32, 7, 7}, 1), real = test::random_tensor({3, 32, 7, 7}, 2);
    const at::Tensor wide = predicted.to(at::kDouble).requires_grad_(true);
    const at::Tensor expected = tap_loss(wide, real.to(at::kDouble), channels);
    (3 * expected).backward();
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
        double first = 0;
        for (const int threads : {1, 2, 5}) {
            at::set_num_threads(threads);
            const at::Tensor leaf = predicted.contiguous(format).clone().requires_grad_(true);
            const at::Tensor loss = tap_loss(leaf, real, channels);
            (3 * loss).backward();
            at::set_num_threads(1);
            if (threads == 1) first = loss.item<double>();
            EXPECT_EQ(loss.item<double>(), first);
            EXPECT_NEAR(first, expected.item<double>(), 1e-6 * first);
            EXPECT_CLOSE_WITHIN(leaf.grad(), wide.grad(), 1e-6);
        }
    }
}

TEST(FeatureVae, EncodesStandardisedLatentsWithTwoLinearLayers) {
    EfficientNetConfig encoder =
        parse_efficientnet_config(read_json(test::golden_path("align_tiny/config.json"))["vision_config"], "tiny");
    const FeatureLayout layout = {.taps = {19, 21}, .channels = {48, 80}, .grid = 2, .latent = 80, .image_size = 64};
    Parameters parameters(1, at::kCPU, at::kDouble);
    FeatureVae vae({.seed_size = 2}, encoder, layout, 80, parameters);
    const at::Tensor z = test::random_tensor({2, 80}, 1, at::kDouble);
    const at::Tensor mean = test::random_tensor({80}, 5, at::kDouble);
    at::Tensor deviation = test::random_tensor({80}, 6, at::kDouble).abs() + 0.5;
    deviation[7] = 0;  // a dimension that never varies
    vae.start_at({.channel_mean = test::random_tensor({128}, 7),
                  .channel_deviation = test::random_tensor({128}, 8).abs(),
                  .latent_mean = mean,
                  .latent_deviation = deviation});
    at::Tensor standardised = (z - mean) / deviation;
    standardised.select(1, 7).zero_();
    // At the start μ is the standardised z, and σ² = 0.1.
    EXPECT_CLOSE(vae.encode(z).mean, standardised);
    EXPECT_CLOSE(vae.encode(z).log_variance, at::full({2, 80}, std::log(0.1), at::kDouble));
    Weights weights = parameters.all();
    for (const char* name : {"mean", "log_variance"}) {
        weights.at(text(name, ".bias")).detach().copy_(test::random_tensor({80}, 2));
        weights.at(text(name, ".weight"))
            .detach()
            .copy_(test::random_tensor({80, 80}, 3) * (name[0] == 'm' ? 0.1 : 0.05));
    }
    const Posterior posterior = vae.encode(z);
    for (const auto& [name, got] : {std::pair("mean", posterior.mean), {"log_variance", posterior.log_variance}}) {
        const auto w = test::values_of(weights.at(text(name, ".weight"))),
                   b = test::values_of(weights.at(text(name, ".bias")));
        const auto in = test::values_of(standardised[1] / std::sqrt(80.0)), out = test::values_of(got[1]);
        for (std::size_t o = 0; o < 80; ++o) {
            double expected = b[o];
            for (std::size_t i = 0; i < 80; ++i) expected += w[o * 80 + i] * in[i];
            EXPECT_NEAR(out[o], expected, 1e-5 * std::max(1.0, std::abs(expected))) << name;
        }
    }
    EXPECT_EQ(vae.decoder().forward(z, z, false).sizes().vec(), (std::vector<std::int64_t>{2, 128, 2, 2}));
}

}  // namespace
}  // namespace ltad
