#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ltad/repro/format.h"

namespace ltad {

enum class Place { none, best, second };

/// One figure as it is shown.
struct ShownFigure {
    std::string digits;  ///< "85.10", "no data", "n/a"; empty where the paper's column has no figures at all
    Place place = Place::none;
};

/// A cell as all readable forms show it.
struct ShownCell {
    ShownFigure ours;
    std::string deviation;     ///< "0.12"; empty for fewer than two seeds
    std::size_t footnote = 0;  ///< from 1; 0 for none
    ShownFigure paper;
};

struct ShownTable {
    std::vector<std::vector<ShownCell>> cells;  ///< [row][column]
    std::vector<std::string> footnotes;
    std::string seeds;    ///< "mean ± sample deviation of 3 seeds"; empty where all have at most one
    std::string source;   ///< of the paper's figures, a sentence; empty where there are none
    bool marked = false;  ///< whether any figure is best
};

/// Throws Error when the grid is not the table's.
[[nodiscard]] ShownTable show(const ReproTable& table, const CellGrid& cells);

/// Empty without seeds.
[[nodiscard]] std::optional<double> seed_mean(const std::vector<double>& seeds);

/// √(Σ(x − mean)² / (n − 1)); empty for fewer than two seeds.
[[nodiscard]] std::optional<double> seed_deviation(const std::vector<double>& seeds);

/// Why a cell has no figure, or not all: the row's reason before the cell's.
[[nodiscard]] const std::string& reason_of(const TableRow& row, const CellValues& cell);

/// "image High".
[[nodiscard]] std::string full_heading(const TableColumn& column);

/// Throws Error when the grid is not the table's.
void check_shape(const ReproTable& table, const CellGrid& cells);

}  // namespace ltad
