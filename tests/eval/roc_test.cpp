#include "ltad/eval/roc.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/golden.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// The definition: every (defective, good) pair.
double all_pairs(const std::vector<float>& scores, const std::vector<std::uint8_t>& labels) {
    double right = 0;
    double pairs = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        for (std::size_t j = 0; j < scores.size(); ++j) {
            if (labels[i] == 0 || labels[j] != 0) continue;
            ++pairs;
            right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        }
    return right / pairs;
}

TEST(Auroc, EqualsTheReferenceImplementation) {
    const json cases = read_json(golden_path("metrics/expected.json"));
    const Weights inputs = load_weights(golden_path("metrics/inputs.safetensors"));
    ASSERT_GE(cases.size(), 8u);
    for (const json& c : cases) {
        const std::string name = c["name"];
        const at::Tensor scores = inputs.at(name + ".scores");
        const at::Tensor labels = inputs.at(name + ".labels");
        const auto size = static_cast<std::size_t>(scores.numel());
        const auto found = auroc({scores.const_data_ptr<float>(), size}, {labels.const_data_ptr<std::uint8_t>(), size});
        ASSERT_TRUE(found) << name;
        EXPECT_NEAR(*found, c["auroc"].get<double>(), 1e-12) << name;
    }
}

TEST(Auroc, EqualsAllPairsOnRandomScores) {
    for (std::uint64_t trial = 0; trial < 200; ++trial) {
        Random random(RandomUse::test, {trial});
        const std::size_t size = 2 + random.below(60);
        const std::uint64_t levels = 1 + random.below(12);  // few levels: many ties
        std::vector<float> scores;
        std::vector<std::uint8_t> labels{0, 255};
        for (std::size_t i = 0; i < size; ++i) {
            const auto level = static_cast<float>(random.below(levels));
            scores.push_back(random.chance(0.5) ? level : -level);  // −0 as well
            if (i >= 2) labels.push_back(random.chance(0.3) ? 1 : 0);
        }
        EXPECT_DOUBLE_EQ(auroc(scores, labels).value(), all_pairs(scores, labels)) << trial;
    }
}

TEST(RankedScores, PiecesAndThreadsMakeNoDifference) {
    const at::Tensor scores = at::round(random_tensor({400'000}, 1) * 1000) / 7;  // with ties
    const at::Tensor labels = random_tensor({400'000}, 2).gt(1).to(at::kByte);
    const std::span all(scores.const_data_ptr<float>(), 400'000);
    const std::span all_labels(labels.const_data_ptr<std::uint8_t>(), 400'000);
    const double whole = auroc(all, all_labels).value();
    RankedScores pieces;
    for (std::size_t first = 0; first < all.size(); first += 60'000) {
        const std::size_t count = std::min<std::size_t>(60'000, all.size() - first);
        pieces.add(all.subspan(first, count), all_labels.subspan(first, count));
    }
    at::set_num_threads(3);  // enough scores for several runs
    const double by_threads = pieces.auroc().value();
    at::set_num_threads(1);
    EXPECT_EQ(by_threads, whole);
    EXPECT_EQ(pieces.auroc().value(), whole) << "asked twice";
}

TEST(Auroc, OrdersExtremes) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    const std::vector<float> scores{-infinity, -1e38f, -tiny, -0.0f, 0.0f, tiny, 1e38f, infinity};
    for (std::size_t split = 1; split < scores.size(); ++split) {
        std::vector<std::uint8_t> labels(scores.size(), 0);
        std::fill(labels.begin() + static_cast<std::ptrdiff_t>(split), labels.end(), std::uint8_t{1});
        EXPECT_DOUBLE_EQ(auroc(scores, labels).value(), all_pairs(scores, labels)) << split;
    }
}

TEST(Auroc, TurnedRoundIsOneMinus) {
    std::vector<float> scores(1000), turned;
    std::vector<std::uint8_t> labels;
    Random random(RandomUse::test, {1});
    random.fill_normal(scores);
    for (const float score : scores) {
        turned.push_back(-score);
        labels.push_back(random.chance(0.2) ? 1 : 0);
    }
    EXPECT_NEAR(auroc(scores, labels).value() + auroc(turned, labels).value(), 1, 1e-15);
}

TEST(Auroc, NeedsBothLabelsAndNumbers) {
    const std::vector<float> scores{1, 2, 3};
    EXPECT_FALSE(auroc(scores, std::vector<std::uint8_t>{0, 0, 0}));
    EXPECT_FALSE(auroc(scores, std::vector<std::uint8_t>{1, 1, 1}));
    EXPECT_FALSE(auroc({}, {}));
    EXPECT_THAT(
        [&] {
            (void)auroc(scores, std::vector<std::uint8_t>{0, 1});
        },
        ThrowsMessage<Error>(HasSubstr("3 scores")));
    EXPECT_THAT(
        [] {
            (void)auroc(std::vector<float>{1, NAN}, std::vector<std::uint8_t>{0, 1});
        },
        ThrowsMessage<Error>(HasSubstr("score 1")));
}

}  // namespace
}  // namespace ltad::test
