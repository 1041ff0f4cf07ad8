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

/// A field of a CSV file (RFC 4180): `visible`, and quoted where it must be. Spreadsheets run what begins with =, +, -
/// or @ (full-width ones, too) as a formula: such text, if it is no number, gets an apostrophe before it, and so does
/// what looks as if it had got one, so that taking one away before "=", "'=", … gives the name back.
[[nodiscard]] std::string csv_field(const std::string& value);

/// A cell of a Markdown table: `visible`, and with a backslash before what would end the cell, open a tag, or take the
/// meaning of the next character.
[[nodiscard]] std::string markdown_cell(const std::string& value);

/// Characters of UTF-8 text.
[[nodiscard]] std::size_t display_width(const std::string& value);

/// Of each column's cells as `visible` shows them, at least 6.
[[nodiscard]] std::vector<std::size_t> column_widths(const TableRows& rows);

/// Columns two spaces apart, with a rule below the heading and one above the means, which are the last `means` rows.
/// The first `words` columns are aligned to the left, the others, which hold numbers, to the right. Cells are shown
/// `visible`.
[[nodiscard]] std::string format_rows(const TableRows& rows, std::size_t words, std::size_t means);

}  // namespace ltad
