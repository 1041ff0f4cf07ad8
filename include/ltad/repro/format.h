#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/repro/tables.h"

namespace ltad {

/// What was measured for one cell.
struct CellValues {
    std::vector<double> seeds{};      ///< percent, one per seed
    std::string why_empty{};          ///< why seeds are missing, for a footnote; empty where nothing went wrong
    std::vector<std::string> runs{};  ///< folders of the runs that were read, one per seed
};

/// [row][column] of a ReproTable.
using CellGrid = std::vector<std::vector<CellValues>>;

// Each shows our figure (with several seeds the mean ± the sample deviation) and beside it the paper's. In a column of
// a ranked table, the best mean and the second are marked, and apart from them the paper's; figures that look equal at
// two decimals share a place. A cell without seeds is "no data", or "n/a" with a footnote where its row is unavailable
// or the cell says why. All throw Error when the grid is not the table's.

/// Plain text, in as few parts side by side as fit into `width` characters, where necessary one below the other. Best
/// and second are bold and underlined where `ansi`, else marked * and +.
[[nodiscard]] std::string format_table(const ReproTable& table, const CellGrid& cells, bool ansi,
                                       std::size_t width = 120);

/// A title, a table with **best** and <u>second</u>, and notes.
[[nodiscard]] std::string format_markdown(const ReproTable& table, const CellGrid& cells);

/// One line for each row and column: table, id, a field for each label, column, task, subset, mean, deviation, number
/// of seeds, their values (spaces between), paper, note. Figures in full precision; a field without a figure is empty.
[[nodiscard]] std::string format_csv(const ReproTable& table, const CellGrid& cells);

/// Format "ltad-repro/1": the table with every figure, null where there is none, and the folders of its runs.
[[nodiscard]] json to_json(const ReproTable& table, const CellGrid& cells);

}  // namespace ltad
