#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/detect/method.h"
#include "ltad/repro/tables.h"

namespace ltad {

/// Something that is trained. Parts with the same key have the same result, whichever run they belong to.
struct PlannedPart {
    const MethodPart* part = nullptr;
    std::string key;
};

/// A run that at least one cell of a table reads.
struct PlannedRun {
    std::string label;                ///< "6.3, seed 133"
    Config config;                    ///< resolved, with a folder of its own
    std::vector<std::string> scores;  ///< that the table reads
    std::string only;                 ///< the one score that it trains and evaluates; empty for all
    std::vector<PlannedPart> parts;   ///< in the order of their training
    std::string refused;              ///< why its config is not allowed; empty where it is
    std::string inputs{};             ///< what it reads, by content, when the plan was made

    /// Where a finished part is.
    [[nodiscard]] std::filesystem::path file_of(const PlannedPart& part) const;
    /// Where the results of `only` are kept: tables that read other parts of the same run have files of their own.
    /// eval/results.json is the last evaluation's.
    [[nodiscard]] std::filesystem::path results_file() const;
};

/// The runs of a table, each once, and which of them every cell reads.
struct ReproPlan {
    std::vector<PlannedRun> runs;
    /// [row][column]: one run for each seed, as index; empty for a row that is not available.
    std::vector<std::vector<std::vector<std::size_t>>> cells;
};

/// Config file and overrides as given to ltad-repro; seeds: how many, from the config's seed on; root: where runs go.
/// Throws UsageError for a config that is wrong without the table's overrides.
[[nodiscard]] ReproPlan make_plan(const ReproTable& table, const std::filesystem::path& file,
                                  const std::vector<std::string>& overrides, std::int64_t seeds,
                                  const std::filesystem::path& root);

}  // namespace ltad
