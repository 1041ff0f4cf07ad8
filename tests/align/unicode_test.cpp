#include "align/unicode.h"

#include <vector>

#include <gtest/gtest.h>

namespace ltad {
namespace {

constexpr char32_t broken = 0xFFFD;

/// UTF-8 of a code point, by RFC 3629's table.
std::string utf8(char32_t c) {
    const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xC0 + c / 64), byte(0x80 + c % 64)};
    if (c < 0x10000) return {byte(0xE0 + c / 4096), byte(0x80 + c / 64 % 64), byte(0x80 + c % 64)};
    return {byte(0xF0 + c / 262144), byte(0x80 + c / 4096 % 64), byte(0x80 + c / 64 % 64), byte(0x80 + c % 64)};
}

std::u32string plain(const std::u32string& in) { return lower_case(without_marks(in)); }

TEST(Unicode, EveryScalarValueRoundTrips) {
    for (char32_t code = 0; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 7) {
        if (code >= 0xD800 && code < 0xE000) continue;
        const std::string bytes = utf8(code);
        std::string written;
        append_utf8(written, code);
        ASSERT_EQ(written, bytes) << std::hex << static_cast<unsigned>(code);
        ASSERT_EQ(decode_utf8(bytes), std::u32string(1, code)) << std::hex << static_cast<unsigned>(code);
    }
    EXPECT_EQ(decode_utf8(utf8(0x10FFFF)), std::u32string(1, 0x10FFFF));
}

TEST(Unicode, EachBrokenByteBecomesAReplacementCharacter) {
    const std::vector<std::pair<std::string, std::u32string>> cases = {
        {"", U""},
        {"\x80", {broken}},
        {"a\xFF"
         "b",
         {U'a', broken, U'b'}},
        {"\xC0\xAF", {broken, broken}},                          // overlong '/'
        {"\xE0\x80\xAF", {broken, broken, broken}},              // overlong
        {"\xF0\x80\x80\xAF", {broken, broken, broken, broken}},  // overlong
        {"\xED\xA0\x80", {broken, broken, broken}},              // a surrogate
        {"\xF4\x90\x80\x80", {broken, broken, broken, broken}},  // above 10FFFF
        {"\xF5\x80\x80\x80", {broken, broken, broken, broken}},
        {"\xC3", {broken}},  // cut off
        {"\xE4\xB8", {broken, broken}},
        {"\xF0\x9F\x99", {broken, broken, broken}},
        {"\xC3(", {broken, U'('}},
        {"\xE4\xB8"
         "x",
         {broken, broken, U'x'}},
        {std::string("\0x", 2), std::u32string(U"\0x", 2)},
    };
    for (const auto& [bytes, codes] : cases) EXPECT_EQ(decode_utf8(bytes), codes) << ::testing::PrintToString(bytes);
}

TEST(Unicode, ClassesOfCharacters) {
    for (const char32_t c : {U' ', U'\t', U'\n', U'\r', U'\u00A0', U'\u2003', U'\u3000', U'\u2028'}) {
        EXPECT_TRUE(is_space(c)) << static_cast<unsigned>(c);
        EXPECT_FALSE(is_punctuation(c)) << static_cast<unsigned>(c);
    }
    for (const char32_t c : {U'a', U'_', U'\u200B', U'\u0000'}) EXPECT_FALSE(is_space(c)) << static_cast<unsigned>(c);
    for (const char32_t c :
         {U'\u0000', U'\u0007', U'\u007F', U'\u200B', U'\uFEFF', U'\u00AD', U'\uE000', U'\U000E0001', U'\uFFFD'})
        EXPECT_TRUE(is_control(c)) << static_cast<unsigned>(c);
    for (const char32_t c :
         {U'\t', U'\n', U'\r', U'a', U'\u4E2D', U'\u0301', U'\u0378', U'\U000E0FFF'})  // two unassigned
        EXPECT_FALSE(is_control(c)) << static_cast<unsigned>(c);
    for (const char32_t c :
         {U'!', U'/', U':', U'@', U'[', U'`', U'{', U'~', U'$', U'+', U'^', U'\u2014', U'\u201C', U'\u3002', U'\u00BF'})
        EXPECT_TRUE(is_punctuation(c)) << static_cast<unsigned>(c);
    for (const char32_t c : {U'a', U'Z', U'0', U'9', U'\u00E9', U'\u2122', U'\u00BD'})
        EXPECT_FALSE(is_punctuation(c)) << static_cast<unsigned>(c);
    for (const char32_t c : {U'\u3400', U'\u4E00', U'\u9FFF', U'\uF900', U'\U00020000', U'\U0002FA1F'})
        EXPECT_TRUE(is_ideograph(c)) << static_cast<unsigned>(c);
    for (const char32_t c : {U'\u33FF', U'\uA000', U'\u30C6', U'\uAC00', U'\U0002FA20'})
        EXPECT_FALSE(is_ideograph(c)) << static_cast<unsigned>(c);
}

TEST(Unicode, PlainFormIsLowerCaseWithoutMarks) {
    const std::vector<std::pair<std::u32string, std::u32string>> cases = {
        {U"ABCxyz019_[", U"abcxyz019_["},
        {U"ÀÉÎÕÜñç", U"aeiounc"},
        {U"e\u0301\u0323", U"e"},
        {U"İı", U"iı"},
        {U"ß\u1E9E", U"ßß"},
        {U"ΑΒΓς", U"αβγς"},
        {U"Й", U"и"},
        {U"ﬁ", U"ﬁ"},  // a compatibility form stays
        {U"Ǆ", U"ǆ"},
        {U"\u212B\u212A", U"ak"},  // ångström and kelvin sign
        {U"ệ", U"e"},              // two marks
        {U"한", U"\u1112\u1161\u11AB"},
        {U"가", U"\u1100\u1161"},  // no trailing consonant
        {U"힣", U"\u1112\u1175\u11C2"},
        {U"\U00010400", U"\U00010428"},              // beyond the basic plane
        {U"\uF900\U0002F800", U"\u8C48\u4E3D"},      // ideographs that are there twice
        {U"a\U000E0100", U"a"},                      // a variation selector of plane 14
        {U"\u0378\U000E0FFF", U"\u0378\U000E0FFF"},  // not assigned
    };
    for (const auto& [in, out] : cases) EXPECT_EQ(plain(in), out);
}

TEST(Unicode, CaseAndMarksAreSeparate) {
    EXPECT_EQ(without_marks(U"\u00C9\u0130"), U"EI");
    EXPECT_EQ(lower_case(U"\u00C9\u0130\u03A3"), U"\u00E9i\u0307\u03C3");
    EXPECT_EQ(lower_case(U"a\u0301"), U"a\u0301");
    // Marks that count as letters are put in order: the library sees the whole text.
    EXPECT_EQ(without_marks(U"a\u302E\U0001D165"), U"a\U0001D165\u302E");
    EXPECT_EQ(without_marks(U""), U"");
}

TEST(Unicode, PlainFormsArePlain) {
    std::u32string all;
    for (char32_t code = 0; code < 0xE0200; ++code)
        if (code < 0xD800 || code >= 0xE000) all += {code, U'x'};
    const std::u32string once = plain(all);
    EXPECT_EQ(plain(once), once);
}

}  // namespace
}  // namespace ltad
