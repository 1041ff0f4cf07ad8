#include "cells.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

#include "ltad/core/error.h"

namespace ltad {
namespace {

std::string two_decimals(double value) {
    char out[32];
    std::snprintf(out, sizeof out, "%.2f", value);
    return out;
}

/// Best and second of a column, as shown: equal digits share a place. One figure alone competes with none.
void rank_column(ShownTable& table, std::size_t column, ShownFigure ShownCell::*figure,
                 const std::function<bool(std::size_t)>& competes) {
    std::set<double, std::greater<>> values;
    std::size_t count = 0;
    for (std::size_t r = 0; r < table.cells.size(); ++r) {
        if (!competes(r)) continue;
        values.insert(std::stod((table.cells[r][column].*figure).digits));
        ++count;
    }
    if (count < 2) return;
    for (std::size_t r = 0; r < table.cells.size(); ++r) {
        if (!competes(r)) continue;
        ShownFigure& one = table.cells[r][column].*figure;
        const auto place = std::distance(values.begin(), values.find(std::stod(one.digits)));
        one.place = place == 0 ? Place::best : place == 1 ? Place::second : Place::none;
    }
    table.marked = true;
}

void rank(ShownTable& shown, const ReproTable& table, const CellGrid& cells) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        rank_column(shown, c, &ShownCell::ours, [&](std::size_t r) { return !cells[r][c].seeds.empty(); });
        rank_column(shown, c, &ShownCell::paper, [&](std::size_t r) { return table.paper[r][c].has_value(); });
    }
}

ShownCell shown_cell(const CellValues& cell, const std::optional<double>& paper, bool paper_shown,
                     const std::string& why) {
    ShownCell out;
    const auto ours = seed_mean(cell.seeds);
    out.ours.digits = ours ? two_decimals(*ours) : why.empty() ? "no data" : "n/a";
    if (const auto spread = seed_deviation(cell.seeds)) out.deviation = two_decimals(*spread);
    if (paper_shown) out.paper.digits = paper ? two_decimals(*paper) : "-";
    return out;
}

/// The number of a footnote that says so, the same for the same words.
std::size_t footnote(std::vector<std::string>& notes, const std::string& words) {
    if (words.empty()) return 0;
    const auto found = std::find(notes.begin(), notes.end(), words);
    const auto number = static_cast<std::size_t>(std::distance(notes.begin(), found)) + 1;
    if (found == notes.end()) notes.push_back(words);
    return number;
}

std::string describe_seeds(const CellGrid& cells) {
    std::size_t fewest = std::numeric_limits<std::size_t>::max(), most = 0;
    for (const auto& row : cells) {
        for (const CellValues& cell : row) {
            if (cell.seeds.empty()) continue;
            fewest = std::min(fewest, cell.seeds.size());
            most = std::max(most, cell.seeds.size());
        }
    }
    if (most < 2) return "";
    return text("mean ± sample deviation of ", fewest < most ? text(fewest, " to ") : "", most, " seeds");
}

}  // namespace

void check_shape(const ReproTable& table, const CellGrid& cells) {
    const auto fits = [&](const auto& grid) {
        return grid.size() == table.rows.size() && std::all_of(grid.begin(), grid.end(), [&](const auto& row) {
                   return row.size() == table.columns.size();
               });
    };
    if (!fits(cells)) fail(table.name, ": the measured cells are not ", table.rows.size(), " x ", table.columns.size());
    if (!fits(table.paper)) fail(table.name, ": the paper's are not ", table.rows.size(), " x ", table.columns.size());
}

std::optional<double> seed_mean(const std::vector<double>& seeds) {
    if (seeds.empty()) return std::nullopt;
    return std::accumulate(seeds.begin(), seeds.end(), 0.0) / static_cast<double>(seeds.size());
}

std::optional<double> seed_deviation(const std::vector<double>& seeds) {
    if (seeds.size() < 2) return std::nullopt;
    const double middle = *seed_mean(seeds);
    double sum = 0;
    for (const double seed : seeds) sum += (seed - middle) * (seed - middle);
    return std::sqrt(sum / static_cast<double>(seeds.size() - 1));
}

const std::string& reason_of(const TableRow& row, const CellValues& cell) {
    return row.unavailable.empty() ? cell.why_empty : row.unavailable;
}

std::string full_heading(const TableColumn& column) {
    return column.group.empty() ? column.heading : column.group + " " + column.heading;
}

ShownTable show(const ReproTable& table, const CellGrid& cells) {
    check_shape(table, cells);
    ShownTable out;
    bool any_paper = false;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
        auto& row = out.cells.emplace_back();
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            const bool paper_shown = std::any_of(table.paper.begin(), table.paper.end(),
                                                 [&](const auto& figures) { return figures[c].has_value(); });
            any_paper |= paper_shown;
            const std::string& why = reason_of(table.rows[r], cells[r][c]);
            row.push_back(shown_cell(cells[r][c], table.paper[r][c], paper_shown, why));
            row.back().footnote = footnote(out.footnotes, why);
        }
    }
    if (table.ranked) rank(out, table, cells);
    out.seeds = describe_seeds(cells);
    if (any_paper)
        out.source = text("In parentheses: the paper, on ", table.paper_source,
                          table.paper_data ? "." : "; other data, so that only the order compares.");
    return out;
}

}  // namespace ltad
