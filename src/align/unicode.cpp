#include "unicode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include <utf8proc.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

struct CodeRange {
    char32_t first, last;
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

bool is_space(char32_t code) { return lies_in(spaces, code); }
bool is_control(char32_t code) { return lies_in(controls, code); }
bool is_punctuation(char32_t code) { return lies_in(punctuation, code); }
bool is_ideograph(char32_t code) { return lies_in(ideographs, code); }

std::u32string without_marks(const std::u32string& text) {
    std::string bytes;
    for (const char32_t code : text) append_utf8(bytes, code);
    const auto* const data = reinterpret_cast<const utf8proc_uint8_t*>(bytes.data());
    const auto size = static_cast<utf8proc_ssize_t>(bytes.size());
    constexpr auto canonical = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE);
    const utf8proc_ssize_t needed = utf8proc_decompose(data, size, nullptr, 0, canonical);
    std::vector<utf8proc_int32_t> codes(static_cast<std::size_t>(std::max<utf8proc_ssize_t>(needed, 0)));
    if (needed < 0 || utf8proc_decompose(data, size, codes.data(), needed, canonical) != needed)
        fail("cannot decompose a text of ", bytes.size(), " bytes: ", utf8proc_errmsg(needed));
    std::u32string plain;
    for (const utf8proc_int32_t code : codes)
        if (!lies_in(marks, static_cast<char32_t>(code))) plain.push_back(static_cast<char32_t>(code));
    return plain;
}

std::u32string lower_case(const std::u32string& text) {
    std::u32string lower;
    for (const char32_t code : text) {
        if (code == U'\u0130')  // the one character whose lower case is two: i and a dot above
            lower += U"i\u0307";
        else
            lower.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    }
    return lower;
}

}  // namespace ltad
