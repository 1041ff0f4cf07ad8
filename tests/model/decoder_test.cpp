#include "ltad/model/decoder.h"

#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/model/feature_vae.h"
#include "support/golden.h"
#include "support/gradient_check.h"

namespace ltad {
namespace {

constexpr std::int64_t text_dim = 6;

/// Seven stages, 8 blocks; at 64 pixels the blocks give maps of 32, 16, 16, 8, 4, 4, 2, 2.
EfficientNetConfig small_encoder() {
    EfficientNetConfig config;
    config.width_coefficient = 0.125;
    config.depth_coefficient = 1;
    config.depth_divisor = 4;
    config.num_block_repeats = {1, 2, 1, 1, 1, 1, 1};
    return config;
}

FeatureLayout layout_of(std::vector<std::int64_t> taps, std::int64_t grid = 4) {
    FeatureLayout layout = {.taps = std::move(taps), .channels = {}, .grid = grid, .latent = 40, .image_size = 64};
    const auto blocks = block_specs(small_encoder());
    for (const auto tap : layout.taps) layout.channels.push_back(blocks[static_cast<std::size_t>(tap)].out);
    return layout;
}

const std::vector<std::int64_t> auto_taps_of_small = {0, 2, 3, 5};

struct Net {
    FeatureLayout layout;
    Parameters parameters;
    Decoder decoder;

    explicit Net(const DecoderConfig& config, const FeatureLayout& l = layout_of(auto_taps_of_small),
                 at::ScalarType dtype = at::kFloat)
        : layout(l), parameters(1, at::kCPU, dtype), decoder(config, small_encoder(), layout, text_dim, parameters) {}

    [[nodiscard]] at::Tensor run(std::int64_t batch, bool training) const {
        const auto dtype = parameters.trained()[0].second.scalar_type();
        return decoder.forward(test::random_tensor({batch, 40}, 1, dtype),
                               test::random_tensor({batch, text_dim}, 2, dtype), training);
    }

    [[nodiscard]] Weights running() const {
        Weights found;
        for (const auto& [name, tensor] : parameters.all())
            if (name.find("running_") != std::string::npos) found[name] = tensor.clone();
        return found;
    }
};

std::vector<DecoderConfig> variants() {
    std::vector<DecoderConfig> all;
    for (const char* resolution : {"native", "grid"})
        for (const char* norm : {"batch", "group"})
            all.push_back({.resolution = resolution, .norm = norm, .norm_momentum = 0.1, .seed_size = 2});
    return all;
}

TEST(Decoder, GivesMapsInTheLayoutOfRealFeatures) {
    ASSERT_EQ(auto_taps(small_encoder()), auto_taps_of_small);
    for (const DecoderConfig& config : variants())
        for (const bool training : {true, false})
            for (const std::int64_t seed : {2, 7}) {
                DecoderConfig changed = config;
                changed.seed_size = seed;
                const at::Tensor maps = Net(changed).run(3, training);
                EXPECT_EQ(maps.sizes().vec(), (std::vector<std::int64_t>{3, 4 + 4 + 8 + 16, 4, 4}));
                EXPECT_TRUE(at::isfinite(maps).all().item<bool>());
            }
}

TEST(Decoder, OutputVariesOverTheMapAndWithBothInputs) {
    for (const DecoderConfig& config : variants()) {
        SCOPED_TRACE(config.resolution + ' ' + config.norm);
        const Net net(config);
        (void)net.run(8, true);
        const at::Tensor maps = net.run(2, false);
        for (std::int64_t tap = 0, first = 0; tap < 4; first += net.layout.channels[static_cast<std::size_t>(tap++)]) {
            const at::Tensor part = maps.narrow(1, first, net.layout.channels[static_cast<std::size_t>(tap)]);
            EXPECT_GT(part.flatten(2).std(2).mean().item<double>(), 0.02 * part.std().item<double>()) << "tap " << tap;
            EXPECT_GT(part.std().item<double>(), 1e-3) << "tap " << tap;
        }
        const at::Tensor z = test::random_tensor({1, 40}, 1), t = test::random_tensor({1, text_dim}, 2);
        const at::Tensor base = net.decoder.forward(z, t, false);
        EXPECT_GT((net.decoder.forward(z, -t, false) - base).abs().max().item<double>(), 1e-3);
        EXPECT_GT((net.decoder.forward(-z, t, false) - base).abs().max().item<double>(), 1e-3);
    }
}

TEST(Decoder, GradientsReachEveryParameter) {
    for (const DecoderConfig& config : variants()) {
        const Net net(config);
        const at::Tensor maps = net.run(8, true);
        tap_loss(maps, test::random_tensor(maps.sizes().vec(), 3), net.layout.channels).backward();
        for (const auto& [name, tensor] : net.parameters.trained()) {
            ASSERT_TRUE(tensor.grad().defined()) << name;
            // How small it may be rests on how the processor rounds: a norm follows that takes every shift out.
            EXPECT_NE(tensor.grad().abs().max().item<double>(), 0)
                << config.resolution << ' ' << config.norm << ' ' << name;
        }
    }
}

TEST(Decoder, GradientsAreRightInDouble) {
    for (const auto& [resolution, norm, training] :
         {std::tuple("native", "batch", true), {"grid", "batch", false}, {"native", "group", true}}) {
        SCOPED_TRACE(text(resolution, ' ', norm, training ? " training" : " eval"));
        const Net net({.resolution = resolution, .norm = norm, .seed_size = 2}, layout_of({4, 5}), at::kDouble);
        const at::Tensor z = test::random_tensor({3, 40}, 1, at::kDouble).requires_grad_(true);
        const at::Tensor t = test::random_tensor({3, text_dim}, 2, at::kDouble).requires_grad_(true);
        const at::Tensor real = test::random_tensor({3, 28, 4, 4}, 3, at::kDouble);
        auto inputs = net.parameters.trained();
        inputs.emplace_back("latent", z);
        inputs.emplace_back("text", t);
        // The whole reconstruction term, then each tap's alone.
        const auto whole = [&, &training = training] {
            return tap_loss(net.decoder.forward(z, t, training), real, net.layout.channels);
        };
        test::check_gradients(whole, inputs, 1, 1e-5, 1e-6);
        std::int64_t first = 0;
        for (const std::int64_t count : net.layout.channels) {
            const auto term = [&, &training = training] {
                const at::Tensor maps = net.decoder.forward(z, t, training);
                return tap_loss(maps.narrow(1, first, count), real.narrow(1, first, count), {count});
            };
            test::check_gradients(term, {{"latent", z}, {"text", t}}, 2, 1e-5, 1e-6);
            first += count;
        }
    }
}

TEST(Decoder, InFloatItTrainsLikeInDoubleWithAnyThreads) {
    for (const char* resolution : {"native", "grid"}) {
        const DecoderConfig config = {.resolution = resolution, .norm = "batch", .norm_momentum = 0.1, .seed_size = 2};
        const auto gradients = [&](at::ScalarType dtype, int threads) {
            at::set_num_threads(threads);
            const Net net(config, layout_of(auto_taps_of_small), dtype);
            const at::Tensor maps = net.run(5, true);
            maps.backward(test::random_tensor(maps.sizes().vec(), 3, dtype));
            at::set_num_threads(1);
            Weights found = net.running();
            found["maps"] = maps.detach();
            for (const auto& [name, tensor] : net.parameters.trained()) found[name] = tensor.grad();
            return found;
        };
        const Weights wide = gradients(at::kDouble, 1), one = gradients(at::kFloat, 1);
        for (const auto& [name, tensor] : wide) {
            if (tensor.abs().max().item<double>() > 1e-3) {  // else it vanishes but for rounding
                EXPECT_CLOSE_WITHIN(one.at(name), tensor, 1e-3) << name;
            }
        }
        for (const int threads : {2, 5})
            for (const auto& [name, tensor] : gradients(at::kFloat, threads))
                EXPECT_TRUE(at::equal(tensor, one.at(name))) << name << ' ' << threads;
    }
}

TEST(Decoder, EvalModeIsDeterministicAndIndependentOfTheBatch) {
    for (const DecoderConfig& config : variants()) {
        const Net net(config);
        (void)net.run(8, true);
        const at::Tensor z = test::random_tensor({5, 40}, 1), t = test::random_tensor({5, text_dim}, 2);
        const at::Tensor together = net.decoder.forward(z, t, false);
        EXPECT_TRUE(at::equal(together, net.decoder.forward(z, t, false)));
        for (std::int64_t i = 0; i < 5; ++i)
            EXPECT_CLOSE(net.decoder.forward(z.narrow(0, i, 1), t.narrow(0, i, 1), false), together.narrow(0, i, 1))
                << i;
    }
}

TEST(Decoder, RunningStatisticsMoveInTrainingOnly) {
    const Net net({.norm = "batch", .seed_size = 2});
    const Weights start = net.running();
    EXPECT_FALSE(start.empty());
    (void)net.run(4, false);
    for (const auto& [name, tensor] : net.running()) EXPECT_TRUE(at::equal(tensor, start.at(name))) << name;
    (void)net.run(4, true);
    for (const auto& [name, tensor] : net.running()) EXPECT_FALSE(at::equal(tensor, start.at(name))) << name;
    EXPECT_TRUE(Net({.norm = "group", .seed_size = 2}).running().empty());
}

TEST(Decoder, MomentumIsTheWeightOfTheNewestBatch) {
    const Net slow({.norm = "batch", .norm_momentum = 0.01, .seed_size = 2}),
        fast({.norm = "batch", .norm_momentum = 0.1, .seed_size = 2});
    (void)slow.run(4, true);
    (void)fast.run(4, true);
    for (const auto& [name, tensor] : slow.running()) {
        const double start = name.ends_with("var") ? 1 : 0;
        EXPECT_CLOSE_WITHIN((tensor - start) * 10, fast.running().at(name) - start, 1e-3) << name;
    }
}

TEST(Decoder, ConvergesToItsTrainingOutputInEvalMode) {
    // Norms that "work in eval mode": after some batches the running statistics stand for the batch's.
    const Net net({.norm = "batch", .norm_momentum = 0.3, .seed_size = 2});
    at::Tensor trained;
    // Many, so that the running (unbiased) variance is nearly the batch's (biased) one on the smallest maps too.
    for (int step = 0; step < 25; ++step) trained = net.run(64, true);
    EXPECT_CLOSE_WITHIN(net.run(64, false), trained, 0.1);
}

TEST(Decoder, ABatchOfOneOnAMapOfOneKeepsStatisticsFinite) {
    FeatureLayout layout = layout_of(auto_taps_of_small, 2);
    layout.image_size = 32;  // the encoder's last map is 1 × 1
    const Net net({.norm = "batch", .seed_size = 7}, layout);
    (void)net.run(1, true);
    for (const auto& [name, tensor] : net.running()) EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
}

TEST(Decoder, TapsAreTheSameHoweverManyAreAsked) {
    const Net all({.seed_size = 2}), some({.seed_size = 2}, layout_of({2, 5}));
    const at::Tensor both = some.run(2, false), maps = all.run(2, false);
    EXPECT_CLOSE_WITHIN(both.narrow(1, 0, 4), maps.narrow(1, 4, 4), 1e-6);
    EXPECT_CLOSE_WITHIN(both.narrow(1, 4, 16), maps.narrow(1, 16, 16), 1e-6);
}

TEST(Decoder, ResolutionsAgreeWhereNoMapIsLargerThanTheGrid) {
    const FeatureLayout fine = layout_of(auto_taps_of_small, 32);
    EXPECT_TRUE(at::equal(Net({.resolution = "native", .seed_size = 2}, fine).run(2, false),
                          Net({.resolution = "grid", .seed_size = 2}, fine).run(2, false)));
    EXPECT_FALSE(at::allclose(Net({.resolution = "native", .seed_size = 2}).run(2, false),
                              Net({.resolution = "grid", .seed_size = 2}).run(2, false)));
}

TEST(Decoder, TheLastBlocksTapIsTheSeedItself) {
    const Net net({.seed_size = 2}, layout_of({5, 7}));
    const at::Tensor maps = net.run(2, false);
    ASSERT_EQ(maps.size(1), 16 + 40);
    const Weights weights = net.parameters.all();
    const at::Tensor input = at::cat({test::random_tensor({2, 40}, 1), test::random_tensor({2, text_dim}, 2)}, 1);
    const at::Tensor seed = (at::matmul(input, weights.at("decoder.seed.weight").t()) + weights.at("decoder.seed.bias"))
                                .view({2, 40, 2, 2});
    EXPECT_CLOSE(maps.narrow(1, 16, 40), at::upsample_bilinear2d(seed, {4, 4}, true));
}

TEST(Decoder, StartsWithActivationsOfOrdinarySize) {
    // A depthwise convolution started by plain fan-out has outputs whose variance the norm's eps (0.001) swallows. With
    // momentum 1 the running variances are the batch's own.
    const Net net({.norm = "batch", .norm_momentum = 1, .seed_size = 2});
    (void)net.run(8, true);
    for (const auto& [name, tensor] : net.running()) {
        if (name.ends_with("depthwise.norm.running_var")) {
            EXPECT_GT(tensor.median().item<double>(), 0.02) << name;
        }
    }
}

}  // namespace
}  // namespace ltad
