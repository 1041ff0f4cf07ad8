#include "ltad/core/visible.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/json.h"
#include "ltad/core/log.h"

namespace ltad {
namespace {

TEST(Visible, LettersStay) {
    for (const char* words :
         {"", "bottle 1", "Löcher → 孔 🔩", "שלום", "a\\b", "e\u0301", "\u00A0", "\uFFFD", "👩‍🔧"})
        EXPECT_EQ(visible(words), words);
}

TEST(Visible, ControlCharactersAreEscaped) {
    EXPECT_EQ(visible("a\nb\r\tc"), "a\\nb\\r\\tc");
    EXPECT_EQ(visible("\x1b[2J\x1b]0;title\a"), "\\x1b[2J\\x1b]0;title\\x07");
    EXPECT_EQ(visible(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(visible("\x7f"), "\\x7f");
    EXPECT_EQ(visible("\u0080\u009B\u009F"), "\\u0080\\u009b\\u009f");
}

TEST(Visible, MarksThatTurnTheDirectionOfWritingAreEscaped) {
    EXPECT_EQ(visible("\u202Agpj\u202E\u2066\u2069"), "\\u202agpj\\u202e\\u2066\\u2069");
    EXPECT_EQ(visible("\u2028\u2029"), "\\u2028\\u2029");
    EXPECT_EQ(visible("\u2027\u202F\u2065\u206A"), "\u2027\u202F\u2065\u206A");
}

TEST(Visible, BytesThatAreNotUtf8AreEscaped) {
    EXPECT_EQ(visible("L\xF6"
                      "cher"),
              "L\\xf6cher");
    EXPECT_EQ(visible("\x9b"), "\\x9b");                    // a terminal of 8 bits takes it for ESC [
    EXPECT_EQ(visible("\xC0\x8A"), "\\xc0\\x8a");           // longer than needed
    EXPECT_EQ(visible("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // a surrogate
    EXPECT_EQ(visible("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(visible("\xE2\x82"), "\\xe2\\x82");
}

TEST(VisibleMessage, NamesBeginNoLines) {
    EXPECT_EQ(visible_message("2 mistakes\n  a\n  b"), "2 mistakes\n  a\n  b");
    EXPECT_EQ(visible_message("no file x\n[12:00:00] info: all is well"), "no file x\\n[12:00:00] info: all is well");
    EXPECT_EQ(visible_message("x\x1b[0m\n"), "x\\x1b[0m\\n");
}

TEST(VisibleJson, SaysTheSame) {
    const json document = {{"name", "a\x1b\x7f\u009B\u202E\n孔"}, {"list", {1, 2}}};
    const std::string shown = visible_json(document.dump(2));
    EXPECT_EQ(json::parse(shown), document);
    for (const char* unsafe : {"\x1b", "\x7f", "\u009B", "\u202E"}) EXPECT_EQ(shown.find(unsafe), std::string::npos);
    EXPECT_NE(shown.find("孔"), std::string::npos);
}

TEST(Log, ATerminalGetsNothingToActOn) {
    testing::internal::CaptureStderr();
    log_error("no picture \x1b[31ma\nb\u202E");
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("no picture \\x1b[31ma\\nb\\u202e\n"), std::string::npos) << said;
}

}  // namespace
}  // namespace ltad
