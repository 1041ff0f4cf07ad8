#include "ltad/repro/figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ltad/report/chart.h"

namespace ltad {
namespace {

double mean_of(const CellValues& cell) {
    return std::accumulate(cell.seeds.begin(), cell.seeds.end(), 0.0) / static_cast<double>(cell.seeds.size());
}

/// The sample's; 0 for one seed.
double deviation_of(const CellValues& cell) {
    if (cell.seeds.size() < 2) return 0;
    double squares = 0;
    for (const double seed : cell.seeds) squares += (seed - mean_of(cell)) * (seed - mean_of(cell));
    return std::sqrt(squares / static_cast<double>(cell.seeds.size() - 1));
}

/// Figure 6: AUROC over the number of tokens, a line for each of Avg, High and Low.
std::string lines(const ReproTable& table, const CellGrid& cells, const std::string& task) {
    LineChart chart{.title = table.title,
                    .description = task + " AUROC in percent",
                    .x_label = "tokens",
                    .y_label = task + " AUROC, %",
                    .markers = true,
                    .width = 520,
                    .height = 340};
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        if (table.columns[c].task != task) continue;
        ChartSeries series{.name = table.columns[c].heading, .points = {}};
        for (std::size_t r = 0; r < table.rows.size(); ++r)
            if (!cells[r][c].seeds.empty())
                series.points.push_back(
                    {.x = std::stod(table.rows[r].id), .y = mean_of(cells[r][c]), .error = deviation_of(cells[r][c])});
        chart.series.push_back(std::move(series));
    }
    return chart_file(draw(chart));
}

/// Figure 8: of each split the two class orders side by side, for Avg, High and Low.
std::string bars(const ReproTable& table, const CellGrid& cells, const std::string& task) {
    BarChart chart{.title = table.title,
                   .description = task + " AUROC in percent",
                   .value_label = task + " AUROC, %",
                   .series = {"as it is", "reversed"},
                   .range = {50, 100},
                   .decimals = 2,
                   .width = 560};
    for (std::size_t r = 0; r + 1 < table.rows.size(); r += 2)  // "as it is", then "reversed"
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            if (table.columns[c].task != task) continue;
            BarGroup group{.name = table.rows[r].labels[0] + " " + table.columns[c].heading, .count = {}, .values = {}};
            for (const std::size_t row : {r, r + 1})
                group.values.push_back(cells[row][c].seeds.empty() ? std::nullopt
                                                                   : std::optional(mean_of(cells[row][c])));
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
