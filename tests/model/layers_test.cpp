#include "ltad/model/layers.h"

#include <functional>

#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad {
namespace {

using Inputs = std::vector<at::Tensor>;
using Layer = std::function<at::Tensor(const Inputs&)>;

/// The output of a layer, then the gradients of Σ output · weights for each input.
std::vector<at::Tensor> run(const Layer& layer, const Inputs& inputs, at::ScalarType dtype) {
    Inputs leaves;
    for (const at::Tensor& input : inputs)
        leaves.push_back(input.to(dtype).contiguous().clone().set_requires_grad(true));
    const at::Tensor y = layer(leaves);
    const at::Tensor weights = test::random_tensor(y.sizes().vec(), 99, dtype);
    (y * weights).sum().backward();
    std::vector<at::Tensor> results = {y};
    for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
    return results;
}

/// In float by the kernels, in double by LibTorch's operators.
void expect_same(const Layer& layer, const Inputs& inputs) {
    const auto actual = run(layer, inputs, at::kFloat);
    const auto expected = run(layer, inputs, at::kDouble);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_CLOSE_WITHIN(actual[i], expected[i], 1e-5) << i;
}

at::Tensor x_of(const std::vector<std::int64_t>& shape, std::uint64_t seed) { return test::random_tensor(shape, seed); }

TEST(Layers, LinearIsTheOperator) {
    const Layer layer = [](const Inputs& in) { return linear(in[0], in[1], in[2]); };
    expect_same(layer, {x_of({3, 50, 20}, 1), x_of({70, 20}, 2), x_of({70}, 3)});
    expect_same(layer, {x_of({5, 9}, 1), x_of({1, 9}, 2), x_of({1}, 3)});
    expect_same(layer, {x_of({20}, 1), x_of({4, 20}, 2), x_of({4}, 3)});
    expect_same(layer, {x_of({300, 8}, 1), x_of({1024, 8}, 2), x_of({1024}, 3)});
    expect_same([](const Inputs& in) { return linear(in[0].transpose(0, 1), in[1], in[2]); },
                {x_of({30, 7, 20}, 1), x_of({11, 20}, 2), x_of({11}, 3)});
    expect_same([](const Inputs& in) { return linear(in[0].narrow(1, 3, 5), in[1], in[2]); },
                {x_of({30, 12}, 1), x_of({11, 5}, 2), x_of({11}, 3)});
}

TEST(Layers, LinearReluIsTheOperators) {
    expect_same([](const Inputs& in) { return linear_relu_dropout(in[0], in[1], in[2], 0.5, false); },
                {x_of({3, 50, 20}, 1), x_of({70, 20}, 2), x_of({70}, 3)});
}

TEST(Layers, AddLayerNormIsTheOperators) {
    for (const std::int64_t dim : {5, 16, 40}) {
        const at::Tensor weight = x_of({dim}, 3), bias = x_of({dim}, 4);
        const Layer with_change = [](const Inputs& in) {
            return add_layer_norm(in[0], in[1], in[2], in[3], 0.5, false);
        };
        expect_same(with_change, {x_of({3, 50, dim}, 1), x_of({3, 50, dim}, 2), weight, bias});
        expect_same(with_change, {x_of({1, 50, dim}, 1), x_of({3, 50, dim}, 2), weight, bias});
        expect_same([](const Inputs& in) { return add_layer_norm(in[0], {}, in[1], in[2], 0.5, true); },
                    {x_of({3, 50, dim}, 1), weight, bias});
    }
}

TEST(Layers, AttentionIsTheOperators) {
    const at::Tensor mask = at::zeros({10, 10});
    mask.diagonal().fill_(-std::numeric_limits<float>::infinity());
    mask[0][3] = mask[0][0].item<float>();  // not symmetric
    const auto attend = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Inputs& in) {
        return attention(q, k, v, {in[0], in[1]}, mask.to(v.scalar_type()), 2, 0.5, false);
    };
    const at::Tensor weight = x_of({24, 8}, 1), bias = x_of({24}, 2), x = x_of({3, 10, 8}, 3), y = x_of({3, 10, 8}, 4);
    expect_same([&](const Inputs& in) { return attend(in[2], in[2], in[3], in); }, {weight, bias, x, y});
    expect_same([&](const Inputs& in) { return attend(in[2], in[3], in[4], in); },
                {weight, bias, x, y, x_of({3, 10, 8}, 5)});
    expect_same([&](const Inputs& in) { return attend(in[2], in[3], in[3], in); },
                {weight, bias, x_of({1, 10, 8}, 6), y});
}

/// Dropout's mask is linear: the loss moves by gradient · step when the same seed draws the same mask.
TEST(Layers, GradientsFollowTheDroppedValues) {
    const at::Tensor mask = at::zeros({10, 10});
    const at::Tensor weight = x_of({24, 8}, 1), bias = x_of({24}, 2), gamma = x_of({8}, 7), beta = x_of({8}, 8);
    const std::vector<Layer> layers = {
        [&](const Inputs& in) { return linear_relu_dropout(in[0], weight, bias, 0.4, true); },
        [&](const Inputs& in) { return add_layer_norm(in[0], in[0] * 0.5, gamma, beta, 0.4, true); },
        [&](const Inputs& in) {
            return attention(in[0], in[0], in[0], {weight, bias}, mask, 2, 0.4, true);
        },
    };
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const at::Tensor direction = x_of({3, 10, 8}, 5), at_point = x_of({3, 10, 8}, 3);
        const auto results_at = [&](double step) {
            at::manual_seed(11);
            return run(layers[i], {at_point + step * direction}, at::kFloat);
        };
        const at::Tensor weights = test::random_tensor(results_at(0)[0].sizes().vec(), 99);
        const auto loss_at = [&](double step) {
            return (results_at(step)[0] * weights).to(at::kDouble).sum().item<double>();
        };
        const double slope = (loss_at(3e-3) - loss_at(-3e-3)) / 6e-3;
        const double expected = (results_at(0)[1] * direction).to(at::kDouble).sum().item<double>();
        EXPECT_NEAR(slope, expected, 0.02 * std::abs(expected) + 0.05) << i;
        at::manual_seed(12);
        EXPECT_FALSE(at::equal(results_at(0)[0], run(layers[i], {at_point}, at::kFloat)[0])) << i;
    }
}

TEST(Layers, NoGradientsWhereNoneAreWanted) {
    at::Tensor weight = x_of({4, 6}, 1).set_requires_grad(true), bias = x_of({4}, 2);
    const at::Tensor x = x_of({5, 6}, 3);
    linear(x, weight, bias).sum().backward();
    EXPECT_CLOSE(weight.grad(), x.sum(0, true).expand({4, 6}));
    EXPECT_FALSE(bias.grad().defined());
    EXPECT_FALSE(x.grad().defined());
}

}  // namespace
}  // namespace ltad
