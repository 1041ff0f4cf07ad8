#include "ltad/core/visible.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace ltad {
namespace {

/// A character at the start of some bytes; `length` 0 where they are not UTF-8 (RFC 3629).
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

Character first_character(std::string_view bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || bytes.size() < length) return {};
    std::uint32_t code = lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3Fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool valid = code >= smallest[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return valid ? Character{code, length} : Character{};
}

/// What a terminal may act on, or what makes words read otherwise than they are (Unicode's line separators and its
/// embeddings, overrides and isolates of writing direction).
bool is_unsafe(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

std::string numbered(const char* format, std::uint32_t code) {
    char out[16];
    std::snprintf(out, sizeof out, format, static_cast<unsigned>(code));
    return out;
}

std::string escaped(std::uint32_t code) {
    if (code == '\n') return "\\n";
    if (code == '\r') return "\\r";
    if (code == '\t') return "\\t";
    return numbered(code < 0x80 ? "\\x%02x" : "\\u%04x", code);
}

/// `show(code, rest)`: what stands for an unsafe character; nothing for one that stays.
template <typename Show>
std::string replaced(std::string_view words, const Show& show) {
    std::string out;
    out.reserve(words.size());
    while (!words.empty()) {
        const auto [code, length] = first_character(words);
        const std::size_t taken = std::max<std::size_t>(length, 1);
        if (length == 0)
            out += numbered("\\x%02x", static_cast<unsigned char>(words[0]));
        else if (is_unsafe(code))
            out += show(code, words);
        else
            out += words.substr(0, length);
        words.remove_prefix(taken);
    }
    return out;
}

}  // namespace

std::string visible(std::string_view words) {
    return replaced(words, [](std::uint32_t code, std::string_view) { return escaped(code); });
}

std::string visible_message(std::string_view message) {
    return replaced(message, [](std::uint32_t code, std::string_view rest) {
        return rest.starts_with("\n  ") ? std::string("\n") : escaped(code);
    });
}

std::string visible_json(std::string_view document) {
    return replaced(document, [](std::uint32_t code, std::string_view) {
        return code == '\n' ? std::string("\n") : numbered("\\u%04x", code);  // line breaks between its values
    });
}

}  // namespace ltad
