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
              "  class          x\n"
              "------------------\n"
              "  pièce\\n1       1\n"
              "  b              2\n");
}

TEST(FormatRows, ATerminalGetsNothingToActOn) {
    const std::string table = format_rows({{"class", "x"}, {"a\x1b[2Jb", "1"}, {"\u202Ecod.exe", "2"}}, 1, 0);
    EXPECT_EQ(table.find('\x1b'), std::string::npos);
    EXPECT_NE(table.find("a\\x1b[2Jb"), std::string::npos);
    EXPECT_NE(table.find("\\u202ecod.exe"), std::string::npos);
}

TEST(CsvField, QuotesAndKeepsOrdinaryNames) {
    for (const char* name : {"bottle", "pièce 1", "n/a", "-", "-0.5", "+3", "1e5", "it's", "'quoted'", "a=b", ""})
        EXPECT_EQ(csv_field(name), name);
    EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_field("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(csv_field("a\nb\tc"), "a\\nb\\tc");
}

TEST(CsvField, NothingBeginsAsAFormula) {
    for (const std::string name : {"=1+1", "+cmd", "-a", "@SUM(A1)", "=cmd|' /C calc'!A0", "\uFF1D1"})
        EXPECT_EQ(csv_field(name), "'" + name);
    EXPECT_EQ(csv_field("=a,b"), "\"'=a,b\"");
    EXPECT_EQ(csv_field("'=1"), "''=1") << "else it would read back as =1";
}

TEST(MarkdownCell, StaysInItsCell) {
    EXPECT_EQ(markdown_cell("a|b"), "a\\|b");
    EXPECT_EQ(markdown_cell("a\\|b"), "a\\\\\\|b");
    EXPECT_EQ(markdown_cell("a\nb"), "a\\\\nb");
    EXPECT_EQ(markdown_cell("<img src=x>"), "\\<img src=x>");
    EXPECT_EQ(markdown_cell("pièce_1"), "pièce_1");
}

}  // namespace
}  // namespace ltad::test
