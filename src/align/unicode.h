#pragma once

#include <string>
#include <string_view>

namespace ltad {

/// UTF-8 → code points; each broken byte becomes U+FFFD.
[[nodiscard]] std::u32string decode_utf8(std::string_view bytes);
void append_utf8(std::string& out, char32_t code);

// What the tokenizers library takes a character for, code point by code point (unicode_tables.inc).
[[nodiscard]] bool is_space(char32_t code);        ///< Unicode's White_Space
[[nodiscard]] bool is_control(char32_t code);      ///< control, format, private use; not tab, line feed, return
[[nodiscard]] bool is_punctuation(char32_t code);  ///< category P, and all of ASCII that is neither letter nor digit
[[nodiscard]] bool is_ideograph(char32_t code);    ///< the CJK blocks that BERT puts spaces around

/// A text decomposed (NFD) and without combining marks. Throws Error for a text too long to hold.
[[nodiscard]] std::u32string without_marks(const std::u32string& text);
/// Each character in lower case, whatever stands around it.
[[nodiscard]] std::u32string lower_case(const std::u32string& text);

}  // namespace ltad
