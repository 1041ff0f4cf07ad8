#include "ltad/align/efficientnet.h"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/activation.h"
#include "ltad/core/error.h"
#include "support/golden.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

EfficientNetConfig tiny_config() {
    return parse_efficientnet_config(read_json(test::golden_path("align_tiny/config.json"))["vision_config"], "tiny");
}

Weights tiny_weights() {
    return with_prefix(load_weights(test::golden_path("align_tiny/model.safetensors")), "vision_model.");
}

/// Trained numbers: running statistics do not count.
std::int64_t parameter_count(const Shapes& shapes) {
    std::int64_t count = 0;
    for (const auto& [name, shape] : shapes)
        if (name.find(".running_") == std::string::npos)
            count += std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    return count;
}

TEST(EfficientNet, EveryBlockMatchesTheReferenceAtAllImageSizes) {
    const ImageEncoder encoder(tiny_config(), tiny_weights(), at::kCPU);
    const Weights expected = load_weights(test::golden_path("align_tiny/expected.safetensors"));
    std::vector<std::int64_t> all(24);
    std::iota(all.begin(), all.end(), -1);  // −1: the stem
    for (const std::string size : {"64", "56", "75"}) {
        const Weights reference = with_prefix(expected, "image" + size + ".");
        const auto out = encoder.forward(reference.at("pixel_values"), all);
        ASSERT_EQ(out.taps.size(), 24u);
        const auto sides = map_sizes(tiny_config(), std::stoll(size));
        ASSERT_EQ(sides.size(), 24u);
        for (std::size_t i = 0; i < 24; ++i) {
            const std::string name = text("hidden_states.", i);
            EXPECT_CLOSE(out.taps[i], reference.at(name)) << size << ' ' << name;
            EXPECT_EQ(sides[i], reference.at(name).size(2)) << size << ' ' << name;
        }
        EXPECT_CLOSE(out.pooled, reference.at("pooler_output")) << size;
        EXPECT_CLOSE(out.pooled, reference.at("image_features")) << size;
    }
}

TEST(EfficientNet, TapsAreTheSameHoweverManyAreAsked) {
    const ImageEncoder encoder(tiny_config(), tiny_weights(), at::kCPU);
    const at::Tensor pixels = test::random_tensor({2, 3, 40, 48}, 1);  // not even square
    const auto some = encoder.forward(pixels, {2, 22});
    const auto none = encoder.forward(pixels, {});
    EXPECT_TRUE(at::equal(some.pooled, none.pooled));
    EXPECT_TRUE(at::equal(some.taps[0], encoder.forward(pixels, {2}).taps[0]));
    EXPECT_CLOSE_WITHIN(some.taps[1].mean({2, 3}), some.pooled, 1e-6);
    EXPECT_EQ(encoder.embedding_dim(), 80);
}

TEST(EfficientNet, RefusesTapsThatAreNotThere) {
    const ImageEncoder encoder(tiny_config(), tiny_weights(), at::kCPU);
    const at::Tensor pixels = at::zeros({1, 3, 32, 32});
    for (const std::vector<std::int64_t>& taps : {std::vector<std::int64_t>{23}, {5, 2}, {3, 3}})
        EXPECT_THAT([&] { (void)encoder.forward(pixels, taps); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(text("block ", taps.back())), HasSubstr("0 to 22"))));
}

TEST(EfficientNet, DefaultsAreAlignsB7) {
    const EfficientNetConfig b7;
    const auto blocks = block_specs(b7);
    EXPECT_EQ(blocks.size(), 55u);
    EXPECT_EQ(blocks.back().out, 640);
    EXPECT_EQ(stem_channels(b7), 64);
    EXPECT_THAT(auto_taps(b7), ElementsAre(3, 10, 17, 37));
    const auto sizes = map_sizes(b7, 224);
    std::vector<std::int64_t> channels, sides;
    for (const auto tap : auto_taps(b7)) {
        channels.push_back(blocks[static_cast<std::size_t>(tap)].out);
        sides.push_back(sizes[static_cast<std::size_t>(tap) + 1]);
    }
    EXPECT_THAT(channels, ElementsAre(32, 48, 80, 224));
    EXPECT_THAT(sides, ElementsAre(112, 56, 28, 14));
}

TEST(EfficientNet, ParameterCountsAreThePublishedOnes) {
    // Without top convolution, its norm and the classifier: B7 66,347,960 − 4,204,520; B0 5,288,548 − 1,693,160.
    EXPECT_EQ(parameter_count(efficientnet_shapes({})), 62'143'440);
    EfficientNetConfig b0;
    b0.width_coefficient = b0.depth_coefficient = 1;
    EXPECT_EQ(parameter_count(efficientnet_shapes(b0)), 3'595'388);
    EXPECT_EQ(block_specs(b0).size(), 16u);
    EXPECT_THAT(auto_taps(b0), ElementsAre(0, 2, 4, 10));
}

TEST(EfficientNet, ShapesAreThoseOfTheGoldenFile) {
    EXPECT_NO_THROW(check_weights(tiny_weights(), efficientnet_shapes(tiny_config()), "tiny"));
}

TEST(EfficientNet, AutoTapsNeedFiveStages) {
    EfficientNetConfig config;
    for (auto* list : {&config.kernel_sizes, &config.in_channels, &config.out_channels, &config.strides,
                       &config.num_block_repeats, &config.expand_ratios})
        list->resize(4);
    EXPECT_THAT([&] { (void)auto_taps(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr("encoder.taps"), HasSubstr("five"), HasSubstr("4"))));
}

/// One stage, one block; every tensor random.
struct OneBlock {
    EfficientNetConfig config;
    Weights weights;

    OneBlock() {
        config.width_coefficient = config.depth_coefficient = 1;
        config.kernel_sizes = {5};
        config.in_channels = {32};
        config.out_channels = {16};
        config.strides = {2};
        config.num_block_repeats = {1};
        config.expand_ratios = {2};
        std::uint64_t seed = 0;
        for (const auto& [name, shape] : efficientnet_shapes(config)) {
            weights[name] = test::random_tensor(shape, ++seed) * 0.3;
            if (name.ends_with("running_var")) weights[name] = weights[name].abs() + 0.1;
        }
    }

    /// The same network in double, written with separate norms and the convolutions' own (symmetric) padding.
    at::Tensor reference(const at::Tensor& pixels) const {
        const auto get = [&](const std::string& name) { return weights.at(name).to(at::kDouble); };
        const auto norm = [&](const at::Tensor& x, const std::string& name) {
            return at::batch_norm(x, get(name + ".weight"), get(name + ".bias"), get(name + ".running_mean"),
                                  get(name + ".running_var"), false, 0, config.batch_norm_eps, false);
        };
        const auto swish = [](const at::Tensor& x) { return x / (1 + (-x).exp()); };
        const std::string block = "encoder.blocks.0.";
        at::Tensor x = at::constant_pad_nd(pixels.to(at::kDouble), {0, 1, 0, 1});
        x = swish(norm(at::conv2d(x, get("embeddings.convolution.weight"), {}, 2), "embeddings.batchnorm"));
        x = swish(norm(at::conv2d(x, get(block + "expansion.expand_conv.weight")), block + "expansion.expand_bn"));
        x = at::conv2d(x, get(block + "depthwise_conv.depthwise_conv.weight"), {}, 2, 2, 1, 64);
        x = swish(norm(x, block + "depthwise_conv.depthwise_norm"));
        at::Tensor gate = at::conv2d(x.mean({2, 3}, true), get(block + "squeeze_excite.reduce.weight"),
                                     get(block + "squeeze_excite.reduce.bias"));
        gate = at::conv2d(swish(gate), get(block + "squeeze_excite.expand.weight"),
                          get(block + "squeeze_excite.expand.bias"));
        x = x / (1 + (-gate).exp());
        return norm(at::conv2d(x, get(block + "projection.project_conv.weight")), block + "projection.project_bn");
    }
};

TEST(EfficientNet, BlocksListedInDepthwisePaddingPadSymmetrically) {
    OneBlock net;
    const at::Tensor pixels = test::random_tensor({2, 3, 28, 28}, 99);
    const at::Tensor expected = net.reference(pixels);
    net.config.depthwise_padding = {0};
    const auto symmetric = ImageEncoder(net.config, net.weights, at::kCPU).forward(pixels, {0}).taps[0];
    EXPECT_CLOSE(symmetric, expected);
    EXPECT_EQ(map_sizes(net.config, 28).back(), expected.size(2));
    net.config.depthwise_padding = {1};
    const auto asymmetric = ImageEncoder(net.config, net.weights, at::kCPU).forward(pixels, {0}).taps[0];
    ASSERT_EQ(asymmetric.sizes(), expected.sizes());
    EXPECT_GT((asymmetric - expected).abs().max().item<double>(), 0.01);
}

TEST(EfficientNet, AnExpandBiasOf30MeansNoSqueezeExcite) {
    OneBlock net;
    net.weights["encoder.blocks.0.squeeze_excite.expand.weight"].zero_();
    const at::Tensor pixels = test::random_tensor({1, 3, 16, 16}, 7);
    const auto with_bias = [&](double bias) {
        net.weights["encoder.blocks.0.squeeze_excite.expand.bias"].fill_(bias);
        return ImageEncoder(net.config, net.weights, at::kCPU).forward(pixels, {}).pooled;
    };
    EXPECT_TRUE(at::equal(with_bias(30), with_bias(1000)));
    EXPECT_FALSE(at::equal(with_bias(30), with_bias(3)));
}

TEST(EfficientNet, ConfigMistakesNameTheKey) {
    const std::vector<std::pair<const char*, const char*>> mistakes = {
        {R"({"width_coefficient": "wide"})", "width_coefficient"},
        {R"({"width_coefficient": 0})", "width_coefficient"},
        {R"({"depth_coefficient": -1})", "depth_coefficient"},
        {R"({"kernel_sizes": [3, 3]})", "kernel_sizes"},
        {R"({"kernel_sizes": [3, 3, 5, 3, 5, 5, 4]})", "kernel_sizes"},
        {R"({"strides": [1, 2, 2, 3, 1, 2, 1]})", "strides"},
        {R"({"strides": [1, 2, 2, 2, 1, 2, 0]})", "stride"},
        {R"({"out_channels": [16, 24, 40, -80, 112, 192, 320]})", "channel"},
        {R"({"num_block_repeats": 4})", "num_block_repeats"},
        {R"({"num_channels": 1})", "num_channels"},
        {R"({"depth_divisor": 0})", "depth_divisor"},
        {R"({"hidden_act": 3})", "hidden_act"},
        {R"({"batch_norm_eps": [1]})", "batch_norm_eps"},
        {R"({"squeeze_expansion_ratio": null, "expand_ratios": []})", "expand_ratios"},
    };
    for (const auto& [patch, key] : mistakes)
        EXPECT_THAT([&] { (void)parse_efficientnet_config(json::parse(patch), "here.json"); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("here.json"), HasSubstr(key))))
            << patch;
}

TEST(EfficientNet, NumbersThatCannotBeMeantAreRefused) {
    // Taken as they are, these are cut to another architecture, overflow, or give NaN features.
    for (const auto& [patch, key] : std::vector<std::pair<const char*, const char*>>{
             {R"({"depth_divisor": 8.5})", "depth_divisor"},
             {R"({"kernel_sizes": [3, 3, 5.9, 3, 5, 5, 3]})", "kernel_sizes"},
             {R"({"width_coefficient": true})", "width_coefficient"},
             {R"({"squeeze_expansion_ratio": 1e300})", "squeeze_expansion_ratio"},
             {R"({"batch_norm_eps": -1})", "batch_norm_eps"}})
        EXPECT_THAT([&] { (void)parse_efficientnet_config(json::parse(patch), "here.json"); },
                    ThrowsMessage<Error>(HasSubstr(key)))
            << patch;
}

TEST(Activation, MatchesItsFormula) {
    const at::Tensor x = at::linspace(-8, 8, 161, at::kDouble);
    const std::vector<std::pair<std::string, double (*)(double)>> known = {
        {"relu", [](double v) { return v > 0 ? v : 0; }},
        {"relu6", [](double v) { return v < 0   ? 0
                                        : v > 6 ? 6
                                                : v; }},
        {"swish", [](double v) { return v / (1 + std::exp(-v)); }},
        {"silu", [](double v) { return v / (1 + std::exp(-v)); }},
        {"gelu", [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); }},
        {"gelu_new",
         [](double v) {
             return 0.5 * v * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (v + 0.044715 * v * v * v)));
         }},
        {"gelu_pytorch_tanh",
         [](double v) {
             return 0.5 * v * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (v + 0.044715 * v * v * v)));
         }},
    };
    for (const auto& [name, formula] : known) {
        const Activation activation = parse_activation(name, "test");
        const auto plain = test::values_of(activate(activation, x));
        const auto in_place = test::values_of(activate_in_place(activation, x.clone()));
        const auto inputs = test::values_of(x);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            EXPECT_NEAR(plain[i], formula(inputs[i]), 1e-9) << name << ' ' << inputs[i];
            EXPECT_EQ(plain[i], in_place[i]) << name << ' ' << inputs[i];
        }
    }
    EXPECT_THAT([] { (void)parse_activation("selu", "here.json"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("here.json"), HasSubstr("hidden_act"), HasSubstr("selu"))));
}

}  // namespace
}  // namespace ltad
