#include "ltad/pretrain/contrastive.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/gradient_check.h"
#include "support/temporary_folder.h"
#include "support/tiny_pretraining.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;

/// −Σ target · log softmax(logits).
double cross_entropy(const std::vector<double>& logits, const std::vector<double>& target) {
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit);
    double loss = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) loss -= target[i] * (logits[i] - std::log(sum));
    return loss;
}

/// The loss in plain loops: each picture picks among the captions, each caption among the pictures.
double plain_loss(const at::Tensor& image, const at::Tensor& text, const std::vector<std::size_t>& caption,
                  double temperature, double smoothing) {
    const auto pictures = static_cast<std::size_t>(image.size(0));
    const auto captions = static_cast<std::size_t>(text.size(0));
    std::vector<std::vector<double>> cosine(pictures, std::vector<double>(captions));
    for (std::size_t i = 0; i < pictures; ++i)
        for (std::size_t u = 0; u < captions; ++u) {
            const auto a = values_of(image[static_cast<std::int64_t>(i)]);
            const auto b = values_of(text[static_cast<std::int64_t>(u)]);
            double dot = 0, aa = 0, bb = 0;
            for (std::size_t k = 0; k < a.size(); ++k) dot += a[k] * b[k], aa += a[k] * a[k], bb += b[k] * b[k];
            cosine[i][u] = dot / std::sqrt(aa * bb) / temperature;
        }
    double of_pictures = 0;
    for (std::size_t i = 0; i < pictures; ++i) {
        std::vector<double> target(captions, smoothing / static_cast<double>(captions));
        target[caption[i]] += 1 - smoothing;
        of_pictures += cross_entropy(cosine[i], target) / static_cast<double>(pictures);
    }
    double of_captions = 0;
    for (std::size_t u = 0; u < captions; ++u) {
        const auto shown = static_cast<double>(std::count(caption.begin(), caption.end(), u));
        std::vector<double> logits, target;
        for (std::size_t i = 0; i < pictures; ++i) {
            logits.push_back(cosine[i][u]);
            target.push_back(smoothing / static_cast<double>(pictures) +
                             (caption[i] == u ? (1 - smoothing) / shown : 0));
        }
        of_captions += cross_entropy(logits, target) / static_cast<double>(captions);
    }
    return (of_pictures + of_captions) / 2;
}

at::Tensor scalar(double value) { return at::full({}, value, at::kDouble); }

TEST(ContrastiveLoss, EqualsPlainLoops) {
    const at::Tensor image = random_tensor({5, 4}, 1, at::kDouble);
    for (const std::vector<std::size_t>& caption :
         {std::vector<std::size_t>{0, 1, 0, 2, 0}, {0, 1, 2, 3, 4}, {0, 0, 0, 0, 0}})
        for (const double smoothing : {0.0, 0.1, 0.5})
            for (const double temperature : {0.07, 1.0}) {
                const auto captions = static_cast<std::int64_t>(*std::max_element(caption.begin(), caption.end()) + 1);
                const at::Tensor text = random_tensor({captions, 4}, 2, at::kDouble);
                const std::vector<std::int64_t> indices(caption.begin(), caption.end());
                const at::Tensor loss =
                    contrastive_loss(image, text, at::tensor(indices), scalar(temperature), smoothing);
                EXPECT_EQ(loss.dim(), 0);
                EXPECT_NEAR(loss.item<double>(), plain_loss(image, text, caption, temperature, smoothing), 1e-10)
                    << captions << ' ' << smoothing << ' ' << temperature;
            }
}

TEST(ContrastiveLoss, IsTransformersWhenCaptionsDifferAndNothingIsSmoothed) {
    // modeling_align.py: cross_entropy(logits, arange(B)) both ways, averaged.
    const at::Tensor image = random_tensor({6, 8}, 3, at::kDouble);
    const at::Tensor text = random_tensor({6, 8}, 4, at::kDouble);
    const at::Tensor order = at::arange(6);
    const at::Tensor logits = at::matmul(text / text.norm(2, {1}, true), (image / image.norm(2, {1}, true)).t()) / 0.2;
    const at::Tensor expected = (at::cross_entropy_loss(logits, order) + at::cross_entropy_loss(logits.t(), order)) / 2;
    EXPECT_NEAR(contrastive_loss(image, text, order, scalar(0.2), 0).item<double>(), expected.item<double>(), 1e-12);
}

TEST(ContrastiveLoss, LengthsOfEmbeddingsDoNotMatter) {
    const at::Tensor image = random_tensor({4, 8}, 3, at::kDouble);
    const at::Tensor text = random_tensor({2, 8}, 4, at::kDouble);
    const at::Tensor caption = at::tensor({0, 1, 1, 0}).to(at::kLong);
    const auto loss = [&](double a, double b) {
        return contrastive_loss(image * a, text * b, caption, scalar(0.1), 0.1).item<double>();
    };
    EXPECT_NEAR(loss(7, 0.01), loss(1, 1), 1e-12);
    EXPECT_TRUE(std::isfinite(loss(0, 1))) << "a dead picture spoils the batch";
}

TEST(ContrastiveLoss, GradientsMatchNumericalOnes) {
    at::Tensor image = random_tensor({5, 4}, 1, at::kDouble).requires_grad_();
    at::Tensor text = random_tensor({3, 4}, 2, at::kDouble).requires_grad_();
    at::Tensor temperature = scalar(0.3).requires_grad_();
    const at::Tensor caption = at::tensor({0, 1, 0, 2, 0}).to(at::kLong);
    check_gradients([&] { return contrastive_loss(image, text, caption, temperature, 0.1); },
                    {{"image", image}, {"text", text}, {"temperature", temperature}});
}

class ContrastiveModelTest : public ::testing::Test {
protected:
    [[nodiscard]] ContrastiveModel open(const std::string& image_tower, const std::string& text_tower) const {
        ContrastiveConfig config;
        config.image_tower = image_tower;
        config.text_tower = text_tower;
        config.rank = 3;
        config.temperature = 0.25;
        return {config, directory, 7, at::kCPU};
    }
    static std::vector<std::string> names(ContrastiveModel& model) {
        std::vector<std::string> out;
        for (const auto& [name, tensor] : model.parameters().trained()) out.push_back(name);
        return out;
    }
    static at::Tensor pictures() {
        std::vector<at::Tensor> all;
        for (std::size_t i = 0; i < 3; ++i)
            all.push_back(at::tensor(at::ArrayRef<std::uint8_t>(toy_picture(i).pixels), at::kByte).view({32, 32, 3}));
        return at::stack(all);
    }

    TemporaryFolder folder;
    std::filesystem::path directory = make_tiny_model(folder.path());
    const std::vector<std::string> texts = {"a broken part", "wood", "a"};
};

TEST_F(ContrastiveModelTest, FrozenTowersAreTheModelsOwn) {
    ContrastiveModel model = open("frozen", "frozen");
    EXPECT_THAT(names(model),
                UnorderedElementsAre("text_projection.weight", "text_projection.bias", "log_temperature"));
    EXPECT_NEAR(model.temperature().item<double>(), 0.25, 1e-7);
    EXPECT_TRUE(model.image_frozen() && model.text_frozen());
    const AlignModel& source = model.source();
    const auto expected = source.image().forward(source.preprocess(pictures()), {}).pooled;
    EXPECT_TRUE(at::equal(model.embed_pictures(pictures()), expected));
    const at::Tensor together = model.embed_texts(texts);
    EXPECT_FALSE(together.requires_grad());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const at::Tensor ids = at::tensor(source.tokenizer().encode(texts[i])).unsqueeze(0);
        const at::Tensor alone = source.text().forward(source.text().word_embeddings(ids));
        EXPECT_CLOSE_WITHIN(together[static_cast<std::int64_t>(i)], alone[0], 1e-5) << texts[i];
    }
}

TEST_F(ContrastiveModelTest, TextsThatAreTooLongAreCut) {
    const ContrastiveModel model = open("frozen", "frozen");
    const auto text_of = [](int words) {
        std::string text;
        for (int i = 0; i < words; ++i) text += i % 2 == 0 ? "metal " : "wood ";
        return text;
    };
    // 16 positions hold 14 words between [CLS] and [SEP].
    const at::Tensor states = model.text_states({text_of(14), text_of(40), text_of(13)});
    EXPECT_CLOSE_WITHIN(states[1], states[0], 1e-6);
    EXPECT_GT((states[2] - states[0]).abs().max().item<double>(), 1e-3);
}

TEST_F(ContrastiveModelTest, ManyTextsAreEmbeddedInBatches) {
    const ContrastiveModel model = open("frozen", "frozen");
    std::vector<std::string> many;
    for (int i = 0; i < 300; ++i) many.push_back(text("part ", i));
    const at::Tensor all = model.embed_texts(many);
    ASSERT_EQ(all.size(0), 300);
    for (const std::int64_t i : {0, 127, 128, 255, 299})
        EXPECT_CLOSE_WITHIN(all[i], model.embed_texts({many[static_cast<std::size_t>(i)]})[0], 1e-5) << i;
}

TEST_F(ContrastiveModelTest, EveryTowerStartsAtTheModel) {
    const ContrastiveModel frozen = open("frozen", "frozen");
    for (const char* tower : {"low_rank", "trained"}) {
        const ContrastiveModel model = open("trained", tower);
        EXPECT_CLOSE_WITHIN(model.embed_pictures(pictures()), frozen.embed_pictures(pictures()), 1e-5) << tower;
        EXPECT_CLOSE_WITHIN(model.embed_texts(texts), frozen.embed_texts(texts), 1e-5) << tower;
    }
}

TEST_F(ContrastiveModelTest, LowRankUpdatesAreOfTheLinearLayersAndActAsTheirProduct) {
    ContrastiveModel model = open("frozen", "low_rank");
    EXPECT_EQ(names(model).size(), 3u + 6u * 2u);
    std::uint64_t seed = 0;
    Weights changed = with_prefix(read_model_weights(directory), "text_model.");
    const Weights parameters = model.parameters().all();
    for (const char* layer : {"attention.self.query", "attention.self.key", "attention.self.value",
                              "attention.output.dense", "intermediate.dense", "output.dense"}) {
        const std::string name = text("encoder.layer.0.", layer, ".weight");
        at::Tensor up = parameters.at("text_model." + name + ".up");
        const at::Tensor down = parameters.at("text_model." + name + ".down");
        ASSERT_EQ(up.size(1), 3);
        const at::Tensor fresh = random_tensor(up.sizes().vec(), ++seed) * 0.3;
        std::copy_n(fresh.const_data_ptr<float>(), fresh.numel(), up.mutable_data_ptr<float>());
        changed[name] = changed.at(name) + at::matmul(fresh, down.detach());
    }
    const TextEncoder expected(*model.source().config().text, changed, at::zeros({1, 16}), at::zeros({1}), at::kCPU);
    const at::Tensor ids = at::tensor(model.source().tokenizer().encode(texts[0])).unsqueeze(0);
    const at::Tensor states = expected.hidden_states(expected.word_embeddings(ids)).back();
    EXPECT_CLOSE_WITHIN(model.text_states({texts[0]}), states.select(1, 0), 1e-5);
    const at::Tensor before = open("frozen", "frozen").text_states({texts[0]});
    EXPECT_GT((model.text_states({texts[0]}) - before).abs().max().item<double>(), 0.01);
}

TEST_F(ContrastiveModelTest, TrainedTowersTrainAllThatInferenceUses) {
    ContrastiveModel model = open("trained", "trained");
    std::vector<std::string> expected = {"log_temperature"};
    for (const auto& [name, tensor] : read_model_weights(directory))
        if (name != "temperature" && !name.starts_with("text_model.pooler.") &&
            name.find("running_") == std::string::npos)
            expected.push_back(name);
    EXPECT_THAT(names(model), ::testing::UnorderedElementsAreArray(expected));
    const at::Tensor text = model.project(model.text_states(texts));
    contrastive_loss(model.embed_pictures(pictures()), text, at::arange(3), model.temperature(), 0.1).backward();
    std::vector<std::string> without;
    for (const auto& [name, tensor] : model.parameters().trained())
        if (!tensor.grad().defined()) without.push_back(name);
    EXPECT_THAT(without, IsEmpty());
}

TEST_F(ContrastiveModelTest, AnOpenSqueezeExciteIsNotTrained) {
    Weights weights;  // the last block's gate alone is closed for good
    for (const auto& [name, tensor] : read_model_weights(directory)) weights[name] = tensor.clone();
    weights.at("vision_model.encoder.blocks.2.squeeze_excite.expand.weight").zero_();
    std::filesystem::remove(directory / "model.safetensors");
    save_weights(directory / "model.safetensors", weights, {});
    ContrastiveModel model = open("trained", "frozen");
    const auto trained = names(model);
    const auto gates_of = [&](int block) {
        return std::count_if(trained.begin(), trained.end(), [&](const std::string& name) {
            return name.find(text("blocks.", block, ".squeeze_excite.")) != std::string::npos;
        });
    };
    EXPECT_EQ(gates_of(1), 4);
    EXPECT_EQ(gates_of(2), 0);
}

TEST_F(ContrastiveModelTest, UpdatesHoldWhatWasTrainedUnderTheModelsNames) {
    ContrastiveModel model = open("frozen", "low_rank");
    const Weights updates = model.updates();
    EXPECT_FALSE(updates.contains("log_temperature"));
    EXPECT_NEAR(updates.at("temperature").item<double>(), 0.25, 1e-7);
    EXPECT_EQ(updates.size(), names(model).size());
    for (const auto& [name, tensor] : model.parameters().trained()) {
        if (name == "log_temperature") continue;
        ASSERT_TRUE(updates.contains(name)) << name;
        EXPECT_TRUE(at::equal(updates.at(name), tensor)) << name;
        EXPECT_FALSE(updates.at(name).requires_grad()) << name;
    }
}

TEST_F(ContrastiveModelTest, NeedsATextEncoder) {
    const Weights vision = with_prefix(read_model_weights(directory), "vision_model.");
    json config = tiny_align_config()["vision_config"];
    config["model_type"] = "efficientnet";
    write_text(directory / "config.json", config.dump());
    save_weights(folder / "vision.safetensors", vision, {});
    std::filesystem::rename(folder / "vision.safetensors", directory / "model.safetensors");
    EXPECT_THAT([&] { ContrastiveModel({}, directory, 1, at::kCPU); },
                ThrowsMessage<Error>(HasSubstr("no text encoder")));
    EXPECT_THAT([&] { ContrastiveModel({}, folder / "nothing", 1, at::kCPU); },
                ThrowsMessage<Error>(HasSubstr("nothing")));
}

}  // namespace
}  // namespace ltad::test
