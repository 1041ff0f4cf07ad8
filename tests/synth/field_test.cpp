#include "ltad/synth/field.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/random.h"

namespace ltad {
namespace {

/// A place of the plane, negative coordinates included.
float place(Random& random) { return static_cast<float>(random.uniform(-50, 50)); }

TEST(Field, LatticeValuesAreInRangeAndEvenlySpread) {
    const Field field(1);
    double sum = 0;
    int low = 0;
    for (int y = -50; y < 50; ++y)
        for (int x = -50; x < 50; ++x) {
            const float value = field.at_lattice(x, y);
            ASSERT_GE(value, 0);
            ASSERT_LT(value, 1);
            sum += value;
            low += value < 0.25f ? 1 : 0;
        }
    EXPECT_NEAR(sum / 10000, 0.5, 0.015);  // five deviations of the mean
    EXPECT_NEAR(low, 2500, 220);
}

// Neighbours must not be alike, or the surfaces would show the lattice as streaks.
TEST(Field, LatticeNeighboursAreUncorrelated) {
    const Field field(2);
    for (const auto& [dx, dy] : {std::pair{1, 0}, {0, 1}, {1, 1}, {1, -1}, {2, 0}, {0, 16}}) {
        double product = 0;
        for (int y = -50; y < 50; ++y)
            for (int x = -50; x < 50; ++x)
                product += (field.at_lattice(x, y) - 0.5) * (field.at_lattice(x + dx, y + dy) - 0.5);
        EXPECT_NEAR(product / 10000 * 12, 0, 0.05) << dx << ", " << dy;
    }
}

TEST(Field, IsAFunctionOfItsSeedAlone) {
    const Field one(7);
    const Field same(7);
    const Field other(8);
    Random random(RandomUse::test, {20});
    int equal = 0;
    for (int i = 0; i < 200; ++i) {
        const float x = place(random);
        const float y = place(random);
        EXPECT_EQ(one.smooth(x, y), same.smooth(x, y));
        EXPECT_EQ(one.fractal(x, y, 4), same.fractal(x, y, 4));
        EXPECT_EQ(one.cell(x, y).nearest, same.cell(x, y).nearest);
        equal += one.smooth(x, y) == other.smooth(x, y) ? 1 : 0;
        equal += one.cell(x, y).shade == other.cell(x, y).shade ? 1 : 0;
    }
    EXPECT_EQ(equal, 0);
}

TEST(Field, SmoothPassesThroughTheLatticeValues) {
    const Field field(3);
    for (int y = -20; y < 20; ++y)
        for (int x = -20; x < 20; ++x)
            EXPECT_NEAR(field.smooth(static_cast<float>(x), static_cast<float>(y)), 2 * field.at_lattice(x, y) - 1,
                        1e-6);
}

// Between lattice points the value stays between their four values, and has a zero slope at them (quintic).
TEST(Field, SmoothStaysBetweenTheFourCorners) {
    const Field field(4);
    Random random(RandomUse::test, {21});
    for (int i = 0; i < 2000; ++i) {
        const float x = place(random);
        const float y = place(random);
        const int ix = static_cast<int>(std::floor(x));
        const int iy = static_cast<int>(std::floor(y));
        const auto [low, high] = std::minmax({field.at_lattice(ix, iy), field.at_lattice(ix + 1, iy),
                                              field.at_lattice(ix, iy + 1), field.at_lattice(ix + 1, iy + 1)});
        EXPECT_GE(field.smooth(x, y), 2 * low - 1 - 1e-5f);
        EXPECT_LE(field.smooth(x, y), 2 * high - 1 + 1e-5f);
    }
    EXPECT_NEAR(field.smooth(5.01f, -3), field.smooth(5, -3), 1e-4);
    EXPECT_NEAR(field.smooth(4.99f, -3), field.smooth(5, -3), 1e-4);
}

// No jump anywhere, above all not where one lattice square meets the next. The steepest quintic slope is 1.875.
TEST(Field, SmoothIsContinuous) {
    const Field field(5);
    constexpr float step = 1.0f / 256;  // exact in float
    for (const float y : {-3.0f, -0.4f, 0.0f, 2.7f}) {
        for (int i = -5 * 256; i < 5 * 256; ++i) {
            const float x = static_cast<float>(i) * step;
            EXPECT_LE(std::abs(field.smooth(x + step, y) - field.smooth(x, y)), 2 * 1.875f * step + 1e-5f) << x;
            EXPECT_LE(std::abs(field.smooth(y, x + step) - field.smooth(y, x)), 2 * 1.875f * step + 1e-5f) << x;
        }
    }
}

TEST(Field, FractalStaysNearOneAndHasFinerDetailWithMoreOctaves) {
    const Field field(6);
    Random random(RandomUse::test, {22});
    double sum = 0;
    for (int i = 0; i < 5000; ++i) {
        const float x = place(random);
        const float y = place(random);
        EXPECT_LE(std::abs(field.fractal(x, y, 6)), 1.2f);
        sum += field.fractal(x, y, 3);
    }
    EXPECT_NEAR(sum / 5000, 0, 0.03);
    // Over a tenth of a lattice square the first octave barely changes, the sixth passes three squares.
    double one = 0;
    double six = 0;
    for (int i = 0; i < 500; ++i) {
        const float x = place(random);
        const float y = place(random);
        one += std::abs(field.fractal(x + 0.1f, y, 1) - field.fractal(x, y, 1));
        six += std::abs(field.fractal(x + 0.1f, y, 6) - field.fractal(x, y, 6));
    }
    EXPECT_GT(six, 1.5 * one);
}

TEST(Field, CellDistancesAreOrderedAndBounded) {
    const Field field(7);
    Random random(RandomUse::test, {23});
    for (int i = 0; i < 5000; ++i) {
        const Field::Cell cell = field.cell(place(random), place(random));
        EXPECT_GE(cell.nearest, 0);
        EXPECT_LE(cell.nearest, cell.second);
        EXPECT_LE(cell.nearest, std::sqrt(2.0f));  // the own square's point is no further
        EXPECT_GE(cell.shade, 0);
        EXPECT_LT(cell.shade, 1);
    }
}

// A distance to a set of points changes by no more than the way gone, across lattice lines and cell walls too; and the
// shade changes only at a wall, where both distances are equal.
TEST(Field, CellsAreContinuousAndOfOneShade) {
    const Field field(8);
    constexpr float step = 1.0f / 128;
    int walls = 0;
    for (int line = 0; line < 40; ++line) {
        const float y = -7 + 0.37f * static_cast<float>(line);
        for (int i = -6 * 128; i < 6 * 128; ++i) {
            const float x = static_cast<float>(i) * step;
            const Field::Cell a = field.cell(x, y);
            const Field::Cell b = field.cell(x + step, y);
            EXPECT_LE(std::abs(a.nearest - b.nearest), step * 1.01f) << x << ", " << y;
            if (a.shade == b.shade) continue;
            ++walls;
            EXPECT_LE(a.second - a.nearest, 2 * step * 1.01f) << x << ", " << y;
        }
    }
    EXPECT_GT(walls, 200);  // 480 units of way, about one wall each
}

}  // namespace
}  // namespace ltad
