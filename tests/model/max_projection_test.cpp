#include "ltad/model/max_projection.h"

#include <limits>

#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad {
namespace {

const std::vector<std::int64_t> widths = {3, 20, 7};

struct Case {
    std::int64_t pictures, tokens, dim;
};

std::vector<Linear> projections(std::int64_t dim, at::ScalarType dtype) {
    std::vector<Linear> out;
    for (std::size_t l = 0; l < widths.size(); ++l)
        out.push_back({test::random_tensor({dim, widths[l]}, 10 + l, dtype).set_requires_grad(true),
                       test::random_tensor({dim}, 20 + l, dtype).set_requires_grad(true)});
    return out;
}

/// Logits, then the gradients of all weights and biases of a weighted sum.
std::vector<at::Tensor> results(const Case& c, at::ScalarType dtype) {
    const at::Tensor tokens = test::random_tensor({c.pictures, c.tokens, 30}, 1, dtype);
    const at::Tensor direction = test::random_tensor({c.pictures, c.dim}, 2, dtype);
    const auto taps = projections(c.dim, dtype);
    const at::Tensor logits = max_projection(tokens, taps, direction);
    (logits * test::random_tensor({c.pictures, c.tokens}, 3, dtype)).sum().backward();
    std::vector<at::Tensor> out = {logits};
    for (const Linear& tap : taps) {
        out.push_back(tap.weight.grad());
        out.push_back(tap.bias.grad());
    }
    return out;
}

TEST(MaxProjection, AgreesWithTheOperators) {
    for (const Case& c : {Case{1, 1, 1}, {3, 50, 70}, {2, 196, 16}}) {
        const auto actual = results(c, at::kFloat), expected = results(c, at::kDouble);
        for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_CLOSE_WITHIN(actual[i], expected[i], 1e-5) << i;
    }
}

TEST(MaxProjection, DoesNotDependOnTheNumberOfThreads) {
    const auto one = results({3, 90, 70}, at::kFloat);
    at::set_num_threads(3);
    const auto three = results({3, 90, 70}, at::kFloat);
    at::set_num_threads(1);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], three[i])) << i;
}

TEST(MaxProjection, NanIsNotHidden) {
    for (std::int64_t channel : {0, 5, 25}) {
        at::Tensor tokens = test::random_tensor({1, 3, 30}, 1);
        tokens[0][1][channel] = std::numeric_limits<float>::quiet_NaN();
        const at::Tensor logits = max_projection(tokens, projections(4, at::kFloat), at::ones({1, 4}));
        EXPECT_TRUE(at::equal(logits.isnan()[0].to(at::kLong), at::tensor({0, 1, 0}, at::kLong))) << channel;
    }
}

}  // namespace
}  // namespace ltad
