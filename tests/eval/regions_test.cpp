#include "ltad/eval/regions.h"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/random.h"

namespace ltad::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

/// A mask drawn with dots and other characters, row by row.
Regions regions_in(const std::string& drawing, std::size_t width) {
    std::vector<std::uint8_t> labels;
    for (const char c : drawing) labels.push_back(c == '.' ? 0 : 255);
    return find_regions(labels, width);
}

TEST(Regions, TouchByCorners) {
    const Regions found = regions_in(
        "#..#"
        ".#.."
        "...#",
        4);
    EXPECT_THAT(found.pixels, ElementsAre(0, 5, 3, 11));
    EXPECT_THAT(found.sizes, ElementsAre(2, 1, 1));
}

TEST(Regions, DoNotReachRoundTheEdges) {
    EXPECT_THAT(regions_in("..##....", 4).sizes, ElementsAre(2));
    EXPECT_THAT(regions_in("...##...", 4).sizes, ElementsAre(1, 1));
    EXPECT_THAT(regions_in("###", 1).sizes, ElementsAre(3));
    EXPECT_THAT(regions_in("#.#", 3).sizes, ElementsAre(1, 1));
}

TEST(Regions, MeetLateAndWindInward) {
    EXPECT_THAT(regions_in("#.#.#"
                           "#.#.#"
                           "#####",
                           5)
                    .sizes,
                ElementsAre(11));
    EXPECT_THAT(regions_in("#######"
                           "......#"
                           "####..#"
                           "#..#..#"
                           "#.....#"
                           "#######",
                           7)
                    .sizes,
                ElementsAre(25));
}

/// Each defective pixel starts with a number of its own; the least of two that touch spreads until nothing changes.
std::vector<std::size_t> spread_numbers(const std::vector<std::uint8_t>& labels, int width) {
    const int height = static_cast<int>(labels.size()) / width;
    std::vector<std::size_t> numbers(labels.size(), 0);
    for (std::size_t i = 0; i < labels.size(); ++i) numbers[i] = labels[i] != 0 ? i + 1 : 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < height * width; ++i)
            for (int j = 0; j < height * width; ++j) {
                const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
                const bool touch = std::abs(i / width - j / width) <= 1 && std::abs(i % width - j % width) <= 1;
                if (!touch || numbers[a] <= numbers[b] || numbers[b] == 0) continue;
                numbers[a] = numbers[b];
                changed = true;
            }
    }
    return numbers;
}

TEST(Regions, EqualSpreadNumbersOnRandomMasks) {
    for (std::uint64_t trial = 0; trial < 100; ++trial) {
        Random random(RandomUse::test, {trial});
        const std::size_t width = 1 + random.below(9), height = 1 + random.below(9);
        const double density = random.uniform(0, 0.7);
        std::vector<std::uint8_t> labels(width * height);
        for (auto& label : labels) label = random.chance(density) ? static_cast<std::uint8_t>(1 + trial) : 0;
        const std::vector<std::size_t> numbers = spread_numbers(labels, static_cast<int>(width));

        const Regions found = find_regions(labels, width);
        std::vector<std::size_t> found_numbers(labels.size(), 0);
        auto pixel = found.pixels.begin();
        for (const std::uint32_t size : found.sizes) {
            ASSERT_LE(size, found.pixels.end() - pixel);
            const std::size_t number = *pixel + 1;
            for (std::uint32_t i = 0; i < size; ++i) found_numbers[*pixel++] = number;
        }
        EXPECT_EQ(pixel, found.pixels.end());
        EXPECT_EQ(found_numbers, numbers) << trial;
    }
}

TEST(Regions, NeedWholeRows) {
    EXPECT_THAT(regions_in("....", 2).sizes, IsEmpty());
    EXPECT_THAT(regions_in("", 2).pixels, IsEmpty());
    EXPECT_THAT([] { (void)regions_in("#####", 2); }, ThrowsMessage<Error>(HasSubstr("5 labels")));
    EXPECT_THAT([] { (void)regions_in("#", 0); }, ThrowsMessage<Error>(HasSubstr("rows of 0 pixels")));
}

}  // namespace
}  // namespace ltad::test
