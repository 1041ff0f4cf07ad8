#include "ltad/repro/figures.h"

#include <algorithm>

#include "cells.h"
#include "ltad/report/chart.h"

namespace ltad {
namespace {

/// Figure 6: AUROC over the number of tokens, a line for each of Avg, High and Low.
std::string lines(const ReproTable& table, const CellGrid& cells, const std::string& task) {
    LineChart chart{.title = table.title,
                    .description = task + " AUROC in percent; whiskers: the sample deviation over seeds",
                    .x_label = "tokens",
                    .y_label = task + " AUROC, %",
                    .markers = true,
                    .width = 520,
                    .height = 340};
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        if (table.columns[c].task != task) continue;
        ChartSeries series{.name = table.columns[c].heading, .points = {}};
        for (std::size_t r = 0; r < table.rows.size(); ++r)
            if (const auto mean = seed_mean(cells[r][c].seeds))
                series.points.push_back({.x = std::stod(table.rows[r].id),
                                         .y = *mean,
                                         .error = seed_deviation(cells[r][c].seeds).value_or(0)});
        chart.series.push_back(std::move(series));
    }
    return chart_file(draw(chart));
}

/// Figure 8: of each split the two class orders, consecutive rows, side by side, for Avg, High and Low.
std::string bars(const ReproTable& table, const CellGrid& cells, const std::string& task) {
    const bool above_chance = std::all_of(cells.begin(), cells.end(), [](const auto& row) {
        return std::all_of(row.begin(), row.end(), [](const CellValues& cell) {
            const auto mean = seed_mean(cell.seeds);
            return !mean || *mean >= 50;
        });
    });
    BarChart chart{.title = table.title,
                   .description = task + " AUROC in percent; whiskers: the sample deviation over seeds",
                   .value_label = task + " AUROC, %",
                   .series = {table.rows[0].labels[1], table.rows[1].labels[1]},
                   .range = {above_chance ? 50.0 : 0.0, 100},
                   .decimals = 2,
                   .width = 560};
    for (std::size_t r = 0; r + 1 < table.rows.size(); r += 2)
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            if (table.columns[c].task != task) continue;
            BarGroup group{.name = table.rows[r].labels[0] + " " + table.columns[c].heading};
            for (const std::size_t row : {r, r + 1}) {
                group.values.push_back(seed_mean(cells[row][c].seeds));
                group.errors.push_back(seed_deviation(cells[row][c].seeds).value_or(0));
            }
            chart.groups.push_back(std::move(group));
        }
    return chart_file(draw(chart));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> draw_figure(const ReproTable& table, const CellGrid& cells) {
    std::vector<std::pair<std::string, std::string>> files;
    if (!table.name.starts_with("fig")) return files;
    for (const char* task : {"image", "pixel"})
        files.emplace_back(std::string("-") + task + ".svg",
                           table.name == "fig6" ? lines(table, cells, task) : bars(table, cells, task));
    return files;
}

}  // namespace ltad
