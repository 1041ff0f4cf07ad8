#include "ltad/eval/roc.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/all_pairs.h"
#include "support/golden.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Labelled {
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;

    [[nodiscard]] RankedScores ranked() const {
        RankedScores all;
        all.add(scores, labels);
        return all;
    }
    /// The items of one label that score at least the threshold.
    [[nodiscard]] double found(bool defective, float threshold) const {
        double count = 0;
        for (std::size_t i = 0; i < scores.size(); ++i)
            count += (labels[i] != 0) == defective && scores[i] >= threshold ? 1 : 0;
        return count;
    }
    [[nodiscard]] std::set<float, std::greater<>> thresholds() const { return {scores.begin(), scores.end()}; }
};

/// Few levels: many ties, among them −0 and 0, and infinities. Both labels are there.
Labelled random_items(std::uint64_t seed) {
    Random random(RandomUse::test, {seed});
    const std::size_t size = 2 + random.below(60);
    const std::uint64_t levels = 1 + random.below(12);
    Labelled items{.scores = {}, .labels = {0, 255}};
    for (std::size_t i = 0; i < size; ++i) {
        const auto level = static_cast<float>(random.below(levels));
        const float magnitude = level == 7 ? infinity : level;
        items.scores.push_back(random.chance(0.5) ? magnitude : -magnitude);
        if (i >= 2) items.labels.push_back(random.chance(0.3) ? 1 : 0);
    }
    return items;
}

/// The definitions, every threshold counted anew.
RankedFigures threshold_by_threshold(const Labelled& items) {
    RankedFigures out{
        .auroc = all_pairs(items.scores, items.labels), .average_precision = 0, .f1_max = -1, .f1_threshold = infinity};
    const double defective = items.found(true, -infinity);
    double last_recall = 0;
    for (const float threshold : items.thresholds()) {
        const double right = items.found(true, threshold);
        const double precision = right / (right + items.found(false, threshold));
        const double recall = right / defective;
        out.average_precision += (recall - last_recall) * precision;
        last_recall = recall;
        const double f1 = right == 0 ? 0 : 2 * precision * recall / (precision + recall);
        if (f1 > out.f1_max + 1e-12) {
            out.f1_max = f1;
            out.f1_threshold = threshold;
        }
    }
    return out;
}

void expect_figures(const RankedFigures& found, const RankedFigures& expected, const std::string& what) {
    EXPECT_NEAR(found.auroc, expected.auroc, 1e-12) << what;
    EXPECT_NEAR(found.average_precision, expected.average_precision, 1e-12) << what;
    EXPECT_NEAR(found.f1_max, expected.f1_max, 1e-12) << what;
    EXPECT_EQ(found.f1_threshold, expected.f1_threshold) << what;
}

TEST(RankedScores, EqualTheReferenceImplementation) {
    const json cases = read_json(golden_path("metrics/expected.json"));
    const Weights inputs = load_weights(golden_path("metrics/inputs.safetensors"));
    ASSERT_GE(cases.size(), 8u);
    for (const json& c : cases) {
        const std::string name = c["name"];
        const at::Tensor scores = inputs.at(name + ".scores");
        const at::Tensor labels = inputs.at(name + ".labels");
        const auto size = static_cast<std::size_t>(scores.numel());
        RankedScores ranked;
        ranked.add({scores.const_data_ptr<float>(), size}, {labels.const_data_ptr<std::uint8_t>(), size});
        ASSERT_TRUE(ranked.figures()) << name;
        expect_figures(*ranked.figures(),
                       {.auroc = c["auroc"],
                        .average_precision = c["average_precision"],
                        .f1_max = c["f1_max"],
                        .f1_threshold = c["f1_max_threshold"]},
                       name);
    }
}

TEST(RankedScores, EqualTheDefinitionsOnRandomScores) {
    for (std::uint64_t trial = 0; trial < 200; ++trial) {
        const Labelled items = random_items(trial);
        expect_figures(items.ranked().figures().value(), threshold_by_threshold(items), std::to_string(trial));
    }
}

// scikit-learn's documentation of average_precision_score has these four and 0.83 for them.
TEST(RankedScores, EqualAWorkedCase) {
    const Labelled items{.scores = {0.1f, 0.4f, 0.35f, 0.8f}, .labels = {0, 0, 1, 1}};
    expect_figures(items.ranked().figures().value(),
                   {.auroc = 0.75, .average_precision = 0.5 + 0.5 * 2 / 3, .f1_max = 0.8, .f1_threshold = 0.35f}, "");
}

TEST(RankedScores, GiveTheHighestOfThresholdsWithEqualF1) {
    // F1 is 2/3 at 5 (1 of 1 found, 2 defective), 1/2 at 4, 2/5 at 3 and 4/6 at 2.
    const Labelled items{.scores = {5, 4, 3, 2}, .labels = {1, 0, 0, 1}};
    const RankedFigures found = items.ranked().figures().value();
    EXPECT_DOUBLE_EQ(found.f1_max, 2.0 / 3);
    EXPECT_EQ(found.f1_threshold, 5);
}

TEST(RankedScores, KnowTheOrderOfTheScoresOnly) {
    Labelled items = random_items(5);
    const RankedFigures before = items.ranked().figures().value();
    for (float& score : items.scores) score = std::atan(score) * 3 - 100;
    const RankedFigures after = items.ranked().figures().value();
    EXPECT_EQ(after.auroc, before.auroc);
    EXPECT_EQ(after.average_precision, before.average_precision);
    EXPECT_EQ(after.f1_max, before.f1_max);
    EXPECT_EQ(after.f1_threshold, std::atan(before.f1_threshold) * 3 - 100);
}

TEST(RankedScores, AddThoseOfOthers) {
    const Labelled first = random_items(1), second = random_items(2);
    Labelled both = first;
    both.scores.insert(both.scores.end(), second.scores.begin(), second.scores.end());
    both.labels.insert(both.labels.end(), second.labels.begin(), second.labels.end());
    RankedScores mixed = first.ranked();
    (void)mixed.figures();  // sorted before more come
    RankedScores other = second.ranked();
    (void)other.figures();
    mixed.add(other);
    mixed.add(RankedScores());
    expect_figures(mixed.figures().value(), threshold_by_threshold(both), "mixed");
    expect_figures(other.figures().value(), threshold_by_threshold(second), "as it was");
}

/// Through every threshold.
std::vector<RocPoint> whole_curve(const Labelled& items) {
    std::vector<RocPoint> points{{0, 0}};
    for (const float threshold : items.thresholds())
        points.push_back({items.found(false, threshold) / items.found(false, -infinity),
                          items.found(true, threshold) / items.found(true, -infinity)});
    return points;
}

/// How high a polyline is at x, on the side of smaller x where it rises straight up.
double height_at(const std::vector<RocPoint>& points, double x) {
    for (std::size_t i = 1; i < points.size(); ++i) {
        const RocPoint a = points[i - 1], b = points[i];
        if (b.false_positive_rate < x || b.false_positive_rate == a.false_positive_rate) continue;
        const double share = (x - a.false_positive_rate) / (b.false_positive_rate - a.false_positive_rate);
        return a.true_positive_rate + share * (b.true_positive_rate - a.true_positive_rate);
    }
    return 1;
}

double distance_to(const std::vector<RocPoint>& points, const RocPoint& from) {
    double least = infinity;
    for (std::size_t i = 1; i < points.size(); ++i) {
        const RocPoint a = points[i - 1], b = points[i];
        const double dx = b.false_positive_rate - a.false_positive_rate;
        const double dy = b.true_positive_rate - a.true_positive_rate;
        const double x = from.false_positive_rate - a.false_positive_rate;
        const double y = from.true_positive_rate - a.true_positive_rate;
        const double share = std::clamp((x * dx + y * dy) / (dx * dx + dy * dy), 0.0, 1.0);
        least = std::min(least, std::hypot(x - share * dx, y - share * dy));
    }
    return least;
}

double area_under(const std::vector<RocPoint>& points) {
    double area = 0;
    for (std::size_t i = 1; i < points.size(); ++i)
        area += (points[i].false_positive_rate - points[i - 1].false_positive_rate) *
                (points[i].true_positive_rate + points[i - 1].true_positive_rate) / 2;
    return area;
}

TEST(RocCurve, HasEveryCornerWhereThatManyPointsAreAllowed) {
    for (std::uint64_t trial = 0; trial < 100; ++trial) {
        const Labelled items = random_items(trial);
        std::set<float> thresholds;
        for (std::size_t i = 0; i < items.scores.size(); ++i)
            if (items.labels[i] != 0) thresholds.insert(items.scores[i]);
        const auto found = items.ranked().roc_curve(2 * thresholds.size() + 2), expected = whole_curve(items);
        EXPECT_EQ(found.front(), (RocPoint{0, 0}));
        EXPECT_EQ(found.back(), (RocPoint{1, 1}));
        EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end()) << "a point twice, " << trial;
        for (const RocPoint& point : found) EXPECT_THAT(expected, ::testing::Contains(point)) << trial;
        for (int x = 0; x <= 1000; ++x)
            EXPECT_NEAR(height_at(found, x / 1000.0), height_at(expected, x / 1000.0), 1e-12) << trial << ", " << x;
        EXPECT_NEAR(area_under(found), items.ranked().auroc().value(), 1e-12);
    }
}

TEST(RocCurve, IsThinnedEvenly) {
    Labelled items;
    Random random(RandomUse::test, {1});
    for (int i = 0; i < 3000; ++i) {
        const bool defective = random.chance(0.3);
        items.labels.push_back(defective ? 1 : 0);
        items.scores.push_back(static_cast<float>(std::round(100 * (random.normal() + (defective ? 1 : 0)))));
    }
    RankedScores ranked = items.ranked();
    const auto whole = whole_curve(items);
    for (const std::size_t most : {std::size_t{2}, std::size_t{3}, std::size_t{50}, std::size_t{200}}) {
        const auto points = ranked.roc_curve(most);
        EXPECT_LE(points.size(), most);
        EXPECT_GE(points.size(), most - most / 10);
        EXPECT_EQ(points.front(), (RocPoint{0, 0}));
        EXPECT_EQ(points.back(), (RocPoint{1, 1}));
        for (const RocPoint& point : points) EXPECT_THAT(whole, ::testing::Contains(point)) << most;
        for (std::size_t i = 1; i < points.size(); ++i) {
            EXPECT_GE(points[i].false_positive_rate, points[i - 1].false_positive_rate);
            EXPECT_GE(points[i].true_positive_rate, points[i - 1].true_positive_rate);
        }
        for (const RocPoint& point : whole)
            EXPECT_LE(distance_to(points, point), 2.0 / static_cast<double>(most - 1)) << most;
    }
    EXPECT_NEAR(area_under(ranked.roc_curve(200)), ranked.auroc().value(), 1e-3);
}

TEST(RocCurve, NeedsBothLabelsAndTwoPoints) {
    const Labelled good{.scores = {1, 2}, .labels = {0, 0}};
    EXPECT_TRUE(good.ranked().roc_curve(10).empty());
    EXPECT_TRUE(RankedScores().roc_curve(10).empty());
    EXPECT_THAT([] { (void)random_items(1).ranked().roc_curve(1); },
                ThrowsMessage<Error>(HasSubstr("1 points were asked for")));
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
    EXPECT_FALSE(RankedScores().figures());
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
