#include "ltad/eval/pixel_scores.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/random.h"
#include "ltad/eval/regions.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Picture {
    std::size_t width = 0;
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
};

PixelScores collected(const std::vector<Picture>& pictures) {
    PixelScores scores;
    for (const Picture& p : pictures) scores.add(p.scores, p.labels, p.width);
    return scores;
}

struct CurvePoint {
    double false_positive_rate, overlap;
};

/// The pixels that score `threshold` or more, counted anew.
CurvePoint point_at(const std::vector<Picture>& pictures, float threshold) {
    double good = 0, alarms = 0, regions = 0, overlap = 0;
    for (const Picture& p : pictures) {
        for (std::size_t i = 0; i < p.scores.size(); ++i) {
            good += p.labels[i] == 0 ? 1 : 0;
            alarms += p.labels[i] == 0 && p.scores[i] >= threshold ? 1 : 0;
        }
        const Regions found = find_regions(p.labels, p.width);
        auto pixel = found.pixels.begin();
        for (const std::uint32_t size : found.sizes) {
            const auto hits =
                std::count_if(pixel, pixel + size, [&](std::uint32_t i) { return p.scores[i] >= threshold; });
            overlap += static_cast<double>(hits) / size;
            pixel += size;
            ++regions;
        }
    }
    return {alarms / good, overlap / regions};
}

/// The definition: trapezoids between the points of all thresholds, the last one cut at the limit.
double threshold_by_threshold(const std::vector<Picture>& pictures, double limit) {
    std::set<float, std::greater<>> thresholds;
    for (const Picture& p : pictures) thresholds.insert(p.scores.begin(), p.scores.end());
    double area = 0;
    CurvePoint last{0, 0};
    for (const float threshold : thresholds) {
        CurvePoint next = point_at(pictures, threshold);
        if (next.false_positive_rate > limit) {
            const double share =
                (limit - last.false_positive_rate) / (next.false_positive_rate - last.false_positive_rate);
            next = {limit, last.overlap + share * (next.overlap - last.overlap)};
        }
        area += (next.false_positive_rate - last.false_positive_rate) * (next.overlap + last.overlap) / 2;
        last = next;
        if (last.false_positive_rate >= limit) break;
    }
    return area / limit;
}

/// Few levels of scores, so that there are many ties, −0 and the infinities among them.
std::vector<Picture> random_pictures(std::uint64_t seed) {
    Random random(RandomUse::test, {seed});
    std::vector<Picture> pictures(1 + random.below(4));
    const std::uint64_t levels = 1 + random.below(30);
    const double density = random.uniform(0.05, 0.5);
    for (Picture& p : pictures) {
        p.width = 2 + random.below(9);
        for (std::size_t i = p.width * (1 + random.below(9)); i > 0; --i) {
            const auto level = static_cast<float>(random.below(levels));
            const float score = random.chance(0.5) ? level : -level;
            p.scores.push_back(random.chance(0.1) ? (random.chance(0.5) ? infinity : -infinity) : score);
            p.labels.push_back(random.chance(density) ? 1 : 0);
        }
    }
    pictures[0].labels[0] = 0;
    pictures[0].labels[1] = 255;
    return pictures;
}

TEST(RegionOverlap, EqualsTheCurveThresholdByThreshold) {
    for (std::uint64_t trial = 0; trial < 200; ++trial) {
        const auto pictures = random_pictures(trial);
        PixelScores scores = collected(pictures);
        for (const double limit : {0.01, 0.3, 1.0})
            EXPECT_NEAR(scores.region_overlap(limit).value(), threshold_by_threshold(pictures, limit), 1e-12)
                << trial << ", limit " << limit;
    }
}

// scikit-learn 1.9's roc_auc_score(labels, scores, sample_weight, max_fpr=limit), McClish's standardisation undone and
// divided by the limit, where a good pixel weighs 1 and a defective one 1 / the size of its region (scipy 1.17's
// ndimage.label(labels, np.ones((3, 3)))).
TEST(RegionOverlap, EqualsScikitLearnsPartialAreaWithTheRegionsWeights) {
    std::vector<Picture> pictures;
    for (int p = 0; p < 3; ++p) {
        Picture& picture = pictures.emplace_back(Picture{.width = 12, .scores = {}, .labels = {}});
        for (int y = 0; y < 10; ++y)
            for (int x = 0; x < 12; ++x) {
                const int i = (p * 10 + y) * 12 + x;
                const bool defective = p < 2 && (x * y + p * x) % (7 + p) < 2 && x % 5 > p;
                picture.labels.push_back(defective ? 1 : 0);
                picture.scores.push_back(static_cast<float>((i * i * 7 + i * 3) % 23) / 4 + (defective ? 1.25f : 0));
            }
    }
    PixelScores scores = collected(pictures);
    EXPECT_NEAR(scores.region_overlap(0.05).value(), 0.07209736842105255, 1e-13);
    EXPECT_NEAR(scores.region_overlap().value(), 0.12566169688763293, 1e-13);
    EXPECT_NEAR(scores.region_overlap(1).value(), 0.6266299268515249, 1e-13);
    EXPECT_NEAR(scores.figures().value().auroc, 0.6819657934617882, 1e-13);
}

TEST(RegionOverlap, CountsEveryRegionAlike) {
    // A region of four pixels found at once, one of a single pixel found after two of the ten good ones.
    const std::vector<Picture> pictures{{.width = 5,
                                         .scores = {9, 9, 0, 0, 0, 9, 9, 6, 7, 0, 0, 0, 0, 0, 5},
                                         .labels = {1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}}};
    PixelScores scores = collected(pictures);
    // PRO is 1/2 up to the false positive rate 0.2 and 1 from there on.
    EXPECT_DOUBLE_EQ(scores.region_overlap(0.2).value(), 0.5);
    EXPECT_DOUBLE_EQ(scores.region_overlap(0.3).value(), (0.2 * 0.5 + 0.1) / 0.3);
    EXPECT_DOUBLE_EQ(scores.region_overlap(1).value(), 0.9);
    // With pixels all alike, the four weigh four times as much.
    EXPECT_DOUBLE_EQ(scores.figures().value().auroc, (4 + 0.8) / 5);
}

TEST(RegionOverlap, DrawsTiesAsASlope) {
    const std::vector<Picture> pictures{{.width = 5, .scores = {1, 1, 1, 1, 1}, .labels = {1, 0, 0, 0, 0}}};
    PixelScores scores = collected(pictures);
    EXPECT_DOUBLE_EQ(scores.region_overlap(1).value(), 0.5);
    EXPECT_DOUBLE_EQ(scores.region_overlap(0.3).value(), 0.15);
}

TEST(RegionOverlap, IsOneForAPerfectDetectorAndZeroForItsOpposite) {
    std::vector<Picture> pictures = random_pictures(3);
    for (const float sign : {1.0f, -1.0f}) {
        for (Picture& p : pictures)
            for (std::size_t i = 0; i < p.scores.size(); ++i) p.scores[i] = p.labels[i] != 0 ? sign : 0;
        PixelScores scores = collected(pictures);
        EXPECT_DOUBLE_EQ(scores.region_overlap().value(), sign > 0 ? 1 : 0);
        EXPECT_DOUBLE_EQ(scores.figures().value().auroc, sign > 0 ? 1 : 0);
    }
}

TEST(RegionOverlap, KnowsTheOrderOfTheScoresOnly) {
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
        auto pictures = random_pictures(trial);
        const double before = collected(pictures).region_overlap().value();
        for (Picture& p : pictures)
            for (float& score : p.scores) score = std::atan(score) * 3 - 100;
        EXPECT_EQ(collected(pictures).region_overlap().value(), before) << trial;
        std::reverse(pictures.begin(), pictures.end());
        EXPECT_NEAR(collected(pictures).region_overlap().value(), before, 1e-14) << trial;
    }
}

TEST(PixelScores, ThreadsMakeNoDifference) {
    constexpr std::size_t size = 400'000;  // enough defective ones for several threads to sort
    Random random(RandomUse::test, {1});
    Picture picture{.width = 800, .scores = std::vector<float>(size), .labels = {}};
    random.fill_normal(picture.scores);
    for (float& score : picture.scores) score = std::round(score * 1000);  // ties
    for (std::size_t i = 0; i < size; ++i) picture.labels.push_back(random.chance(0.4) ? 1 : 0);
    const double whole = collected({picture}).region_overlap().value();
    at::set_num_threads(3);
    const double by_threads = collected({picture}).region_overlap().value();
    at::set_num_threads(1);
    EXPECT_EQ(by_threads, whole);
}

TEST(PixelScores, MayBeAskedBetweenPictures) {
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
        const auto pictures = random_pictures(trial);
        PixelScores asked;
        for (const Picture& p : pictures) {
            asked.add(p.scores, p.labels, p.width);
            (void)asked.region_overlap();
            (void)asked.figures();
        }
        PixelScores whole = collected(pictures);
        EXPECT_EQ(asked.figures().value().average_precision, whole.figures().value().average_precision);
        EXPECT_EQ(asked.roc_curve(50), whole.roc_curve(50));
        EXPECT_NEAR(asked.region_overlap().value(), whole.region_overlap().value(), 1e-14);
    }
}

TEST(PixelScores, NeedGoodPixelsRegionsAndNumbers) {
    PixelScores scores;
    EXPECT_FALSE(scores.region_overlap());
    const std::vector<float> four{1, 2, 3, 4};
    scores.add(four, std::vector<std::uint8_t>{0, 0, 0, 0}, 2);
    EXPECT_FALSE(scores.region_overlap());
    EXPECT_FALSE(scores.figures());
    PixelScores defective;
    defective.add(four, std::vector<std::uint8_t>{1, 1, 1, 1}, 2);
    EXPECT_FALSE(defective.region_overlap());

    const std::vector<std::uint8_t> labels{0, 0, 0, 1};
    const std::vector<float> nan{1, NAN, 3, 4};
    EXPECT_THAT(
        [&] {
            scores.add(four, std::vector<std::uint8_t>{1, 1}, 2);
        },
        ThrowsMessage<Error>(HasSubstr("4 scores")));
    EXPECT_THAT([&] { scores.add(four, labels, 3); }, ThrowsMessage<Error>(HasSubstr("rows of 3")));
    EXPECT_THAT([&] { scores.add(nan, labels, 2); }, ThrowsMessage<Error>(HasSubstr("score 1")));
    EXPECT_FALSE(scores.region_overlap()) << "of what was refused, something was added";
    EXPECT_FALSE(scores.figures());

    for (const double limit : {0.0, -0.1, 1.1, std::nan("")})
        EXPECT_THAT([&] { (void)scores.region_overlap(limit); }, ThrowsMessage<Error>(HasSubstr("AUPRO: the limit")));
}

}  // namespace
}  // namespace ltad::test
