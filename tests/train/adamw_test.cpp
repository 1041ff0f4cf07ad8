#include "ltad/train/adamw.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/golden.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// One parameter and its moments, updated by the formulas of Loshchilov and Hutter 2019, algorithm 2.
struct Plain {
    std::vector<double> value, average, square;
    int steps = 0;

    void step(const std::vector<double>& gradient, const AdamWOptions& o) {
        ++steps;
        for (std::size_t i = 0; i < value.size(); ++i) {
            average[i] = o.beta1 * average[i] + (1 - o.beta1) * gradient[i];
            square[i] = o.beta2 * square[i] + (1 - o.beta2) * gradient[i] * gradient[i];
            const double m = average[i] / (1 - std::pow(o.beta1, steps));
            const double v = square[i] / (1 - std::pow(o.beta2, steps));
            value[i] -= o.learning_rate * (m / (std::sqrt(v) + o.eps) + o.weight_decay * value[i]);
        }
    }
};

TEST(AdamW, ClipsTheNormOfAllGradientsTogether) {
    const AdamWOptions options{.learning_rate = 0.01, .weight_decay = 0.1, .clip_norm = 0.5};
    for (const double size : {0.01, 3.0}) {
        Parameters parameters(3, at::kCPU), same(3, at::kCPU);
        const at::Tensor a = parameters.add("a", {3, 5}, init_normal(1)), b = parameters.add("b", {4}, init_normal(1));
        const at::Tensor c = same.add("a", {3, 5}, init_normal(1)), d = same.add("b", {4}, init_normal(1));
        AdamW clipped(parameters, options), plain(same, {.learning_rate = 0.01, .weight_decay = 0.1});
        for (int step = 0; step < 3; ++step) {
            // Adam forgets the gradients' common scale, not how it changes from step to step.
            const double scale = size * (step + 1);
            const at::Tensor ga = scale * random_tensor({3, 5}, 1), gb = scale * random_tensor({4}, 2);
            const double norm = std::sqrt((ga.square().sum() + gb.square().sum()).item<double>());
            const double factor = norm > 0.5 ? 0.5 / norm : 1;
            a.mutable_grad() = ga.clone();
            b.mutable_grad() = gb.clone();
            c.mutable_grad() = factor * ga;
            d.mutable_grad() = factor * gb;
            clipped.step();
            plain.step();
        }
        EXPECT_CLOSE_WITHIN(a, c, 1e-5) << size;
        EXPECT_CLOSE_WITHIN(b, d, 1e-5) << size;
    }
}

TEST(AdamW, EqualsThePaperFormulas) {
    const AdamWOptions options{.learning_rate = 0.01, .weight_decay = 0.1};
    Parameters parameters(3, at::kCPU);
    const at::Tensor a = parameters.add("a", {3, 5}, init_normal(1));
    const at::Tensor b = parameters.add("b", {4, 2, 3, 3}, init_normal(1));
    AdamW optimizer(parameters, options);
    std::vector<Plain> plain;
    for (const at::Tensor& p : {a, b}) {
        const auto n = static_cast<std::size_t>(p.numel());
        plain.push_back({values_of(p), std::vector<double>(n), std::vector<double>(n)});
    }
    for (std::uint64_t step = 0; step < 20; ++step) {
        for (std::size_t i = 0; i < 2; ++i) {
            const at::Tensor& p = i == 0 ? a : b;
            const at::Tensor gradient = random_tensor(p.sizes().vec(), 100 * step + i);
            // Convolutions give channels-last gradients; the order in memory must not matter.
            p.mutable_grad() = i == 0 ? gradient : gradient.contiguous(at::MemoryFormat::ChannelsLast);
            plain[i].step(values_of(gradient), options);
        }
        optimizer.step();
        EXPECT_FALSE(a.grad().defined()) << "gradients are dropped";
    }
    EXPECT_CLOSE_WITHIN(a, at::tensor(plain[0].value, at::kDouble).view(a.sizes()), 1e-5);
    EXPECT_CLOSE_WITHIN(b, at::tensor(plain[1].value, at::kDouble).view(b.sizes()), 1e-5);
}

TEST(AdamW, AParameterWithoutGradientStays) {
    Parameters parameters(3, at::kCPU);
    const at::Tensor a = parameters.add("a", {3}, init_normal(1));
    const at::Tensor b = parameters.add("b", {3}, init_normal(1));
    const at::Tensor before = b.detach().clone();
    AdamW optimizer(parameters, {.learning_rate = 0.1, .weight_decay = 0.5});
    a.mutable_grad() = at::ones({3});
    optimizer.step();
    EXPECT_TRUE(at::equal(b, before));
    optimizer.step();  // no gradient at all
}

TEST(AdamW, StateGoesOnWhereItWasSaved) {
    const AdamWOptions options{.learning_rate = 0.05, .weight_decay = 0.1};
    const auto train = [&](AdamW& optimizer, const at::Tensor& p, std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t step = first; step < last; ++step) {
            p.mutable_grad() = random_tensor(p.sizes().vec(), step);
            optimizer.step();
        }
    };
    Parameters whole(3, at::kCPU), start(3, at::kCPU), rest(3, at::kCPU);
    const at::Tensor a = whole.add("p", {7}, init_normal(1));
    AdamW through(whole, options);
    train(through, a, 0, 10);

    const at::Tensor b = start.add("p", {7}, init_normal(1));
    AdamW first(start, options);
    train(first, b, 0, 4);
    const at::Tensor c = rest.add("p", {7}, init_normal(1));
    AdamW second(rest, options);
    rest.load(start.all(), "test");
    second.load(first.state(), "test");
    train(second, c, 4, 10);
    EXPECT_TRUE(at::equal(a, c));
}

TEST(AdamW, AStateThatDoesNotFitIsRefused) {
    Parameters parameters(3, at::kCPU);
    (void)parameters.add("p", {7}, init_normal(1));
    AdamW optimizer(parameters, {.learning_rate = 0.1});
    Weights state = optimizer.state();
    state["p.exp_avg"] = at::zeros({6});
    EXPECT_THAT([&] { optimizer.load(state, "here"); },
                ThrowsMessage<Error>(::testing::AllOf(HasSubstr("here"), HasSubstr("'p.exp_avg' has shape [6]"))));
    state.erase("p.exp_avg");
    EXPECT_THAT([&] { optimizer.load(state, "here"); }, ThrowsMessage<Error>(HasSubstr("'p.exp_avg' [7] is missing")));
}

}  // namespace
}  // namespace ltad::test
