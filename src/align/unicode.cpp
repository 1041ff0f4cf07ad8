#include "unicode.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace ltad {
namespace {

struct CodeRange {
    char32_t first, last;
};
struct PlainForm {
    char32_t from;
    char32_t to[3];  // ends early with 0
};

#include "unicode_tables.inc"

template <std::size_t N>
bool lies_in(const CodeRange (&ranges)[N], char32_t code) {
    const auto* found = std::upper_bound(std::begin(ranges), std::end(ranges), code,
                                         [](char32_t c, const CodeRange& range) { return c < range.first; });
    return found != std::begin(ranges) && code <= std::prev(found)->last;
}

/// How many bytes a UTF-8 sequence has, by its first one; 0 for a byte that starts none.
int sequence_length(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return 2;
    if (first >= 0xE0 && first < 0xF0) return 3;
    if (first >= 0xF0 && first < 0xF5) return 4;
    return 0;
}

}  // namespace

std::u32string decode_utf8(std::string_view bytes) {
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    std::u32string out;
    for (std::size_t i = 0; i < bytes.size();) {
        const auto first = static_cast<unsigned char>(bytes[i]);
        const int length = sequence_length(first);
        char32_t code = length == 1 ? first : first & (0x7Fu >> length);
        bool valid = length > 0 && i + static_cast<std::size_t>(length) <= bytes.size();
        for (int k = 1; valid && k < length; ++k) {
            const auto next = static_cast<unsigned char>(bytes[i + static_cast<std::size_t>(k)]);
            valid = (next & 0xC0) == 0x80;
            code = code << 6 | (next & 0x3F);
        }
        valid = valid && code >= smallest[static_cast<std::size_t>(length)] && code <= 0x10FFFF &&
                (code & ~0x7FFu) != 0xD800;
        out.push_back(valid ? code : U'\uFFFD');
        i += valid ? static_cast<std::size_t>(length) : 1;
    }
    return out;
}

void append_utf8(std::string& out, char32_t code) {
    if (code < 0x80) {
        out.push_back(static_cast<char>(code));
        return;
    }
    const int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    const unsigned lead = tail == 1 ? 0xC0 : tail == 2 ? 0xE0 : 0xF0;
    out.push_back(static_cast<char>(lead | code >> (6 * tail)));
    for (int k = tail - 1; k >= 0; --k) out.push_back(static_cast<char>(0x80 | (code >> (6 * k) & 0x3F)));
}

bool is_space(char32_t code) { return code == '\t' || code == '\n' || code == '\r' || lies_in(spaces, code); }

bool is_control(char32_t code) { return code != '\t' && code != '\n' && code != '\r' && lies_in(controls, code); }

bool is_punctuation(char32_t code) {
    const bool ascii = (code >= 33 && code <= 47) || (code >= 58 && code <= 64) || (code >= 91 && code <= 96) ||
                       (code >= 123 && code <= 126);
    return ascii || lies_in(punctuation, code);
}

bool is_ideograph(char32_t code) {
    constexpr CodeRange blocks[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
                                    {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0x2F800, 0x2FA1F}};
    return lies_in(blocks, code);
}

void append_plain(std::u32string& out, char32_t code) {
    if (code < 0x80) {
        out.push_back(code >= 'A' && code <= 'Z' ? code + 32 : code);
        return;
    }
    if (code >= 0xAC00 && code < 0xD7A4) {  // a Hangul syllable: leading consonant, vowel, trailing consonant
        const char32_t index = code - 0xAC00;
        out.push_back(0x1100 + index / 588);
        out.push_back(0x1161 + index % 588 / 28);
        if (index % 28 != 0) out.push_back(0x11A7 + index % 28);
        return;
    }
    if (lies_in(combining_marks, code)) return;
    const auto* found = std::lower_bound(std::begin(plain_forms), std::end(plain_forms), code,
                                         [](const PlainForm& form, char32_t c) { return form.from < c; });
    if (found == std::end(plain_forms) || found->from != code) {
        out.push_back(code);
        return;
    }
    for (const char32_t target : found->to)
        if (target != 0) out.push_back(target);
}

}  // namespace ltad
