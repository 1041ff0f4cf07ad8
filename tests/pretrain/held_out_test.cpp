#include "ltad/pretrain/held_out.h"

#include <cmath>
#include <numeric>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/synth/pairs.h"
#include "pretrain/pair_source.h"
#include "support/temporary_folder.h"
#include "support/tiny_pretraining.h"

namespace ltad::test {
namespace {

double cosine(const at::Tensor& a, const at::Tensor& b) {
    const auto x = values_of(a);
    const auto y = values_of(b);
    double dot = 0, xx = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) dot += x[i] * y[i], xx += x[i] * x[i], yy += y[i] * y[i];
    return dot / std::sqrt(xx * yy);
}

/// Shares of pictures and of texts whose own partner is the nearest among these rows.
std::pair<double, double> plain_recall(const at::Tensor& image, const at::Tensor& text,
                                       const std::vector<std::int64_t>& rows) {
    double pictures = 0, texts = 0;
    for (const std::int64_t own : rows) {
        bool first_text = true, first_picture = true;
        for (const std::int64_t other : rows) {
            if (other == own) continue;
            first_text = first_text && cosine(image[own], text[own]) > cosine(image[own], text[other]);
            first_picture = first_picture && cosine(image[own], text[own]) > cosine(image[other], text[own]);
        }
        pictures += first_text ? 1 : 0;
        texts += first_picture ? 1 : 0;
    }
    const auto count = static_cast<double>(rows.size());
    return {pictures / count, texts / count};
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = first; i < last; ++i) rows.push_back(i);
    return rows;
}

std::vector<std::string> different(std::size_t count) {
    std::vector<std::string> captions;
    for (std::size_t i = 0; i < count; ++i) captions.push_back("caption " + std::to_string(i));
    return captions;
}

TEST(RecallAt1, EqualsAPlainLoopInAGroup) {
    const at::Tensor image = random_tensor({30, 4}, 1);
    const at::Tensor text = image + random_tensor({30, 4}, 2) * 0.3 + 0.7;
    const Recall recall = recall_at_1(image, text * 5, different(30));
    const auto [pictures, texts] = plain_recall(image, text, range(0, 30));
    EXPECT_EQ(recall.candidates, 30);
    EXPECT_NEAR(recall.image_to_text, pictures, 1e-12);
    EXPECT_NEAR(recall.text_to_image, texts, 1e-12);
    EXPECT_NE(recall.image_to_text, recall.text_to_image) << "the two directions could be swapped unseen";
}

TEST(RecallAt1, IsTheMeanOverFullGroupsOfAHundred) {
    const at::Tensor image = random_tensor({250, 8}, 1);
    const at::Tensor text = image + random_tensor({250, 8}, 2);
    const Recall recall = recall_at_1(image, text, different(250));
    const auto first = plain_recall(image, text, range(0, 100));
    const auto second = plain_recall(image, text, range(100, 200));
    EXPECT_EQ(recall.candidates, 100);
    EXPECT_NEAR(recall.image_to_text, (first.first + second.first) / 2, 1e-12);
    EXPECT_NEAR(recall.text_to_image, (first.second + second.second) / 2, 1e-12);
}

TEST(RecallAt1, TheSameMeaningNeverMeetsItself) {
    // Even rows share their meaning with the odd one after them, and their text; only apart can each be the first.
    std::vector<std::string> meanings;
    for (int i = 0; i < 20; ++i) meanings.push_back("meaning " + std::to_string(i / 2));
    const at::Tensor image = at::eye(10).repeat_interleave(2, 0);
    const Recall recall = recall_at_1(image, image, meanings);
    EXPECT_EQ(recall.candidates, 10);
    EXPECT_EQ(recall.image_to_text, 1);
    EXPECT_EQ(recall.text_to_image, 1);
    // Rows 0, 2, 4, … form the first group, the others the second.
    const at::Tensor spoiled = image.clone();
    spoiled[3] = -image[3];
    EXPECT_NEAR(recall_at_1(spoiled, image, meanings).image_to_text, 0.95, 1e-12);
}

TEST(RecallAt1, SmallSetsAreOneGroup) {
    const at::Tensor image = random_tensor({3, 4}, 1);
    EXPECT_EQ(recall_at_1(image, image, {"a", "b", "c"}).candidates, 3);
    EXPECT_EQ(recall_at_1(image, image, {"a", "a", "b"}).candidates, 2);
    const Recall same = recall_at_1(image, image, {"a", "a", "a"});
    EXPECT_EQ(same.candidates, 1);
    EXPECT_EQ(same.image_to_text, 1);
}

TEST(HeldOutMeasures, MeanAndJsonFollowTheClasses) {
    const auto recall = [](const Recall& r) {
        return json{{"candidates", r.candidates},
                    {"image_to_text_recall_at_1", r.image_to_text},
                    {"text_to_image_recall_at_1", r.text_to_image}};
    };
    HeldOutMeasures measures;
    measures.new_pictures = {.candidates = 7, .image_to_text = 0.5, .text_to_image = 0.25};
    EXPECT_FALSE(measures.mean_auroc());
    EXPECT_EQ(measures.to_json(), json({{"new_pictures", recall(measures.new_pictures)}}));
    measures.new_classes = {.candidates = 6, .image_to_text = 0.125, .text_to_image = 0};
    measures.zero_shot = {{"gear", 1.0}, {"disc", 0.5}};
    EXPECT_EQ(*measures.mean_auroc(), 0.75);
    EXPECT_EQ(measures.to_json()["new_pictures"], recall(measures.new_pictures));
    EXPECT_EQ(measures.to_json()["new_classes"], recall(*measures.new_classes));
    EXPECT_EQ(measures.to_json()["zero_shot_auroc"], 0.75);
    EXPECT_EQ(measures.to_json()["zero_shot_auroc_by_class"], json({{"gear", 1.0}, {"disc", 0.5}}));
}

/// The recall of all pairs of a source, taken in one batch.
void expect_recall_of(const PairSource& source, const ContrastiveModel& model, const Recall& actual) {
    std::vector<std::size_t> all(source.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const Pairs pairs = source.load(all, 0);
    const Recall expected =
        recall_at_1(model.embed_pictures(pairs.pictures), model.embed_texts(pairs.captions), pairs.meanings);
    EXPECT_EQ(actual.candidates, expected.candidates);
    EXPECT_EQ(actual.image_to_text, expected.image_to_text);
    EXPECT_EQ(actual.text_to_image, expected.text_to_image);
}

TEST(HeldOut, AListsPairsAreMeasuredByRecallAlone) {
    const TemporaryFolder folder;
    const PretrainConfig config = make_toy_training(folder.path());
    const ContrastiveModel model(config.contrastive, config.model, 1, at::kCPU);
    HeldOut held_out(config);
    const HeldOutMeasures measures = held_out.measure(model);
    EXPECT_TRUE(measures.zero_shot.empty());
    EXPECT_FALSE(measures.new_classes);
    EXPECT_EQ(measures.new_pictures.candidates, 3);
    expect_recall_of(*open_pairs(config, PairUse::new_pictures), model, measures.new_pictures);
    EXPECT_EQ(held_out.measure(model).to_json(), measures.to_json()) << "pictures are encoded once";
}

TEST(HeldOut, ZeroShotTellsBrokenFromGoodOfEveryHeldOutSubject) {
    const TemporaryFolder folder;
    PretrainConfig config = toy_config(folder.path());
    make_tiny_model(folder.path());
    config.pairs.list.clear();
    config.held_out.pairs = 40;
    config.held_out.pictures_per_class = 3;
    const ContrastiveModel model(config.contrastive, config.model, 1, at::kCPU);
    const HeldOutMeasures measures = HeldOut(config).measure(model);
    expect_recall_of(*open_pairs(config, PairUse::new_pictures), model, measures.new_pictures);
    ASSERT_TRUE(measures.new_classes);
    expect_recall_of(*open_pairs(config, PairUse::new_classes), model, *measures.new_classes);
    const std::vector<std::string> subjects = pair_subjects(PairSide::held_out);
    ASSERT_EQ(measures.zero_shot.size(), subjects.size());
    std::set<double> seen;
    for (std::size_t s = 0; s < subjects.size(); ++s) {
        EXPECT_EQ(measures.zero_shot[s].name, subjects[s]);
        const auto defects = pair_defects(PairSide::held_out, s);
        const at::Tensor text = model.embed_texts({"a " + subjects[s], "a broken " + subjects[s]});
        std::vector<double> scores;
        for (std::size_t i = 0; i < 6; ++i) {
            const PairKey key{.seed = config.seed,
                              .side = PairSide::held_out,
                              .index = 40 + static_cast<std::int64_t>(i),
                              .size = 32};
            const Image image = draw_pair_of(key, s, i < 3 ? "" : defects[i % defects.size()]).image;
            const at::Tensor picture =
                at::tensor(at::ArrayRef<std::uint8_t>(image.pixels), at::kByte).view({1, 32, 32, 3});
            const at::Tensor embedding = model.embed_pictures(picture)[0];
            scores.push_back(cosine(embedding, text[1]) - cosine(embedding, text[0]));
        }
        double right = 0;
        for (std::size_t good = 0; good < 3; ++good)
            for (std::size_t broken = 3; broken < 6; ++broken) right += scores[broken] > scores[good] ? 1 : 0;
        EXPECT_NEAR(measures.zero_shot[s].auroc, right / 9, 1e-12) << subjects[s];
        seen.insert(measures.zero_shot[s].auroc);
    }
    EXPECT_GT(seen.size(), 2u) << "every class measures the same";
}

}  // namespace
}  // namespace ltad::test
