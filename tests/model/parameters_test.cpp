#include "ltad/model/parameters.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/golden.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::ThrowsMessage;

TEST(Parameters, StartDependsOnSeedAndNameAlone) {
    const auto made = [](std::uint64_t seed, const std::string& name, bool others_first) {
        Parameters parameters(seed, at::kCPU);
        if (others_first) {
            (void)parameters.add("first", {100}, init_normal(1));
            (void)parameters.add_buffer("second", {3}, init_uniform(1));
        }
        return parameters.add(name, {4, 5}, init_normal(1));
    };
    const at::Tensor one = made(1, "a.weight", false);
    EXPECT_TRUE(at::equal(one, made(1, "a.weight", true)));
    EXPECT_FALSE(at::equal(one, made(2, "a.weight", false)));
    EXPECT_FALSE(at::equal(one, made(1, "b.weight", false)));
    Parameters doubles(1, at::kCPU, at::kDouble);
    EXPECT_TRUE(at::equal(doubles.add("a.weight", {4, 5}, init_normal(1)), one.to(at::kDouble)));
}

TEST(Parameters, InitsHaveTheirDistributions) {
    Parameters parameters(5, at::kCPU, at::kDouble);
    const std::vector<std::int64_t> shape = {200, 100};
    const at::Tensor normal = parameters.add("normal", shape, init_normal(0.3)).detach();
    EXPECT_NEAR(normal.mean().item<double>(), 0, 0.01);
    EXPECT_NEAR(normal.std().item<double>(), 0.3, 0.01);
    EXPECT_NEAR((normal / 0.3).pow(4).mean().item<double>(), 3, 0.2);
    const at::Tensor uniform = parameters.add("uniform", shape, init_uniform(2)).detach();
    EXPECT_NEAR(uniform.std().item<double>(), 2 / std::sqrt(3.0), 0.02);
    EXPECT_GE(uniform.min().item<double>(), -2);
    EXPECT_LE(uniform.max().item<double>(), 2);
    EXPECT_GT(uniform.max().item<double>(), 1.99);
    const at::Tensor xavier = parameters.add("xavier", shape, init_xavier_uniform(100, 200)).detach();
    EXPECT_NEAR(xavier.std().item<double>(), std::sqrt(2.0 / 300), 0.001);  // Glorot's variance
    EXPECT_TRUE(at::equal(parameters.add("constant", {3}, init_constant(7)), at::full({3}, 7.0, at::kDouble)));
}

TEST(Parameters, OnlyTrainedOnesTakeGradients) {
    Parameters parameters(1, at::kCPU);
    const at::Tensor second = parameters.add("z", {2}, init_constant(1));
    const at::Tensor first = parameters.add("a", {2}, init_constant(1));
    const at::Tensor buffer = parameters.add_buffer("mean", {2}, init_constant(0));
    EXPECT_TRUE(first.requires_grad() && first.is_leaf());
    EXPECT_FALSE(buffer.requires_grad());
    EXPECT_THAT(parameters.trained(), ElementsAre(Key("z"), Key("a")));  // in order of creation
    EXPECT_THAT(parameters.all(), ElementsAre(Key("a"), Key("mean"), Key("z")));
    EXPECT_TRUE(parameters.all().at("z").is_same(second));
}

TEST(Parameters, LoadingChangesTheHandlesInPlace) {
    Parameters parameters(1, at::kCPU);
    const Linear layer = make_linear(parameters, "layer", 3, 2, init_normal(1));
    const at::Tensor buffer = parameters.add_buffer("mean", {2}, init_constant(0));
    EXPECT_TRUE(at::equal(layer.bias, at::zeros({2})));
    const Weights saved = {{"layer.weight", test::random_tensor({2, 3}, 1)},
                           {"layer.bias", test::random_tensor({2}, 2)},
                           {"mean", at::ones({2})}};
    parameters.load(saved, "here");
    EXPECT_TRUE(at::equal(layer.weight, saved.at("layer.weight")));
    EXPECT_TRUE(at::equal(buffer, at::ones({2})));
    EXPECT_TRUE(layer.weight.requires_grad() && layer.weight.is_leaf());
    EXPECT_FALSE(layer.weight.is_alias_of(saved.at("layer.weight")));
    const auto x = test::values_of(test::random_tensor({3}, 3));
    const auto y = test::values_of(layer(test::random_tensor({3}, 3)));
    for (std::int64_t o = 0; o < 2; ++o) {
        double expected = saved.at("layer.bias")[o].item<double>();
        for (std::int64_t i = 0; i < 3; ++i)
            expected += saved.at("layer.weight")[o][i].item<double>() * x[static_cast<std::size_t>(i)];
        EXPECT_NEAR(y[static_cast<std::size_t>(o)], expected, 1e-5);
    }
}

TEST(Parameters, WhatDoesNotFitIsNamedAndChangesNothing) {
    Parameters parameters(1, at::kCPU);
    const Linear layer = make_linear(parameters, "layer", 3, 2, init_normal(1));
    const at::Tensor before = layer.weight.detach().clone();
    const at::Tensor good = at::ones({2, 3}), bias = at::ones({2});
    const std::vector<std::pair<Weights, const char*>> cases = {
        {{{"layer.weight", good}}, "'layer.bias' [2] is missing"},
        {{{"layer.weight", good}, {"layer.bias", at::ones({3})}}, "'layer.bias' has shape [3], expected [2]"},
        {{{"layer.weight", good}, {"layer.bias", bias}, {"other", bias}}, "'other' [2] is not expected"},
        {{}, "'layer.weight' [2, 3] is missing"},
    };
    for (const auto& [weights, part] : cases)
        EXPECT_THAT(([&, &w = weights] { parameters.load(w, "some.safetensors"); }),
                    ThrowsMessage<Error>(AllOf(HasSubstr("some.safetensors"), HasSubstr(part))));
    EXPECT_TRUE(at::equal(layer.weight, before));
}

}  // namespace
}  // namespace ltad
