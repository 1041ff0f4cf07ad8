#include <algorithm>

#include "cells.h"
#include "ltad/core/error.h"
#include "ltad/eval/table.h"

namespace ltad {
namespace {

constexpr std::size_t gap = 2;

/// What one figure looks like, and how many characters of that are seen.
struct Drawn {
    std::string text;
    std::size_t width = 0;
};

/// A figure with what is around it. Without ANSI, best and second have a mark behind them; where the column has one,
/// the others have a space, so that digits stand below digits.
Drawn draw(const ShownFigure& figure, const std::string& before, const std::string& after, bool ansi, bool slot) {
    const char* mark = slot ? " " : "";
    const char* style = "";
    if (figure.place != Place::none) {
        const bool best = figure.place == Place::best;
        if (ansi) style = best ? "\x1b[1m" : "\x1b[4m";
        if (!ansi) mark = best ? "*" : "+";
    }
    const char* reset = *style == '\0' ? "" : "\x1b[0m";
    return {ltad::text(before, style, figure.digits, reset, after, mark),
            display_width(ltad::text(before, figure.digits, after, mark))};
}

Drawn draw_ours(const ShownCell& cell, bool ansi, bool slot) {
    std::string after = cell.deviation.empty() ? "" : "±" + cell.deviation;
    if (cell.footnote > 0) after += text(" [", cell.footnote, "]");
    return draw(cell.ours, "", after, ansi, slot);
}

Drawn draw_paper(const ShownCell& cell, bool ansi, bool slot) {
    if (cell.paper.digits.empty()) return {};
    return draw(cell.paper, "(", ")", ansi, slot);
}

std::vector<Drawn> draw_column(const ShownTable& shown, std::size_t c, ShownFigure ShownCell::*figure, bool ansi) {
    const bool slot = !ansi && std::any_of(shown.cells.begin(), shown.cells.end(),
                                           [&](const auto& row) { return (row[c].*figure).place != Place::none; });
    std::vector<Drawn> column;
    for (const auto& row : shown.cells)
        column.push_back(figure == &ShownCell::ours ? draw_ours(row[c], ansi, slot) : draw_paper(row[c], ansi, slot));
    return column;
}

std::size_t widest(const std::vector<Drawn>& column) {
    std::size_t width = 0;
    for (const Drawn& drawn : column) width = std::max(width, drawn.width);
    return width;
}

/// Text on one side of its field.
std::string right(const Drawn& drawn, std::size_t width) { return std::string(width - drawn.width, ' ') + drawn.text; }

std::string left(const std::string& value, std::size_t width) {
    return value + std::string(width - display_width(value), ' ');
}

std::string centred(const std::string& value, std::size_t width) {
    return left(std::string((width - display_width(value)) / 2, ' ') + value, width);
}

void end_line(std::string& out, std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
}

/// A part of the columns, [first, last).
struct Block {
    std::size_t first, last;
};

class TerminalTable {
public:
    TerminalTable(const ReproTable& table, const ShownTable& shown, bool ansi) : table_(table) {
        for (std::size_t c = 0; c < table.columns.size(); ++c) add_column(shown, c, ansi);
        for (std::size_t i = 0; i < table.label_headings.size(); ++i) {
            // A heading of two words stands on two lines: labels are short.
            const std::string& heading = table.label_headings[i];
            const std::size_t space = heading.find(' ');
            const bool two = space != std::string::npos;
            upper_.push_back(two ? heading.substr(0, space) : "");
            lower_.push_back(two ? heading.substr(space + 1) : heading);
            std::size_t width = std::max(display_width(upper_[i]), display_width(lower_[i]));
            for (const TableRow& row : table.rows) width = std::max(width, display_width(row.labels[i]));
            label_widths_.push_back(width);
        }
    }

    /// As few blocks as fit, of whole groups if possible, all about as wide.
    [[nodiscard]] std::vector<Block> blocks(std::size_t width) const {
        std::vector<std::size_t> groups{0}, single{0};
        for (std::size_t c = 1; c < table_.columns.size(); ++c) {
            single.push_back(c);
            if (table_.columns[c].group != table_.columns[c - 1].group) groups.push_back(c);
        }
        for (const auto* starts : {&groups, &single}) {
            for (std::size_t count = 1; count <= starts->size(); ++count) {
                const auto parts = divide(*starts, count);
                if (std::all_of(parts.begin(), parts.end(), [&](const Block& b) { return total(b) <= width; }))
                    return parts;
            }
        }
        return divide(single, single.size());
    }

    [[nodiscard]] std::string draw_block(const Block& block) const {
        std::string out;
        const std::string top = labels(upper_) + group_line(block);
        if (top.find_first_not_of(' ') != std::string::npos) end_line(out, top);
        std::string line = labels(lower_);
        for (std::size_t c = block.first; c < block.last; ++c)
            line += std::string(gap, ' ') + centred(table_.columns[c].heading, widths_[c]);
        end_line(out, line);
        end_line(out, std::string(total(block), '-'));
        for (std::size_t r = 0; r < table_.rows.size(); ++r) {
            line = labels(table_.rows[r].labels);
            for (std::size_t c = block.first; c < block.last; ++c) line += std::string(gap, ' ') + cells_[c][r];
            end_line(out, line);
        }
        return out;
    }

private:
    void add_column(const ShownTable& shown, std::size_t c, bool ansi) {
        const auto ours = draw_column(shown, c, &ShownCell::ours, ansi);
        const auto paper = draw_column(shown, c, &ShownCell::paper, ansi);
        const std::size_t ours_width = widest(ours), paper_width = widest(paper);
        const std::size_t content = ours_width + (paper_width > 0 ? 1 + paper_width : 0);
        widths_.push_back(std::max(content, display_width(table_.columns[c].heading)));
        auto& column = cells_.emplace_back();
        for (std::size_t r = 0; r < ours.size(); ++r) {
            std::string cell = std::string(widths_[c] - content, ' ') + right(ours[r], ours_width);
            if (paper_width > 0) cell.append(1, ' ').append(right(paper[r], paper_width));
            column.push_back(cell);
        }
    }

    [[nodiscard]] std::string labels(const std::vector<std::string>& values) const {
        std::string line;
        for (std::size_t i = 0; i < values.size(); ++i)
            line += std::string(i > 0 ? gap : 0, ' ') + left(values[i], label_widths_[i]);
        return line;
    }

    /// Characters of the columns [first, last) with a gap before each.
    [[nodiscard]] std::size_t span(std::size_t first, std::size_t last) const {
        std::size_t sum = 0;
        for (std::size_t c = first; c < last; ++c) sum += gap + widths_[c];
        return sum;
    }

    [[nodiscard]] std::size_t total(const Block& block) const {
        return display_width(labels(upper_)) + span(block.first, block.last);
    }

    [[nodiscard]] std::string group_line(const Block& block) const {
        std::string line;
        for (std::size_t c = block.first, next; c < block.last; c = next) {
            for (next = c + 1; next < block.last && table_.columns[next].group == table_.columns[c].group;) ++next;
            const std::size_t width = span(c, next) - gap;
            line += std::string(gap, ' ') + centred(table_.columns[c].group, width);
        }
        return line;
    }

    [[nodiscard]] std::vector<Block> divide(const std::vector<std::size_t>& starts, std::size_t count) const {
        std::vector<Block> parts;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t next = (i + 1) * starts.size() / count;
            parts.push_back(
                {starts[i * starts.size() / count], next < starts.size() ? starts[next] : table_.columns.size()});
        }
        return parts;
    }

    const ReproTable& table_;
    std::vector<std::string> upper_, lower_;  ///< the labels' headings
    std::vector<std::size_t> label_widths_;
    std::vector<std::size_t> widths_;              ///< of the columns
    std::vector<std::vector<std::string>> cells_;  ///< [column][row]
};

/// Words in lines of at most `width` characters.
std::string wrapped(const std::string& words, std::size_t width) {
    std::string out, line;
    for (std::size_t start = 0; start < words.size();) {
        const std::size_t space = std::min(words.find_first_of(" \n", start), words.size());
        const std::string word = words.substr(start, space - start);
        if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
            out += line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
        start = space + 1;
    }
    return out + line + "\n";
}

std::string marks(bool ansi) {
    return ansi ? " \x1b[1mBest\x1b[0m and \x1b[4msecond\x1b[0m of each column." : " * best, + second of each column.";
}

}  // namespace

std::string format_table(const ReproTable& table, const CellGrid& cells, bool ansi, std::size_t width) {
    const ShownTable all = show(table, cells);
    const TerminalTable drawn(table, all, ansi);
    std::string out = table.title + "\n\n";
    for (const Block& block : drawn.blocks(width)) out += drawn.draw_block(block) + "\n";
    std::string notes = "AUROC in percent";
    if (!all.seeds.empty()) notes += "; " + all.seeds;
    notes += ".";
    if (!all.source.empty()) notes += " " + all.source;
    if (all.marked) notes += marks(ansi);
    out += wrapped(notes, width);
    if (!table.note.empty()) out += wrapped(table.note, width);
    for (std::size_t i = 0; i < all.footnotes.size(); ++i)
        out += wrapped(text("[", i + 1, "] ", all.footnotes[i]), width);
    return out;
}

}  // namespace ltad
