#include "pretrain/updates.h"

#include <tuple>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Weights small_model() {
    return {{"a.weight", random_tensor({3, 4}, 1)},
            {"a.bias", random_tensor({3}, 2)},
            {"b.weight", random_tensor({2, 3, 1, 1}, 3)},
            {"temperature", at::ones({})}};
}

TEST(ApplyUpdates, ReplacesWholeTensorsAndLeavesTheOthers) {
    const Weights model = small_model();
    const Weights kept = {{"a.weight", model.at("a.weight").clone()}};
    const at::Tensor fresh = random_tensor({2, 3, 1, 1}, 9);
    const Weights changed = apply_updates(model, {{"b.weight", fresh}, {"temperature", at::full({}, 0.25)}}, "updates");
    ASSERT_EQ(changed.size(), model.size());
    EXPECT_TRUE(at::equal(changed.at("b.weight"), fresh));
    EXPECT_EQ(changed.at("temperature").item<double>(), 0.25);
    EXPECT_TRUE(at::equal(changed.at("a.weight"), kept.at("a.weight")));
    EXPECT_TRUE(at::equal(changed.at("a.bias"), model.at("a.bias")));
    EXPECT_EQ(model.at("temperature").item<double>(), 1) << "the model itself is as it was";
}

TEST(ApplyUpdates, AddsTheProductOfTwoFactors) {
    const Weights model = small_model();
    const at::Tensor down = random_tensor({2, 4}, 4);
    const at::Tensor up = random_tensor({3, 2}, 5);
    const Weights changed = apply_updates(model, {{"a.weight.down", down}, {"a.weight.up", up}}, "updates");
    ASSERT_EQ(changed.size(), model.size()) << "factors are no tensors of the model";
    const auto w = values_of(model.at("a.weight"));
    const auto d = values_of(down);
    const auto u = values_of(up);
    at::Tensor expected = at::empty({3, 4}, at::kDouble);
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 4; ++j)
            expected.mutable_data_ptr<double>()[i * 4 + j] = w[i * 4 + j] + u[i * 2] * d[j] + u[i * 2 + 1] * d[4 + j];
    EXPECT_CLOSE_WITHIN(changed.at("a.weight"), expected, 1e-6);
}

TEST(ApplyUpdates, GradientsReachFactorsAndReplacedTensors) {
    const Weights model = small_model();
    at::Tensor down = random_tensor({2, 4}, 4).requires_grad_();
    at::Tensor up = random_tensor({3, 2}, 5).requires_grad_();
    at::Tensor bias = random_tensor({3}, 6).requires_grad_();
    const Weights changed =
        apply_updates(model, {{"a.weight.down", down}, {"a.weight.up", up}, {"a.bias", bias}}, "updates");
    const at::Tensor x = random_tensor({3, 4}, 7);
    ((changed.at("a.weight") * x).sum() + 2 * changed.at("a.bias").sum()).backward();
    EXPECT_CLOSE_WITHIN(up.grad(), at::matmul(x, down.detach().t()), 1e-6);
    EXPECT_CLOSE_WITHIN(down.grad(), at::matmul(up.detach().t(), x), 1e-6);
    EXPECT_TRUE(at::equal(bias.grad(), at::full({3}, 2.0)));
}

TEST(ApplyUpdates, HalfPrecisionModelsAreUpdatedInSinglePrecision) {
    Weights model = small_model();
    model["a.weight"] = model["a.weight"].to(at::kHalf);
    const at::Tensor down = random_tensor({1, 4}, 4);
    const at::Tensor up = random_tensor({3, 1}, 5);
    const Weights changed = apply_updates(model, {{"a.weight.down", down}, {"a.weight.up", up}}, "updates");
    EXPECT_EQ(changed.at("a.weight").scalar_type(), at::kFloat);
    EXPECT_CLOSE_WITHIN(changed.at("a.weight"), model["a.weight"].to(at::kDouble) + (up * down).to(at::kDouble), 1e-6);
}

TEST(ApplyUpdates, WhatDoesNotFitIsNamed) {
    const at::Tensor down = at::zeros({2, 4});
    const at::Tensor up = at::zeros({3, 2});
    const std::vector<std::tuple<const char*, Weights, std::vector<const char*>>> mistakes = {
        {"an unknown tensor", {{"c.weight", up}}, {"'c.weight'", "no tensor"}},
        {"factors of one", {{"c.weight.down", down}, {"c.weight.up", up}}, {"'c.weight'", "no tensor"}},
        {"no up", {{"a.weight.down", down}}, {"'a.weight'", "one factor"}},
        {"no down", {{"a.weight.up", up}}, {"'a.weight'", "one factor"}},
        {"another shape", {{"a.bias", at::zeros({4})}}, {"'a.bias'", "[4]", "[3]"}},
        {"other ranks", {{"a.weight.down", at::zeros({1, 4})}, {"a.weight.up", up}}, {"[3, 2]", "[1, 4]"}},
        {"another width", {{"a.weight.down", at::zeros({2, 5})}, {"a.weight.up", up}}, {"[2, 5]", "[3, 4]"}},
        {"another height", {{"a.weight.down", down}, {"a.weight.up", at::zeros({4, 2})}}, {"[4, 2]", "[3, 4]"}},
        {"a factor that is no matrix", {{"a.weight.down", at::zeros({4})}, {"a.weight.up", up}}, {"'a.weight'", "[4]"}},
        {"a weight that is none",
         {{"b.weight.down", at::zeros({1, 3})}, {"b.weight.up", at::zeros({2, 1})}},
         {"'b.weight'", "[2, 3, 1, 1]"}},
    };
    for (const auto& [what, updates, words] : mistakes)
        for (const char* word : words)
            EXPECT_THAT([&] { (void)apply_updates(small_model(), updates, "some.safetensors"); },
                        ThrowsMessage<Error>(AllOf(HasSubstr("some.safetensors"), HasSubstr(word))))
                << what;
}

TEST(UpdatesFile, IsReadBackAsItWasWritten) {
    const TemporaryFolder folder;
    const auto file = folder / "updates.safetensors";
    const json sources = {{"image", {{"file", "a.pth"}, {"sha256", "12"}}}, {"text", {{"sha256", "34"}}}};
    write_updates(file, {{{"x.down", random_tensor({2, 3}, 1)}}, sources}, {{"training", "note"}});
    const ModelUpdates updates = read_updates(file);
    EXPECT_EQ(updates.sources, sources);
    ASSERT_EQ(updates.tensors.size(), 1u);
    EXPECT_TRUE(at::equal(updates.tensors.at("x.down"), random_tensor({2, 3}, 1)));
    Metadata metadata;
    (void)load_weights(file, &metadata);
    EXPECT_EQ(metadata["training"], "note");
    EXPECT_EQ(metadata["format"], "ltad-updates/1");
}

TEST(UpdatesFile, OtherFilesAreRefused) {
    const TemporaryFolder folder;
    const auto file = folder / "other.safetensors";
    const auto saved_with = [&](const Metadata& metadata) {
        std::filesystem::remove(file);
        save_weights(file, {{"x", at::ones({2})}}, metadata);
        return [&file] { (void)read_updates(file); };
    };
    EXPECT_THAT(saved_with({}),
                ThrowsMessage<Error>(AllOf(HasSubstr("other.safetensors"), HasSubstr("ltad-updates/1"))));
    EXPECT_THAT(saved_with({{"format", "ltad-updates/2"}, {"sources", "{}"}}),
                ThrowsMessage<Error>(AllOf(HasSubstr("ltad-updates/2"), HasSubstr("ltad-updates/1"))));
    for (const char* sources : {"", "no json", "[1]"})
        EXPECT_THAT(saved_with({{"format", "ltad-updates/1"}, {"sources", sources}}),
                    ThrowsMessage<Error>(
                        AllOf(HasSubstr("other.safetensors"), AnyOf(HasSubstr("sources"), HasSubstr("damaged")))))
            << sources;
    EXPECT_THAT([&] { (void)read_updates(folder / "none.safetensors"); },
                ThrowsMessage<Error>(HasSubstr("none.safetensors")));
}

}  // namespace
}  // namespace ltad::test
