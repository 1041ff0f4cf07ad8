#include "ltad/model/semantic_head.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/golden.h"
#include "support/gradient_check.h"

namespace ltad {
namespace {

using Rows = std::vector<std::vector<double>>;

const std::vector<std::int64_t> channels = {3, 2, 4};
constexpr std::int64_t dim = 5;

/// [N, M] as nested vectors.
Rows rows(const at::Tensor& tensor) {
    Rows out;
    for (std::int64_t i = 0; i < tensor.size(0); ++i) out.push_back(test::values_of(tensor[i]));
    return out;
}

/// W x + b, by loops.
std::vector<double> affine(const Weights& weights, const std::string& name, const std::vector<double>& x) {
    const Rows weight = rows(weights.at(name + ".weight"));
    std::vector<double> out = test::values_of(weights.at(name + ".bias"));
    for (std::size_t o = 0; o < out.size(); ++o)
        for (std::size_t i = 0; i < x.size(); ++i) out[o] += weight[o][i] * x[i];
    return out;
}

/// p̂ of one token by the formulas of eqs. 3 and 4 and table 7.
std::vector<double> projected(const SemanticConfig& config, const Weights& weights, const std::vector<double>& token) {
    if (config.projection == "concatenated") return affine(weights, "projection", token);
    Rows layers;
    auto first = token.begin();
    for (std::size_t l = 0; l < channels.size(); ++l) {
        layers.push_back(affine(weights, text("projections.", l), {first, first + channels[l]}));
        first += channels[l];
    }
    std::vector<double> out(dim);
    for (std::size_t k = 0; k < dim; ++k)
        out[k] = config.pooling == "max" ? std::max({layers[0][k], layers[1][k], layers[2][k]})
                                         : (layers[0][k] + layers[1][k] + layers[2][k]) / 3;
    return out;
}

struct Head {
    SemanticConfig config;
    Parameters parameters{3, at::kCPU, at::kDouble};
    SemanticHead head;
    at::Tensor normal = test::random_tensor({3, dim}, 11, at::kDouble) * 2;
    at::Tensor abnormal = test::random_tensor({3, dim}, 12, at::kDouble) * 3;
    at::Tensor tokens = test::random_tensor({2, 6, 9}, 13, at::kDouble);
    at::Tensor classes = at::tensor({2, 0}, at::kLong);

    explicit Head(SemanticConfig c) : config(std::move(c)), head(config, channels, dim, 3, parameters) {
        std::uint64_t seed = 20;
        for (const auto& [name, tensor] : parameters.trained())
            tensor.detach().copy_(test::random_tensor(tensor.sizes().vec(), ++seed));  // biases too
        if (config.text == "encoder") head.set_texts(normal, abnormal);
    }
};

std::vector<SemanticConfig> variants() {
    std::vector<SemanticConfig> all;
    for (const char* projection : {"per_layer", "concatenated"})
        for (const char* pooling : {"max", "mean"})
            for (const bool normalize : {true, false})
                all.push_back({.projection = projection,
                               .pooling = pooling,
                               .temperature = normalize ? 0.5 : 2.0,
                               .normalize_text = normalize});
    return all;
}

TEST(SemanticHead, AgreesWithPlainLoops) {
    for (const SemanticConfig& config : variants()) {
        const Head h(config);
        SCOPED_TRACE(config.projection + ' ' + config.pooling + (config.normalize_text ? " normalized" : ""));
        const at::Tensor patches = h.head.project(h.tokens);
        const at::Tensor logits = h.head.logits(h.tokens, h.classes);
        ASSERT_EQ(patches.sizes().vec(), (std::vector<std::int64_t>{2, 6, dim}));
        ASSERT_EQ(logits.sizes().vec(), (std::vector<std::int64_t>{2, 6}));
        const auto scores = rows(logits.sigmoid());
        const auto texts = [&](const at::Tensor& table, std::size_t image) {
            std::vector<double> t =
                test::values_of(table[h.classes[static_cast<std::int64_t>(image)].item<std::int64_t>()]);
            double square = 0;
            for (const double v : t) square += v * v;
            if (config.normalize_text)
                for (double& v : t) v /= std::sqrt(square);
            return t;
        };
        for (std::size_t b = 0; b < 2; ++b)
            for (std::size_t n = 0; n < 6; ++n) {
                const auto i = static_cast<std::int64_t>(b), j = static_cast<std::int64_t>(n);
                const auto p = projected(config, h.parameters.all(), test::values_of(h.tokens[i][j]));
                const auto got = test::values_of(patches[i][j]);
                double normal = 0, abnormal = 0;
                for (std::size_t k = 0; k < dim; ++k) {
                    EXPECT_NEAR(got[k], p[k], 1e-12);
                    normal += texts(h.normal, b)[k] * p[k];
                    abnormal += texts(h.abnormal, b)[k] * p[k];
                }
                // S_sem: softmax with temperature over the two similarities.
                const double a = std::exp(abnormal / config.temperature), m = std::exp(normal / config.temperature);
                EXPECT_NEAR(scores[b][n], a / (a + m), 1e-12);
            }
    }
}

TEST(SemanticHead, NamesItsParameters) {
    EXPECT_EQ(Head({.projection = "per_layer"}).parameters.all().size(), 6u);
    const Weights one = Head({.projection = "concatenated"}).parameters.all();
    ASSERT_EQ(one.size(), 2u);
    EXPECT_EQ(one.at("projection.weight").sizes().vec(), (std::vector<std::int64_t>{dim, 9}));
}

TEST(SemanticHead, NormalizedTextsDoNotDependOnTheirLength) {
    for (const bool normalize : {true, false}) {
        Head h({.normalize_text = normalize});
        const at::Tensor before = h.head.logits(h.tokens, h.classes);
        h.head.set_texts(h.normal * 7, h.abnormal * 0.1);
        EXPECT_EQ(at::allclose(before, h.head.logits(h.tokens, h.classes)), normalize);
    }
}

TEST(SemanticLoss, IsTheBinaryCrossEntropyOfBothHalves) {
    const at::Tensor abnormal = test::random_tensor({2, 6}, 1, at::kDouble) * 3;
    const at::Tensor normal =
        test::random_tensor({3, 6}, 2, at::kDouble) * 3;  // halves of different size count the same
    double first = 0, second = 0;
    for (const double x : test::values_of(abnormal)) first -= std::log(1 / (1 + std::exp(-x))) / 12;
    for (const double x : test::values_of(normal)) second -= std::log(1 - 1 / (1 + std::exp(-x))) / 18;
    EXPECT_NEAR(semantic_loss(abnormal, normal).item<double>(), (first + second) / 2, 1e-12);
    // Not minimal at S ≡ 1, as eq. 8 is printed; and finite where a sigmoid in float is exactly 0 or 1.
    const at::Tensor sure = at::full({4}, 500.0f);
    EXPECT_NEAR(semantic_loss(sure, sure).item<double>(), 250, 1e-3);
    EXPECT_NEAR(semantic_loss(sure, -sure).item<double>(), 0, 1e-6);
    EXPECT_NEAR(semantic_loss(-sure, sure).item<double>(), 500, 1e-3);
    EXPECT_NEAR(semantic_loss(at::zeros({4}), at::zeros({4})).item<double>(), std::log(2.0), 1e-6);
}

TEST(SemanticLoss, GradientsAreRightInDouble) {
    for (const SemanticConfig& config : variants()) {
        SCOPED_TRACE(config.projection + ' ' + config.pooling);
        const Head h(config);
        const at::Tensor jittered = test::random_tensor({2, 6, 9}, 31, at::kDouble);
        const auto abnormal_half = [&] {
            return semantic_loss(h.head.logits(jittered, h.classes), at::full({1}, -1e9, at::kDouble));
        };
        const auto normal_half = [&] {
            return semantic_loss(at::full({1}, 1e9, at::kDouble), h.head.logits(h.tokens, h.classes));
        };
        const auto both = [&] {
            return semantic_loss(h.head.logits(jittered, h.classes), h.head.logits(h.tokens, h.classes));
        };
        test::check_gradients(abnormal_half, h.parameters.trained());
        test::check_gradients(normal_half, h.parameters.trained());
        test::check_gradients(both, h.parameters.trained());
        EXPECT_NEAR(both().item<double>(), abnormal_half().item<double>() + normal_half().item<double>(), 1e-12);
    }
}

TEST(SemanticHead, TextsTakeNoGradient) {
    Head h({});
    at::Tensor learned = h.normal.clone().requires_grad_(true);
    h.head.set_texts(learned * 2, h.abnormal);
    h.head.logits(h.tokens, h.classes).sum().backward();
    EXPECT_FALSE(learned.grad().defined());
}

TEST(SemanticHead, FreeTextsAreLearned) {
    for (const char* pooling : {"max", "mean"}) {
        Head h({.pooling = pooling, .text = "free"});
        ASSERT_EQ(h.parameters.trained().size(), 2 * channels.size() + 2);
        const at::Tensor normal = h.parameters.all().at("texts.normal"),
                         abnormal = h.parameters.all().at("texts.abnormal");
        normal.detach().copy_(h.normal);
        abnormal.detach().copy_(h.abnormal);
        SemanticConfig fixed{.pooling = pooling};
        Head same(fixed);
        EXPECT_CLOSE_WITHIN(h.head.logits(h.tokens, h.classes), same.head.logits(h.tokens, h.classes), 1e-12);
        const auto loss = [&] { return h.head.logits(h.tokens, h.classes).square().sum(); };
        loss().backward();
        EXPECT_EQ(normal.grad()[1].abs().max().item<double>(), 0) << "class 1 is not there";
        EXPECT_GT(normal.grad()[2].abs().max().item<double>(), 0);
        for (const auto& [name, parameter] : h.parameters.trained()) parameter.mutable_grad().reset();
        test::check_gradients(loss, {{"normal", normal}, {"abnormal", abnormal}}, 12);
    }
}

}  // namespace
}  // namespace ltad
