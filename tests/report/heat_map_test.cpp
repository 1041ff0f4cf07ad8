#include "ltad/report/heat_map.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/random.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

Image plain(int side, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
    Image image{.width = side, .height = side, .pixels = {}};
    for (int i = 0; i < side * side; ++i) image.pixels.insert(image.pixels.end(), {r, g, b});
    return image;
}

std::vector<int> pixel(const Image& image, int x, int y) {
    const auto* p = image.pixels.data() + 3 * (y * image.width + x);
    return {p[0], p[1], p[2]};
}

TEST(HeatColour, GetsBrighterAllTheWay) {
    double before = -1;
    for (int i = 0; i <= 100; ++i) {
        const auto [r, g, b] = heat_colour(i / 100.0);
        const double grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        EXPECT_GT(grey, before) << i;
        before = grey;
    }
    EXPECT_EQ(heat_colour(-3), heat_colour(0));
    EXPECT_EQ(heat_colour(7), heat_colour(1));
    const auto [r0, g0, b0] = heat_colour(0);
    EXPECT_GT(b0, r0 + 50);  // blue
    const auto [r1, g1, b1] = heat_colour(1);
    EXPECT_GT(std::min(r1, g1), b1 + 50);  // yellow
}

TEST(HeatMap, SixteenBitsComeBackFromAFile) {
    const std::vector<float> scores = {0, 1, 0.5f, -2, infinity, -infinity, 0.25f, 2, 1e-6f};
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "map.png", encode_heat_map({scores, 3}, {0, 1}));
    const cv::Mat read = cv::imread((folder / "map.png").string(), cv::IMREAD_UNCHANGED);
    ASSERT_EQ(read.type(), CV_16UC1);
    ASSERT_EQ(read.size(), cv::Size(3, 3));
    const std::vector<std::uint16_t> values(read.begin<std::uint16_t>(), read.end<std::uint16_t>());
    EXPECT_THAT(values, ElementsAre(0, 65535, 32768, 0, 65535, 0, 16384, 65535, 0));
}

TEST(HeatMap, SixteenBitsAreTheScoresToHalfAStep) {
    Random random(RandomUse::test, {1});
    std::vector<float> scores(64 * 64);
    for (float& score : scores) score = static_cast<float>(random.uniform(-3, 8));
    const std::string png = encode_heat_map({scores, 64}, {-3, 8});
    const cv::Mat read = cv::imdecode(std::vector<unsigned char>(png.begin(), png.end()), cv::IMREAD_UNCHANGED);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const int value = read.at<std::uint16_t>(static_cast<int>(i / 64), static_cast<int>(i % 64));
        EXPECT_NEAR(-3 + 11 * value / 65535.0, scores[i], 11 / 65535.0 / 2 + 1e-6);
    }
}

TEST(HeatMap, RefusesWhatIsNoMap) {
    const std::vector<float> scores = {0, 1, nan, 3};
    EXPECT_THAT(
        [&] {
            (void)encode_heat_map({scores, 2}, {});
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("x 0, y 1"), HasSubstr("not a number"))));
    const std::vector<float> three = {0, 1, 2};
    EXPECT_THAT([&] { (void)encode_heat_map({three, 2}, {}); }, ThrowsMessage<Error>(HasSubstr("3 scores")));
    EXPECT_THAT([&] { (void)worst_region({{}, 0}, 0); }, ThrowsMessage<Error>(HasSubstr("0 x 0")));
    const std::vector<float> one = {0};
    EXPECT_THAT([&] { (void)encode_heat_map({one, 1}, {2, 2}); }, ThrowsMessage<Error>(HasSubstr("2 to 2")));
    EXPECT_THAT(
        [&] {
            (void)overlay_heat_map(plain(1, 0, 0, 0), {one, 1}, {0, infinity}, 1);
        },
        ThrowsMessage<Error>(HasSubstr("inf")));
}

TEST(Overlay, CoversTheMoreTheHigherTheScore) {
    const std::vector<float> scores = {0, 0.5f, 1, 9};
    const Image overlay = overlay_heat_map(plain(2, 100, 100, 100), {scores, 2}, {0, 1}, 2);
    EXPECT_THAT(pixel(overlay, 0, 0), ElementsAre(85, 85, 85));  // grey, muted, no colour on it
    for (int i = 1; i < 4; ++i) {
        const double t = std::min(1.0f, scores[static_cast<std::size_t>(i)]);
        for (std::size_t c = 0; c < 3; ++c)
            EXPECT_NEAR(pixel(overlay, i % 2, i / 2)[c], (1 - 0.8 * t) * 85 + 0.8 * t * heat_colour(t)[c], 1) << i;
    }
    // A colour keeps a quarter of itself: 0.85 (grey + (c - grey) / 4) with grey = 0.299 · 200.
    const Image red = overlay_heat_map(plain(2, 200, 0, 0), {scores, 2}, {0, 1}, 2);
    EXPECT_THAT(pixel(red, 0, 0), ElementsAre(81, 38, 38));
}

TEST(Overlay, ResizesThePictureAndOutlinesTheMask) {
    const std::vector<float> scores(64, 0);
    Mask mask{.width = 4, .height = 4, .pixels = std::vector<std::uint8_t>(16, 0)};
    mask.pixels[5] = 1;  // at 8 × 8: x and y 2 to 3
    const Image overlay = overlay_heat_map(plain(20, 100, 100, 100), {scores, 8}, {0, 1}, 8, &mask);
    ASSERT_EQ(overlay.width, 8);
    ASSERT_EQ(overlay.height, 8);
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) {
            const bool across = x >= 2 && x <= 3 && (y == 1 || y == 4);
            const bool down = y >= 2 && y <= 3 && (x == 1 || x == 4);
            EXPECT_EQ(pixel(overlay, x, y)[0], across || down ? 255 : 85) << x << ' ' << y;
        }
}

TEST(Overlay, KeepsThePicturesProportions) {
    const std::vector<float> scores = {0, 1, 0, 1};  // the right half is bad
    Image wide{.width = 40, .height = 10, .pixels = std::vector<std::uint8_t>(1200, 100)};
    const Image overlay = overlay_heat_map(wide, {scores, 2}, {0, 1}, 16);
    ASSERT_EQ(overlay.width, 16);
    ASSERT_EQ(overlay.height, 4);
    for (int y = 0; y < 4; ++y) {
        EXPECT_THAT(pixel(overlay, 0, y), ElementsAre(85, 85, 85));
        for (std::size_t c = 0; c < 3; ++c)
            EXPECT_NEAR(pixel(overlay, 15, y)[c], 0.2 * 85 + 0.8 * heat_colour(1)[c], 1);
    }
    EXPECT_EQ(fitted(wide, 1).height, 1);
    EXPECT_EQ(overlay_side(wide, {scores, 2}), 40);
    EXPECT_EQ(overlay_side(wide, {scores, 224}), 224);
    wide.width = 8000;
    EXPECT_EQ(overlay_side(wide, {scores, 2}), 1024);
}

TEST(WorstRegion, IsConnectedToTheHighestScore) {
    // The middle between floor 0 and 8 is 4: the 5 is apart, the 4 is connected across a corner.
    const std::vector<float> scores = {
        5, 0, 0, 0,  //
        0, 0, 0, 0,  //
        0, 8, 3, 0,  //
        0, 6, 3, 0,  //
    };
    std::vector<float> corner = scores;
    corner[14] = 4;
    EXPECT_EQ(worst_region({scores, 4}, 0), (Box{1, 2, 1, 2}));
    EXPECT_EQ(worst_region({corner, 4}, 0), (Box{1, 2, 2, 2}));
    EXPECT_EQ(worst_region({scores, 4}, -8), (Box{0, 0, 4, 4}));   // the middle is 0
    EXPECT_EQ(worst_region({scores, 4}, 100), (Box{1, 2, 1, 1}));  // all is below the floor
    const std::vector<float> flat(9, 2.0f);
    EXPECT_EQ(worst_region({flat, 3}, 2), (Box{0, 0, 3, 3}));
    const std::vector<float> endless = {1, infinity, 0, infinity};
    EXPECT_EQ(worst_region({endless, 2}, 0), (Box{1, 0, 1, 2}));
}

/// Plain and slow: grow until nothing changes.
Box plain_region(const std::vector<float>& scores, int side, float floor) {
    const auto at = [side](int x, int y) { return static_cast<std::size_t>(y * side + x); };
    std::size_t highest = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (scores[i] > scores[highest]) highest = i;
    std::vector<char> in(scores.size(), 0);
    in[highest] = 1;
    for (bool grown = true; grown;) {
        grown = false;
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x)
                for (int v = std::max(0, y - 1); v <= std::min(side - 1, y + 1); ++v)
                    for (int u = std::max(0, x - 1); u <= std::min(side - 1, x + 1); ++u)
                        if (in[at(x, y)] == 0 && in[at(u, v)] != 0 &&
                            scores[at(x, y)] - floor >= (scores[highest] - floor) / 2) {
                            in[at(x, y)] = 1;
                            grown = true;
                        }
    }
    int left = side, right = -1, top = side, bottom = -1;
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x)
            if (in[at(x, y)] != 0) {
                left = std::min(left, x);
                right = std::max(right, x);
                top = std::min(top, y);
                bottom = std::max(bottom, y);
            }
    return {left, top, right - left + 1, bottom - top + 1};
}

TEST(WorstRegion, IsThatOfPlainCode) {
    Random random(RandomUse::test, {2});
    for (int round = 0; round < 200; ++round) {
        const int side = 1 + static_cast<int>(random.below(9));
        std::vector<float> scores(static_cast<std::size_t>(side * side));
        for (float& score : scores) score = static_cast<float>(random.below(9));
        EXPECT_EQ(worst_region({scores, side}, 0), plain_region(scores, side, 0)) << round;
    }
}

TEST(Box, OnThePictureItHoldsAllOfItsPixels) {
    EXPECT_EQ(box_in_picture({1, 2, 1, 1}, 4, 8, 4), (Box{2, 2, 2, 1}));
    EXPECT_EQ(box_in_picture({0, 0, 3, 3}, 3, 100, 70), (Box{0, 0, 100, 70}));
    EXPECT_EQ(box_in_picture({1, 1, 1, 1}, 3, 100, 2), (Box{33, 0, 34, 2}));  // 33.3 … 66.7; 0.67 … 1.33
}

TEST(Box, AsMask) {
    const Mask mask = mask_of({1, 0, 2, 1}, 3);
    EXPECT_EQ(mask.width, 3);
    EXPECT_THAT(mask.pixels, ElementsAre(0, 1, 1, 0, 0, 0, 0, 0, 0));
}

}  // namespace
}  // namespace ltad
