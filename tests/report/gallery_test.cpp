#include "ltad/report/gallery.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/random.h"
#include "report/sample_report.h"

namespace ltad {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::size_t> indices(const std::vector<GalleryChoice>& choices, GalleryKind kind) {
    std::vector<std::size_t> found;
    for (const GalleryChoice& choice : choices)
        if (choice.kind == kind) found.push_back(choice.index);
    return found;
}

// One class: good 1 2 5, defective 0 3 5 6 7 8.
const std::vector<GalleryCandidate> one_class = {{"a", false, 1}, {"a", false, 2}, {"a", false, 5},
                                                 {"a", true, 0},  {"a", true, 3},  {"a", true, 5},
                                                 {"a", true, 6},  {"a", true, 7},  {"a", true, 8}};

TEST(ChooseGallery, WorstMissesAndFalseAlarmsComeFirst) {
    const auto choices = choose_gallery(one_class, {.per_class = 9});
    EXPECT_THAT(indices(choices, GalleryKind::miss), ElementsAre(3, 4, 5));  // 3, 1 and 1 (a tie) good ones as high
    EXPECT_THAT(indices(choices, GalleryKind::false_alarm), ElementsAre(2, 0, 1));  // 3, 1 and 1 defective as low
    const auto hits = indices(choices, GalleryKind::hit);
    ASSERT_EQ(hits.size(), 3u);
    EXPECT_EQ(hits[0], 7u);  // 7, the middle of 6 7 8
    // Three misses, two false alarms, one hit, and again.
    EXPECT_EQ(choices[0].index, 3u);
    EXPECT_EQ(choices[3].index, 2u);
    EXPECT_EQ(choices[5].index, 7u);
    EXPECT_EQ(choices[6].index, 1u);
}

TEST(ChooseGallery, RanksWithinTheClass) {
    auto candidates = one_class;
    candidates.push_back({"b", true, 100});
    const auto choices = choose_gallery(candidates, {.per_class = 9});
    std::map<std::size_t, std::int64_t> ranks;
    for (const GalleryChoice& choice : choices) {
        ranks[choice.index] = choice.rank;
        EXPECT_EQ(choice.of, choice.index == 9 ? 1 : 9);
    }
    EXPECT_EQ(ranks[8], 1);
    EXPECT_EQ(ranks[6], 3);
    EXPECT_EQ(ranks[5], 4);  // shares it with the good one
    EXPECT_EQ(ranks[2], 4);
    EXPECT_EQ(ranks[3], 9);
}

TEST(ChooseGallery, SaysFromHowMany) {
    // One class: two misses (a good one outscores them), the good one, and a hit.
    const std::vector<GalleryCandidate> candidates = {
        {"a", true, 1}, {"a", true, 2}, {"a", false, 3}, {"a", true, 4}, {"a", false, 0}};
    EXPECT_EQ(count_gallery_kinds(candidates), (std::array<std::size_t, 3>{2, 1, 1}));
}

TEST(ChooseGallery, LimitsHold) {
    Random random(RandomUse::test, {3});
    std::vector<GalleryCandidate> candidates;
    for (int i = 0; i < 400; ++i)
        candidates.push_back({std::string(1, static_cast<char>('a' + i % 5)), random.chance(0.5), random.uniform()});
    const GalleryLimits limits{.misses = 8, .false_alarms = 100, .hits = 0, .per_class = 2};
    const auto choices = choose_gallery(candidates, limits);
    EXPECT_EQ(indices(choices, GalleryKind::miss).size(), 8u);
    EXPECT_EQ(indices(choices, GalleryKind::false_alarm).size(), 10u);
    EXPECT_TRUE(indices(choices, GalleryKind::hit).empty());
}

TEST(ChooseGallery, KindsAreThoseOfPlainCode) {
    Random random(RandomUse::test, {4});
    std::vector<GalleryCandidate> candidates;
    for (int i = 0; i < 120; ++i)
        candidates.push_back(
            {random.chance(0.5) ? "a" : "b", random.chance(0.5), static_cast<double>(random.below(15))});
    const auto choices =
        choose_gallery(candidates, {.misses = 999, .false_alarms = 999, .hits = 999, .per_class = 999});
    std::set<std::size_t> seen;
    for (const GalleryChoice& choice : choices) {
        EXPECT_TRUE(seen.insert(choice.index).second);
        const GalleryCandidate& one = candidates[choice.index];
        std::int64_t higher = 0;
        bool good_above = false;
        for (const GalleryCandidate& other : candidates) {
            if (other.class_name != one.class_name) continue;
            higher += other.score > one.score ? 1 : 0;
            good_above = good_above || (!other.defective && other.score >= one.score);
        }
        EXPECT_EQ(choice.rank, higher + 1);
        EXPECT_EQ(choice.kind, !one.defective ? GalleryKind::false_alarm
                               : good_above   ? GalleryKind::miss
                                              : GalleryKind::hit);
    }
    const auto defective =
        std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return c.defective; });
    EXPECT_EQ(indices(choices, GalleryKind::miss).size() + indices(choices, GalleryKind::hit).size(),
              static_cast<std::size_t>(defective));
}

TEST(ChooseGallery, ClassesMayLackALabel) {
    EXPECT_TRUE(choose_gallery({}).empty());
    const std::vector<GalleryCandidate> good = {{"a", false, 1}}, defective = {{"a", true, 1}};
    EXPECT_TRUE(choose_gallery(good).empty());
    EXPECT_EQ(choose_gallery(defective).at(0).kind, GalleryKind::hit);
}

TEST(ChooseGallery, RefusesAScoreThatIsNoNumber) {
    const std::vector<GalleryCandidate> candidates = {{"cable", true, std::numeric_limits<double>::quiet_NaN()}};
    EXPECT_THAT([&] { (void)choose_gallery(candidates); }, ThrowsMessage<Error>(HasSubstr("cable")));
}

TEST(GalleryPanels, ArePictureMaskAndMaps) {
    const std::vector<float> small(16, 1.0f), same(64, 0.0f);
    const std::vector<NamedMap> maps = {{"ltad", {small, 4}, {0, 1}}, {"semantic", {same, 8}, {0, 1}}};
    Mask mask{.width = 2, .height = 2, .pixels = {1, 0, 0, 0}};
    const auto panels = gallery_panels(test::noisy_picture(20, 1), mask, maps, 8);
    std::vector<std::string> captions;
    for (const GalleryPanel& panel : panels) {
        captions.push_back(panel.caption);
        EXPECT_EQ(panel.image.width, 8);
        EXPECT_EQ(panel.image.pixels.size(), 3u * 8 * 8);
    }
    EXPECT_THAT(captions, ElementsAre("picture", "mask", "ltad", "semantic"));
    EXPECT_EQ(panels[1].image.pixels[0], 255);
    EXPECT_EQ(panels[1].image.pixels[3 * 63], 0);
    EXPECT_EQ(gallery_panels(test::noisy_picture(20, 1), std::nullopt, maps, 8).size(), 3u);
}

}  // namespace
}  // namespace ltad
