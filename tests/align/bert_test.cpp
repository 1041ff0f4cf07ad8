#include "ltad/align/bert.h"

#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/golden.h"
#include "support/gradient_check.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

BertConfig tiny_config() {
    return parse_bert_config(read_json(test::golden_path("align_tiny/config.json"))["text_config"], "tiny");
}

TextEncoder tiny_encoder(at::ScalarType dtype = at::kFloat) {
    const Weights weights = load_weights(test::golden_path("align_tiny/model.safetensors"));
    return {tiny_config(),
            with_prefix(weights, "text_model."),
            weights.at("text_projection.weight"),
            weights.at("text_projection.bias"),
            at::kCPU,
            dtype};
}

Weights expected(const std::string& prefix) {
    return with_prefix(load_weights(test::golden_path("align_tiny/expected.safetensors")), prefix);
}

TEST(Bert, HiddenStatesAndFeaturesOfPaddedTextMatchTheReference) {
    const TextEncoder encoder = tiny_encoder();
    const Weights reference = expected("text.");
    const at::Tensor mask = reference.at("attention_mask");
    ASSERT_LT(mask.sum().item<std::int64_t>(), mask.numel()) << "nothing is padded";
    const at::Tensor words = encoder.word_embeddings(reference.at("input_ids"));
    const auto states = encoder.hidden_states(words, mask);
    ASSERT_EQ(states.size(), 4u);
    for (std::size_t i = 0; i < states.size(); ++i)
        EXPECT_CLOSE(states[i], reference.at(text("hidden_states.", i))) << "hidden_states." << i;
    EXPECT_CLOSE(encoder.forward(words, mask), reference.at("text_features"));
    EXPECT_EQ(encoder.hidden_size(), 48);
    EXPECT_EQ(encoder.text_dim(), 80);
    EXPECT_EQ(encoder.max_length(), 32);
}

TEST(Bert, PaddingDoesNotChangeAText) {
    const TextEncoder encoder = tiny_encoder();
    const Weights reference = expected("text.");
    const at::Tensor ids = reference.at("input_ids");
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
        const auto length = reference.at("attention_mask")[i].sum().item<std::int64_t>();
        const at::Tensor alone = encoder.forward(encoder.word_embeddings(ids[i].slice(0, 0, length).unsqueeze(0)));
        EXPECT_CLOSE(alone[0], reference.at("text_features")[i]) << "text " << i;
    }
    const at::Tensor nothing = encoder.forward(encoder.word_embeddings(ids), at::zeros_like(ids));
    EXPECT_TRUE(at::isfinite(nothing).all().item<bool>());
}

TEST(Bert, PromptEmbeddingsAndTheirGradientMatchTheReference) {
    const TextEncoder encoder = tiny_encoder();
    const Weights reference = expected("prompt.");
    const at::Tensor embeddings = reference.at("inputs_embeds").clone().requires_grad_(true);
    const at::Tensor features = encoder.forward(embeddings);
    EXPECT_CLOSE(features, reference.at("text_features"));
    features.sum().backward();  // the reference's scalar
    EXPECT_CLOSE(embeddings.grad(), reference.at("grad"));
}

TEST(Bert, GradientIsRightInDouble) {
    const TextEncoder encoder = tiny_encoder(at::kDouble);
    const at::Tensor embeddings = (test::random_tensor({2, 5, 48}, 3, at::kDouble) * 0.1).requires_grad_(true);
    const at::Tensor mask = at::tensor({1, 1, 1, 1, 1, 1, 1, 1, 0, 0}, at::kLong).view({2, 5});
    const at::Tensor weights = test::random_tensor({2, 80}, 4, at::kDouble);
    test::check_gradients([&] { return (encoder.forward(embeddings, mask) * weights).sum(); },
                          {{"embeddings", embeddings}}, 40);
    EXPECT_EQ(embeddings.grad()[1][4].abs().max().item<double>(), 0) << "padding gets a gradient";
    EXPECT_CLOSE(tiny_encoder().forward(embeddings.to(at::kFloat), mask), encoder.forward(embeddings, mask));
}

TEST(Bert, WordEmbeddingsAreTheTablesRows) {
    const TextEncoder encoder = tiny_encoder();
    const at::Tensor table = load_weights(test::golden_path("align_tiny/model.safetensors"))
                                 .at("text_model.embeddings.word_embeddings.weight");
    const at::Tensor rows = encoder.word_embeddings(at::tensor({0, 127, 5, 5}, at::kLong).view({2, 2}));
    ASSERT_EQ(rows.sizes().vec(), (std::vector<std::int64_t>{2, 2, 48}));
    EXPECT_TRUE(at::equal(rows[0][1], table[127]));
    EXPECT_TRUE(at::equal(rows[1][0], table[5]));
}

TEST(Bert, RefusesTextsThatAreTooLong) {
    const TextEncoder encoder = tiny_encoder();
    EXPECT_NO_THROW((void)encoder.forward(at::zeros({1, 32, 48})));
    EXPECT_THAT(
        [&] {
            (void)encoder.forward(at::zeros({1, 33, 48}));
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("33"), HasSubstr("32"))));
}

TEST(Bert, DefaultsAreBertBase) {
    std::int64_t count = 0;
    for (const auto& [name, shape] : bert_shapes({}))
        count += std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    EXPECT_EQ(count, 109'482'240);  // bert-base-uncased
}

TEST(Bert, ConfigMistakesNameTheKey) {
    const std::vector<std::pair<const char*, const char*>> mistakes = {
        {R"({"hidden_size": 50, "num_attention_heads": 4})", "num_attention_heads"},
        {R"({"hidden_size": "48"})", "hidden_size"},
        {R"({"hidden_size": -48})", "size"},
        {R"({"vocab_size": 0})", "size"},
        {R"({"num_hidden_layers": 0})", "num_hidden_layers"},
        {R"({"num_hidden_layers": 100000})", "num_hidden_layers"},
        {R"({"position_embedding_type": "relative_key"})", "position_embedding_type"},
        {R"({"layer_norm_eps": "small"})", "layer_norm_eps"},
        {R"({"hidden_act": ["gelu"]})", "hidden_act"},
        {R"({"num_attention_heads": true})", "num_attention_heads"},
    };
    for (const auto& [patch, key] : mistakes)
        EXPECT_THAT([&] { (void)parse_bert_config(json::parse(patch), "here.json"); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("here.json"), HasSubstr(key))))
            << patch;
    const BertConfig config = parse_bert_config(json::parse(R"({"hidden_act": null, "vocab_size": 7})"), "here.json");
    EXPECT_EQ(config.hidden_act, "gelu");
    EXPECT_EQ(config.vocab_size, 7);
}

TEST(Bert, FractionsAreNotCutToWholeNumbers) {
    EXPECT_THAT(([] {
                    (void)parse_bert_config({{"hidden_size", 768.5}}, "here.json");
                }),
                ThrowsMessage<Error>(HasSubstr("hidden_size")));
}

TEST(Bert, RefusesAnUnknownActivation) {
    BertConfig config = tiny_config();
    config.hidden_act = "quick_gelu_9";
    const Weights weights = load_weights(test::golden_path("align_tiny/model.safetensors"));
    EXPECT_THAT(([&] {
                    (void)TextEncoder(config, with_prefix(weights, "text_model."), weights.at("text_projection.weight"),
                                      weights.at("text_projection.bias"), at::kCPU);
                }),
                ThrowsMessage<Error>(HasSubstr("quick_gelu_9")));
}

}  // namespace
}  // namespace ltad
