#include "ltad/eval/table.h"

#include <gmock/gmock.h>

namespace ltad::test {
namespace {

TEST(Percent, HasTwoDecimals) {
    EXPECT_EQ(percent(0.81249), "81.25");
    EXPECT_EQ(percent(1.0), "100.00");
    EXPECT_EQ(percent(0.0), "0.00");
    EXPECT_EQ(percent(std::nullopt), "n/a");
}

TEST(FormatRows, AlignsWordsLeftAndNumbersRightBetweenRules) {
    EXPECT_EQ(format_rows({{"class", "kind", "train"}, {"a long name", "x", "12345678"}, {"b", "", "1"}}, 2, 1),
              "  class        kind       train\n"
              "-------------------------------\n"
              "  a long name  x       12345678\n"
              "-------------------------------\n"
              "  b                           1\n");
}

TEST(FormatRows, CountsCharactersAndHasNoLineBreaksInCells) {
    EXPECT_EQ(format_rows({{"class", "x"}, {"pièce\n1", "1"}, {"b", "2"}}, 1, 0),
              "  class         x\n"
              "-----------------\n"
              "  pièce 1       1\n"
              "  b             2\n");
}

}  // namespace
}  // namespace ltad::test
