#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ltad {

/// What a column shows of a run's results.
struct TableColumn {
    std::string group;                   ///< what neighbours have in common: "image" or "exp100"; may be empty
    std::string heading;                 ///< below the group: "High"
    std::vector<std::string> overrides;  ///< KEY=VALUE
    std::string task;                    ///< "image" or "pixel"
    std::string subset;                  ///< "all", "high" or "low"
};

struct TableRow {
    std::string id;                      ///< unique in the table: "6.4", "LTAD w/o SAD"
    std::vector<std::string> labels;     ///< one for each of the table's label_headings
    std::vector<std::string> overrides;  ///< KEY=VALUE
    std::string score;                   ///< the name of the score in results.json
    std::string unavailable;             ///< why ltad cannot run this row; empty where it can
};

/// A table or figure of the paper as a set of runs: the cell of a row and a column is the AUROC of the row's score, for
/// the column's task and subset, of a run of the user's config with the row's and then the column's overrides on top.
/// What a table compares is set in all of its rows, so that the user's config cannot blur the comparison.
struct ReproTable {
    std::string name;   ///< "table6"
    std::string title;  ///< one line
    std::string note;   ///< what a reader should know beside it; may be empty
    std::vector<std::string> label_headings;
    std::vector<TableColumn> columns;
    std::vector<TableRow> rows;
    bool ranked = true;        ///< whether the rows of a column compete
    std::string paper_source;  ///< what the paper's figures are of, "MVTec AD, step100"; empty where there are none
    bool paper_data = false;   ///< whether that is the user's data set too
    std::vector<std::vector<std::optional<double>>> paper;  ///< percent, [row][column]
};

struct ReproOptions {
    /// Whether the user's data set is the one that the paper's table is of. Then tables 6–9 and figure 6 set the
    /// paper's split; else the user's is kept, and tables 6–9 show the paper's figures of its own data set for
    /// comparison.
    bool paper_data = false;
    /// Imbalance factors of tables 3–5 and figure 8, each at least 1. Empty: the paper's, where paper_data.
    std::vector<double> factors;
    /// A model directory with the EfficientNet of row 6.1; empty: that row is unavailable.
    std::filesystem::path efficientnet;
};

/// "table3" … "table9", "fig6", "fig8".
[[nodiscard]] const std::vector<std::string>& repro_names();

/// Which of the paper's data sets a table is of, as configs/ names its folder: "mvtec", "visa" or "dagm".
[[nodiscard]] std::string paper_data_of(const std::string& name);

/// Whether the columns or rows of a table are splits, which it sets itself.
[[nodiscard]] bool compares_splits(const std::string& name);

/// The table of that name. Throws UsageError for an unknown name, listing the known ones, and for tables 3–5 and
/// figure 8 when there is no imbalance factor.
[[nodiscard]] ReproTable repro_table(const std::string& name, const ReproOptions& options);

}  // namespace ltad
