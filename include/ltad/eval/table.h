#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ltad {

/// Rows of cells: a heading, the items, then their means.
using TableRows = std::vector<std::vector<std::string>>;

/// "81.25" for 0.8125; "n/a" for none.
[[nodiscard]] std::string percent(const std::optional<double>& value);

/// A field of a CSV file (RFC 4180): quoted where it must be.
[[nodiscard]] std::string csv_field(const std::string& value);

/// Characters of UTF-8 text.
[[nodiscard]] std::size_t display_width(const std::string& value);

/// Of each column, at least 6.
[[nodiscard]] std::vector<std::size_t> column_widths(const TableRows& rows);

/// Columns two spaces apart, with a rule below the heading and one above the means, which are the last `means` rows.
/// The first `words` columns are aligned to the left, the others, which hold numbers, to the right. Line breaks become
/// spaces.
[[nodiscard]] std::string format_rows(const TableRows& rows, std::size_t words, std::size_t means);

}  // namespace ltad
