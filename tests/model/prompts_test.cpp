#include "ltad/model/prompts.h"

#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/golden.h"
#include "support/gradient_check.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Ids = std::vector<std::int64_t>;

class PromptsTest : public ::testing::Test {
protected:
    PromptsTest() { test::make_align_tiny(folder / "model"); }

    [[nodiscard]] Prompts make(const PromptsConfig& config) { return {config, classes, model(), parameters}; }
    const AlignModel& model() {
        if (!model_) model_ = std::make_unique<AlignModel>(folder / "model", at::kCPU);
        return *model_;
    }
    [[nodiscard]] at::Tensor rows(const Ids& ids) { return model().text().word_embeddings(at::tensor(ids, at::kLong)); }
    /// The class's name as words.
    [[nodiscard]] std::string spoken(std::int64_t c) const {
        std::string words = classes[static_cast<std::size_t>(c)];
        std::replace(words.begin(), words.end(), '_', ' ');
        return words;
    }
    /// T of explicit ids.
    [[nodiscard]] at::Tensor encoded(const Ids& ids) { return model().text().forward(rows(ids).unsqueeze(0))[0]; }

    // Ids in the vocabulary of make_align_tiny.
    static constexpr std::int64_t unk = 1, cls = 2, sep = 3, a = 5, broken = 6, object = 7, metal = 8, nut = 9, s = 10,
                                  bottle = 12, cap = 13;
    const test::TemporaryFolder folder;
    const std::vector<std::string> classes = {"metal_nut", "bottlecap", "Nuts", "zipper"};
    Parameters parameters{7, at::kCPU};
    std::unique_ptr<AlignModel> model_;
};

TEST_F(PromptsTest, StartsFromTheTokensOfAnyText) {
    const std::vector<std::tuple<std::string, std::int64_t, std::vector<Ids>>> cases = {
        {"object", 2, {{object, object}, {object, object}, {object, object}, {object, object}}},
        {"a broken bottlecap", 3, {{a, broken, bottle}, {a, broken, bottle}, {a, broken, bottle}, {a, broken, bottle}}},
        {"metal nuts",
         5,
         {{metal, nut, s, metal, nut},
          {metal, nut, s, metal, nut},
          {metal, nut, s, metal, nut},
          {metal, nut, s, metal, nut}}},
        {"class_name", 2, {{metal, nut}, {bottle, cap}, {nut, s}, {unk, unk}}},
        {"class_name", 1, {{metal}, {bottle}, {nut}, {unk}}},
    };
    for (const auto& [init, length, ids] : cases) {
        SCOPED_TRACE(init);
        parameters = Parameters(7, at::kCPU);
        const Prompts prompts = make({.length = length, .init = init});
        ASSERT_EQ(prompts.embeddings().sizes().vec(), (Ids{4, length, 48}));
        for (std::int64_t c = 0; c < 4; ++c)
            EXPECT_TRUE(at::equal(prompts.embeddings()[c], rows(ids[static_cast<std::size_t>(c)]))) << c;
        ASSERT_EQ(parameters.trained().size(), 1u);
        EXPECT_EQ(parameters.trained()[0].first, "prompts.names");
        EXPECT_TRUE(parameters.trained()[0].second.is_same(prompts.embeddings()));
    }
}

TEST_F(PromptsTest, RandomStartsDifferByClassAndFollowTheSeed) {
    const Prompts prompts = make({.length = 8, .init = "random"});
    EXPECT_NEAR(prompts.embeddings().std().item<double>(), 0.02, 0.002);
    EXPECT_FALSE(at::equal(prompts.embeddings()[0], prompts.embeddings()[1]));
    Parameters same(7, at::kCPU), other(8, at::kCPU);
    EXPECT_TRUE(
        at::equal(prompts.embeddings(), Prompts({.length = 8, .init = "random"}, classes, model(), same).embeddings()));
    EXPECT_FALSE(at::equal(prompts.embeddings(),
                           Prompts({.length = 8, .init = "random"}, classes, model(), other).embeddings()));
}

TEST_F(PromptsTest, TextsAreTheEncodersOnExplicitIds) {
    const Prompts prompts = make({.length = 2, .init = "class_name"});
    const at::Tensor names = prompts.names(at::tensor({2, 0, 2}, at::kLong));
    ASSERT_EQ(names.sizes().vec(), (Ids{3, 80}));
    EXPECT_CLOSE_WITHIN(names[0], encoded({cls, nut, s, sep}), 1e-5);
    EXPECT_CLOSE_WITHIN(names[1], encoded({cls, metal, nut, sep}), 1e-5);
    EXPECT_CLOSE_WITHIN(names[2], names[0], 1e-6);
    const at::Tensor abnormal = prompts.with_states({"a broken"}), normal = prompts.with_states({"a"});
    ASSERT_EQ(abnormal.sizes().vec(), (Ids{4, 80}));
    EXPECT_CLOSE_WITHIN(abnormal[1], encoded({cls, a, broken, bottle, cap, sep}), 1e-5);
    EXPECT_CLOSE_WITHIN(normal[0], encoded({cls, a, metal, nut, sep}), 1e-5);
    EXPECT_CLOSE_WITHIN(prompts.with_states({""})[0], names[1], 1e-5);
    // The same as the tokenizer and the encoder give for the words written out.
    EXPECT_CLOSE_WITHIN(abnormal[0], encoded(model().tokenizer().encode("a broken metal nut")), 1e-5);
}

TEST_F(PromptsTest, GradientReachesTheAskedClassesAndIsRight) {
    const Prompts prompts = make({.length = 2, .init = "object"});
    const at::Tensor weights = test::random_tensor({2, 80}, 3);
    (prompts.names(at::tensor({3, 1}, at::kLong)) * weights).sum().backward();
    const at::Tensor gradient = prompts.embeddings().grad();
    EXPECT_EQ(gradient[0].abs().max().item<float>(), 0);
    EXPECT_EQ(gradient[2].abs().max().item<float>(), 0);

    // The same function in double (Prompts follows the model's float), checked by central differences.
    const Weights all = load_weights(folder / "model/model.safetensors");
    const TextEncoder encoder(*model().config().text, with_prefix(all, "text_model."), all.at("text_projection.weight"),
                              all.at("text_projection.bias"), at::kCPU, at::kDouble);
    const at::Tensor names = prompts.embeddings().detach().to(at::kDouble).requires_grad_(true);
    const auto word = [&](std::int64_t id) { return encoder.word_embeddings(at::full({2, 1}, id, at::kLong)); };
    const auto function = [&] {
        const at::Tensor chosen = at::stack({names[3], names[1]});
        return (encoder.forward(at::cat({word(cls), chosen, word(sep)}, 1)) * weights.to(at::kDouble)).sum();
    };
    test::check_gradients(function, {{"names", names}}, 60);
    EXPECT_CLOSE_WITHIN(gradient, names.grad(), 1e-3);
}

TEST_F(PromptsTest, NamesOfTheirOwnLengthsArePaddedUnseen) {
    const Prompts prompts = make({.length = 0, .init = "class_name"});
    ASSERT_EQ(prompts.embeddings().sizes().vec(), (Ids{4, 2, 48}));
    const at::Tensor names = prompts.names(at::tensor({2, 0, 3}, at::kLong));
    const at::Tensor abnormal = prompts.with_states({"a broken"});
    std::int64_t row = 0;
    for (const std::int64_t c : {2, 0, 3}) {
        const std::string words = spoken(c);
        EXPECT_CLOSE_WITHIN(names[row++], encoded(model().tokenizer().encode(words)), 1e-5) << words;
        EXPECT_CLOSE_WITHIN(abnormal[c], encoded(model().tokenizer().encode("a broken " + words)), 1e-5) << words;
    }
}

TEST_F(PromptsTest, PaddingTakesNoGradient) {
    const Prompts prompts = make({.length = 0, .init = "class_name"});
    prompts.names(at::arange(4, at::kLong)).square().sum().backward();
    const at::Tensor gradient = prompts.embeddings().grad();
    bool padded = false;
    for (std::int64_t c = 0; c < 4; ++c) {
        const auto own = static_cast<std::int64_t>(model().tokenizer().ids(spoken(c)).size());
        for (std::int64_t t = 0; t < gradient.size(1); ++t) {
            EXPECT_EQ(gradient[c][t].abs().max().item<float>() > 0, t < own) << c << ' ' << t;
            padded = padded || t >= own;
        }
    }
    EXPECT_TRUE(padded);
}

TEST_F(PromptsTest, SeveralStatesGiveTheMeanOfTheirTexts) {
    const Prompts prompts = make({.length = 2, .init = "class_name"});
    const at::Tensor mean =
        (prompts.with_states({"a"}) + prompts.with_states({"a broken"}) + prompts.with_states({"broken"})) / 3;
    EXPECT_CLOSE_WITHIN(prompts.with_states({"a", "a broken", "broken"}), mean, 1e-6);
}

TEST_F(PromptsTest, NearestWordsOfAnUntrainedNameAreItsOwn) {
    const Prompts prompts = make({.length = 2, .init = "class_name"});
    const auto words = prompts.nearest_words(1, 3);  // "bottlecap"
    ASSERT_EQ(words.size(), 2u);
    EXPECT_EQ(words[0][0].first, "bottle");
    EXPECT_EQ(words[1][0].first, "##cap");
    for (const auto& token : words) {
        ASSERT_EQ(token.size(), 3u);
        EXPECT_NEAR(token[0].second, 1, 1e-5);
        EXPECT_GE(token[1].second, token[2].second);
    }
    EXPECT_EQ(prompts.nearest_words(0, 1000)[0].size(),
              static_cast<std::size_t>(model().tokenizer().vocabulary_size()));
}

TEST_F(PromptsTest, RefusesWhatDoesNotFit) {
    // 32 positions: [CLS], "a broken", 28 learned ones, [SEP].
    EXPECT_NO_THROW((void)make({.length = 28}).with_states({"a broken"}));
    EXPECT_THAT([&] { (void)make({.length = 29}); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("prompts.length"), HasSubstr("29"), HasSubstr("32"))));
    EXPECT_THAT([&] { (void)make({.length = 28, .normal = {"a good broken"}}); },
                ThrowsMessage<UsageError>(HasSubstr("prompts.length")));
    for (const char* nothing : {"", "  ", "\xCC\x81"})
        EXPECT_THAT([&] { (void)make({.init = nothing}); }, ThrowsMessage<UsageError>(HasSubstr("prompts.init")));
}

}  // namespace
}  // namespace ltad
