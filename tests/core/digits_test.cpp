#include "ltad/core/digits.h"

#include <cmath>

#include <gtest/gtest.h>

#include "ltad/core/random.h"

namespace ltad {
namespace {

TEST(ShortestDigits, AreWhatAPersonWouldWrite) {
    EXPECT_EQ(shortest_digits(100.0), "100");
    EXPECT_EQ(shortest_digits(0.1), "0.1");
    EXPECT_EQ(shortest_digits(0.1f), "0.1");
    EXPECT_EQ(shortest_digits(-2.5), "-2.5");
    EXPECT_EQ(shortest_digits(1e300), "1e+300");
    EXPECT_EQ(shortest_digits(-2.2250738585072014e-308), "-2.2250738585072014e-308");  // the longest
}

TEST(ShortestDigits, ReadBackToTheSameNumber) {
    Random random(RandomUse::test, {1});
    for (int i = 0; i < 1000; ++i) {
        const double value = std::exp(random.uniform(-50, 50));
        EXPECT_EQ(std::stod(shortest_digits(value)), value);
        EXPECT_EQ(std::stof(shortest_digits(static_cast<float>(value))), static_cast<float>(value));
    }
}

TEST(Counted, HasAPlural) {
    EXPECT_EQ(counted(0, "part"), "0 parts");
    EXPECT_EQ(counted(1, "part"), "1 part");
    EXPECT_EQ(counted(12u, "part"), "12 parts");
}

}  // namespace
}  // namespace ltad
