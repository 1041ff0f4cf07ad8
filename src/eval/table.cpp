#include "ltad/eval/table.h"

#include <algorithm>
#include <cstdio>

namespace ltad {

std::string percent(const std::optional<double>& value) {
    if (!value) return "n/a";
    char out[16];
    std::snprintf(out, sizeof out, "%.2f", 100 * *value);
    return out;
}

std::string csv_field(const std::string& value) {
    if (value.find_first_of(",\"\n\r") == std::string::npos) return value;
    std::string quoted(1, '"');
    for (const char c : value) quoted.append(c == '"' ? 2 : 1, c);
    quoted.push_back('"');
    return quoted;
}

std::size_t display_width(const std::string& value) {
    return static_cast<std::size_t>(std::count_if(
        value.begin(), value.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::size_t> column_widths(const TableRows& rows) {
    std::vector<std::size_t> widths(rows[0].size(), 6);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
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
            std::string cell = rows[r][i];
            std::replace_if(
                cell.begin(), cell.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
            const std::string padding(widths[i] - display_width(cell), ' ');
            line += i < words ? "  " + cell + padding : "  " + padding + cell;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace ltad
