#include "markup.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "ltad/core/visible.h"

namespace ltad {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Length in bytes of the character at the start of `text`; 0 where it is none that XML can hold.
std::size_t character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    std::uint32_t code = lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    const bool noncharacter = code == 0xFFFE || code == 0xFFFF;
    return code < smallest[length] || code > 0x10FFFF || surrogate || noncharacter ? 0 : length;
}

}  // namespace

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        switch (text[0]) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                if (length == 0)
                    out += "\xEF\xBF\xBD";
                else
                    out += is_space(text[0]) ? std::string(1, text[0]) : visible(text.substr(0, length));
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string fixed(double value, int decimals) {
    char out[512];
    std::snprintf(out, sizeof out, "%.*f", decimals, value);
    return out;
}

std::string brief(double value) {
    char out[32];
    // Four digits, without an exponent where numbers of that size are read as they are.
    std::snprintf(out, sizeof out, std::abs(value) >= 1e3 && std::abs(value) < 1e7 ? "%.0f" : "%.4g", value);
    return out;
}

std::string shortened(std::string_view text, std::size_t characters) {
    std::size_t count = 0, cut = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_continuation(text[i])) continue;
        if (++count == characters) cut = i;
    }
    if (count <= characters) return std::string(text);
    return std::string(text.substr(0, cut)) + "…";
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

}  // namespace ltad
