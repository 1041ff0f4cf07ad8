#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/repro/tables.h"

namespace ltad {

enum class PartKind { phase1, reconstruction, semantic, uniad, patchcore };

/// "phase 1", "reconstruction", …
[[nodiscard]] std::string_view name_of(PartKind kind);

/// Something that is trained. Parts with the same key have the same result, whichever run they belong to.
struct PlannedPart {
    PartKind kind = PartKind::phase1;
    std::string key;
};

/// A run that at least one cell of a table reads.
struct PlannedRun {
    std::string label;                ///< "6.3, seed 133"
    Config config;                    ///< resolved, with a folder of its own
    std::vector<std::string> scores;  ///< that the table reads
    std::vector<PlannedPart> parts;   ///< in the order of their training
    std::string refused;              ///< why its config is not allowed; empty where it is
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
