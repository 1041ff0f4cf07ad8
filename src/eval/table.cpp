#include "ltad/eval/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "ltad/core/visible.h"

namespace ltad {
namespace {

constexpr std::array<std::string_view, 8> formula_starts = {"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};

bool is_number(std::string_view words) {
    if (words.starts_with('+')) words.remove_prefix(1);
    double value = 0;
    const auto [end, code] = std::from_chars(words.data(), words.data() + words.size(), value);
    return code == std::errc() && end == words.data() + words.size();
}

/// Whether a spreadsheet may run it, or it looks like one with our apostrophe before it.
bool is_formula(std::string_view words) {
    if (is_number(words)) return false;
    words.remove_prefix(std::min(words.find_first_not_of('\''), words.size()));
    return std::any_of(formula_starts.begin(), formula_starts.end(),
                       [&](std::string_view start) { return words.starts_with(start) && words.size() > start.size(); });
}

}  // namespace

std::string percent(const std::optional<double>& value) {
    if (!value) return "n/a";
    char out[16];
    std::snprintf(out, sizeof out, "%.2f", 100 * *value);
    return out;
}

std::string csv_field(const std::string& value) {
    std::string shown = visible(value);
    if (is_formula(value)) shown.insert(shown.begin(), '\'');
    if (shown.find_first_of(",\"") == std::string::npos) return shown;
    std::string quoted(1, '"');
    for (const char c : shown) quoted.append(c == '"' ? 2 : 1, c);
    quoted.push_back('"');
    return quoted;
}

std::string markdown_cell(const std::string& value) {
    std::string out;
    for (const char c : visible(value)) {
        if (c == '|' || c == '<' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

std::size_t display_width(const std::string& value) {
    return static_cast<std::size_t>(std::count_if(
        value.begin(), value.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::size_t> column_widths(const TableRows& rows) {
    std::vector<std::size_t> widths(rows[0].size(), 6);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(visible(row[i])));
    return widths;
}

std::string format_rows(const TableRows& rows, std::size_t words, std::size_t means) {
    const auto widths = column_widths(rows);
    std::string rule;
    for (const std::size_t width : widths) rule.append(width + 2, '-');
    std::string out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (r == 1 || r + means == rows.size()) out += rule + "\n";
        std::string line;
        for (std::size_t i = 0; i < rows[r].size(); ++i) {
            const std::string cell = visible(rows[r][i]);
            const std::string padding(widths[i] - display_width(cell), ' ');
            line += i < words ? "  " + cell + padding : "  " + padding + cell;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace ltad
