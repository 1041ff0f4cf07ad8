#pragma once

#include <string>
#include <string_view>

namespace ltad {

/// Text as content or quoted attribute of HTML and XML. What XML cannot hold (control characters, bytes that are not
/// UTF-8, as file names may have) becomes U+FFFD; what else `visible` escapes is escaped, but for line breaks.
[[nodiscard]] std::string escape(std::string_view text);

/// "12.30" for 12.3 with two decimals.
[[nodiscard]] std::string fixed(double value, int decimals);

/// Four significant digits without superfluous zeros: "0.1234", "12", "1.2e-07".
[[nodiscard]] std::string brief(double value);

/// At most `characters` of UTF-8 text, the last one an ellipsis where it was cut.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t characters);

/// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace ltad
