#pragma once

#include <string>
#include <string_view>

namespace ltad {

/// UTF-8 → code points; each broken byte becomes U+FFFD.
[[nodiscard]] std::u32string decode_utf8(std::string_view bytes);
void append_utf8(std::string& out, char32_t code);

[[nodiscard]] bool is_space(char32_t code);        ///< Unicode's separators, tab, line feed, carriage return
[[nodiscard]] bool is_control(char32_t code);      ///< category C, but tab, line feed and carriage return
[[nodiscard]] bool is_punctuation(char32_t code);  ///< category P, and all of ASCII that is neither letter nor digit
[[nodiscard]] bool is_ideograph(char32_t code);    ///< the CJK blocks that BERT puts spaces around

/// Appends the character in lower case, decomposed and without combining marks (nothing at all for such a mark).
void append_plain(std::u32string& out, char32_t code);

}  // namespace ltad
