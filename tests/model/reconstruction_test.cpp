#include "ltad/model/reconstruction.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/model/jitter.h"
#include "support/golden.h"
#include "support/gradient_check.h"

namespace ltad {
namespace {

/// golden/uniad_tiny, loaded under the official names.
struct Golden {
    json settings = read_json(test::golden_path("uniad_tiny/config.json"));
    Weights expected = load_weights(test::golden_path("uniad_tiny/expected.safetensors"));
    std::int64_t grid = settings["feature_size"][0];
    ReconstructionConfig config = {.hidden_dim = settings["hidden_dim"],
                                   .heads = settings["nhead"],
                                   .encoder_layers = settings["num_encoder_layers"],
                                   .decoder_layers = settings["num_decoder_layers"],
                                   .feedforward_dim = settings["dim_feedforward"],
                                   .dropout = 0.1,
                                   .neighbor_size = settings["neighbor_size"][0]};
    Parameters parameters{1, at::kCPU};
    Reconstruction module{config, settings["inplanes"], grid, parameters};

    Golden() { parameters.load(load_weights(test::golden_path("uniad_tiny/model.safetensors")), "uniad_tiny"); }
};

ReconstructionConfig small_config() {
    return {.hidden_dim = 8,
            .heads = 2,
            .encoder_layers = 2,
            .decoder_layers = 2,
            .feedforward_dim = 12,
            .dropout = 0.3,
            .neighbor_size = 3};
}

TEST(NeighborMask, AgreesWithAPlainLoop) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const auto& [grid, size] : {std::pair(6, 3), {14, 7}, {5, 1}, {9, 5}, {4, 0}}) {
        const auto mask = test::values_of(neighbor_mask(grid, size));
        ASSERT_EQ(mask.size(), static_cast<std::size_t>(grid * grid * grid * grid));
        std::vector<double> expected(mask.size(), 0);
        for (int row = 0; row < grid; ++row)
            for (int column = 0; column < grid; ++column)
                for (int down = -(size / 2); down <= size / 2; ++down)
                    for (int right = -(size / 2); right <= size / 2; ++right) {
                        const int r = row + down, c = column + right;
                        if (size > 0 && r >= 0 && r < grid && c >= 0 && c < grid)
                            expected[static_cast<std::size_t>((row * grid + column) * grid * grid + r * grid + c)] =
                                -infinity;
                    }
        EXPECT_EQ(mask, expected) << grid << ' ' << size;
    }
}

TEST(NeighborMask, IsTheReferences) {
    const Golden golden;
    EXPECT_TRUE(
        at::equal(neighbor_mask(golden.grid, golden.config.neighbor_size), golden.expected.at("neighbor_mask")));
}

TEST(Reconstruction, OutputLossAndGradientsMatchTheReference) {
    Golden golden;
    const at::Tensor real = to_tokens(golden.expected.at("feature_align"));
    const at::Tensor tokens = golden.module.forward(real, false);
    EXPECT_CLOSE(tokens, to_tokens(golden.expected.at("feature_rec")));
    const at::Tensor loss = (tokens - real).square().mean();
    EXPECT_CLOSE(loss.reshape({1}), golden.expected.at("loss"));
    loss.backward();
    int compared = 0;
    const Weights parameters = golden.parameters.all();
    for (const auto& [name, gradient] : with_prefix(golden.expected, "grad.")) {
        EXPECT_CLOSE(parameters.at(name).grad(), gradient) << name;
        ++compared;
    }
    EXPECT_EQ(compared, 2);
}

TEST(Reconstruction, GradientsAreRightInDouble) {
    Parameters parameters(4, at::kCPU, at::kDouble);
    const Reconstruction module(small_config(), 5, 4, parameters);
    const at::Tensor jittered = test::random_tensor({2, 16, 5}, 1, at::kDouble).requires_grad_(true);
    const at::Tensor real = test::random_tensor({2, 16, 5}, 2, at::kDouble);
    auto inputs = parameters.trained();
    inputs.emplace_back("tokens", jittered);
    // L_rec: summed over channels, averaged over tokens.
    test::check_gradients([&] { return (module.forward(jittered, false) - real).square().sum(2).mean(); }, inputs, 4);
}

TEST(Reconstruction, Bfloat16ComesCloseInOutputAndGradients) {
    if (!has_bfloat16()) GTEST_SKIP() << "this processor has no bfloat16 products";
    const at::Tensor tokens = test::random_tensor({2, 16, 5}, 1);
    const auto results = [&](const char* precision) {
        ReconstructionConfig config = small_config();
        config.precision = precision;
        Parameters parameters(1, at::kCPU);
        const Reconstruction module(config, 5, 4, parameters);
        const at::Tensor out = module.forward(tokens, false);
        (out - tokens).square().sum().backward();
        std::vector<at::Tensor> gradients;
        for (const auto& [name, parameter] : parameters.trained()) gradients.push_back(parameter.grad().flatten());
        return std::pair(out, at::cat(gradients));
    };
    const auto exact = results("float32"), rough = results("bfloat16");
    EXPECT_CLOSE_WITHIN(rough.first, exact.first, 0.03);
    EXPECT_CLOSE_WITHIN(rough.second, exact.second, 0.05);
    EXPECT_FALSE(at::equal(rough.first, exact.first));
}

TEST(Reconstruction, DoesNotDependOnTheRestOfTheBatch) {
    Parameters parameters(1, at::kCPU);
    const Reconstruction module(small_config(), 5, 4, parameters);
    const at::Tensor tokens = test::random_tensor({3, 16, 5}, 1);
    const at::Tensor together = module.forward(tokens, false);
    EXPECT_TRUE(at::equal(together, module.forward(tokens, false)));
    for (std::int64_t i = 0; i < 3; ++i)
        EXPECT_CLOSE_WITHIN(module.forward(tokens.narrow(0, i, 1), false), together.narrow(0, i, 1), 1e-5) << i;
}

TEST(Reconstruction, DropoutActsInTrainingOnlyAndFollowsTheGenerator) {
    Parameters parameters(1, at::kCPU);
    const Reconstruction module(small_config(), 5, 4, parameters);
    const at::Tensor tokens = test::random_tensor({2, 16, 5}, 1);
    const auto trained_with = [&](std::uint64_t seed) {
        at::manual_seed(seed);
        return module.forward(tokens, true);
    };
    EXPECT_TRUE(at::equal(trained_with(1), trained_with(1)));
    EXPECT_FALSE(at::equal(trained_with(1), trained_with(2)));
    ReconstructionConfig dry = small_config();
    dry.dropout = 0;
    Parameters same(1, at::kCPU);
    const Reconstruction without(dry, 5, 4, same);
    EXPECT_TRUE(at::equal(without.forward(tokens, true), module.forward(tokens, false)));
}

TEST(Reconstruction, AttentionDoesNotSeeTheNeighbourhood) {
    // One decoder layer on no encoder layer: a token reaches another only by attention.
    ReconstructionConfig config = small_config();
    config.encoder_layers = 0;
    config.decoder_layers = 1;
    config.neighbor_size = 5;
    Parameters parameters(1, at::kCPU);
    const std::int64_t grid = 8;
    const Reconstruction module(config, 5, grid, parameters);
    const at::Tensor tokens = test::random_tensor({1, grid * grid, 5}, 1);
    // The cross attention's queries depend on all that the self attention saw; cut that path.
    for (const auto& [name, tensor] : parameters.trained())
        if (name == "transformer.decoder.layers.0.self_attn.out_proj.weight") tensor.detach().zero_();
    const at::Tensor before = module.forward(tokens, false);
    at::Tensor changed = tokens.clone();
    const std::int64_t row = 3, column = 6;
    changed[0][row * grid + column] += 1;
    const at::Tensor difference = (module.forward(changed, false) - before).abs().sum(2)[0];
    for (std::int64_t i = 0; i < grid * grid; ++i) {
        const bool near = std::abs(i / grid - row) <= 2 && std::abs(i % grid - column) <= 2;
        EXPECT_EQ(difference[i].item<float>() == 0, near) << i;
    }
}

TEST(Reconstruction, ANeighbourhoodThatHidesEverythingIsRefusedOrHarmless) {
    // The middle token of a grid no larger than the neighbourhood sees nothing: its softmax is over −∞ alone. Those
    // that the config lets pass (neighbor_size < 2 grid − 1) must work.
    for (const auto& [grid, size] : {std::pair(8, 7), {14, 7}, {4, 3}, {7, 7}, {5, 7}, {3, 3}}) {
        ReconstructionConfig config = small_config();
        config.neighbor_size = size;
        Parameters parameters(1, at::kCPU);
        try {
            const Reconstruction module(config, 5, grid, parameters);
            const at::Tensor out = module.forward(test::random_tensor({1, grid * grid, 5}, 1), false);
            EXPECT_TRUE(at::isfinite(out).all().item<bool>()) << "grid " << grid << ", neighbor_size " << size;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), ::testing::HasSubstr("neighbor_size"));
        }
    }
}

}  // namespace
}  // namespace ltad
