#include "report/markup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ltad {
namespace {

TEST(Markup, EscapesWhatMarkupIsMadeOf) {
    EXPECT_EQ(escape("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
    EXPECT_EQ(escape("Löcher → 孔 🔩\tok\n"), "Löcher → 孔 🔩\tok\n");
    EXPECT_EQ(escape(""), "");
}

TEST(Markup, ReplacesWhatXmlCannotHold) {
    const std::string replacement = "\xEF\xBF\xBD";
    EXPECT_EQ(escape(std::string_view("a\0b", 3)), "a" + replacement + "b");
    EXPECT_EQ(escape("\x1B[0m"), replacement + "[0m");
    EXPECT_EQ(escape("L\xF6"
                     "cher"),
              "L" + replacement + "cher");                                       // Latin-1
    EXPECT_EQ(escape("\xC3"), replacement);                                      // cut short
    EXPECT_EQ(escape("\xC0\xAF"), replacement + replacement);                    // longer than needed
    EXPECT_EQ(escape("\xED\xA0\x80"), replacement + replacement + replacement);  // a surrogate
    EXPECT_EQ(escape("\xEF\xBF\xBE"), replacement + replacement + replacement);  // U+FFFE
    EXPECT_EQ(escape("\xF4\x90\x80\x80").size(), 4 * replacement.size());        // beyond U+10FFFF
    EXPECT_EQ(escape("\xC3<"), replacement + "&lt;");
}

TEST(Markup, NothingTurnsTheDirectionOfWriting) {
    EXPECT_EQ(escape("\u202Egpj.exe"), "\\u202egpj.exe");
    EXPECT_EQ(escape("a\x7F\u009B"), "a\\x7f\\u009b");
    EXPECT_EQ(escape("\u05D0\u0628"), "\u05D0\u0628") << "letters that are written from the right stay";
}

TEST(Markup, Base64IsThatOfRfc4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xFF\xFE\xFB"), "//77");
}

TEST(Markup, ShortensByCharacters) {
    EXPECT_EQ(shortened("bottle", 6), "bottle");
    EXPECT_EQ(shortened("bottles", 6), "bottl…");
    EXPECT_EQ(shortened("éééé", 4), "éééé");
    EXPECT_EQ(shortened("ééééé", 4), "ééé…");
}

TEST(Markup, Numbers) {
    EXPECT_EQ(fixed(12.3, 2), "12.30");
    EXPECT_EQ(brief(0.123456), "0.1235");
    EXPECT_EQ(brief(12), "12");
}

}  // namespace
}  // namespace ltad
