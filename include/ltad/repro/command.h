#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace ltad {

/// What `ltad-repro` was asked for.
struct ReproCommand {
    std::string table{};                   ///< "table3" … "table9", "fig6", "fig8"
    std::filesystem::path config{};        ///< empty: the paper's, of the table's data set
    std::vector<std::string> overrides{};  ///< KEY=VALUE
    std::int64_t seeds = 1;
    std::vector<double> imbalance{};       ///< of tables 3–5 and figure 8; empty: the paper's, or the config's
    std::filesystem::path efficientnet{};  ///< of row 6.1
    std::filesystem::path out{};           ///< empty: runs/repro/<the config's name>
    bool dry_run = false;
    bool verify_features = false;  ///< rehash the feature stores first
};

/// Plans, prints the plan to stderr, trains and evaluates what is missing, prints the table to `out` and writes it as
/// <out>/<table>.md, .csv and .json, figures also as .svg. Throws UsageError, Interrupted; Error after everything when
/// a run failed.
void reproduce(const ReproCommand& command, std::ostream& out, bool ansi);

}  // namespace ltad
