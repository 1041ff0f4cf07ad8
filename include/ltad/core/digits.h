#pragma once

#include <charconv>
#include <concepts>
#include <string>

namespace ltad {

/// The fewest digits that read back to the same number: "100", "0.1", "1e+300".
template <std::floating_point Number>
[[nodiscard]] std::string shortest_digits(Number value) {
    char out[32];
    return {out, std::to_chars(out, out + sizeof out, value).ptr};
}

/// "1 part", "2 parts".
template <std::integral Count>
[[nodiscard]] std::string counted(Count count, const std::string& noun) {
    return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

}  // namespace ltad
