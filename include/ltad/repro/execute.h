#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/repro/format.h"
#include "ltad/repro/plan.h"

namespace ltad {

/// What is left to do of a plan, and how long that may take here.
struct ReproWork {
    struct Item {
        std::size_t run = 0;
        PlannedPart part;
        std::int64_t steps = 0;
        double seconds = 0;
    };
    std::vector<Item> items;           ///< parts to train, each key once, in order
    std::size_t reused = 0;            ///< parts that are finished, or that an earlier item makes
    std::size_t finished_runs = 0;     ///< evaluated already
    std::vector<std::string> no_data;  ///< by run: why its data are not there; empty where they are

    [[nodiscard]] double seconds() const;
};

/// Looks at what is on disk, and measures a few steps of each kind of training; trains nothing.
[[nodiscard]] ReproWork survey(const ReproPlan& plan, const std::filesystem::path& root);

/// A table of kinds of parts: to train, reused, steps, time.
[[nodiscard]] std::string describe(const ReproPlan& plan, const ReproWork& work);

/// What became of a run.
struct RunOutcome {
    std::optional<json> results;  ///< its results.json
    std::string why;              ///< why there are none; empty where its data are absent
    bool absent = false;          ///< its data set is not there
};

/// Trains and evaluates what is missing, run by run, under <root>/runs; what is finished stays, so that the same call
/// goes on after an interruption. Parts that several runs share are trained once. A run that fails costs no other.
/// verify_features: rehashes the feature store of each first. Returns the outcome of each run. Throws Interrupted.
[[nodiscard]] std::vector<RunOutcome> execute(const ReproPlan& plan, const ReproWork& work,
                                              const std::filesystem::path& root, const std::string& title,
                                              bool verify_features);

/// The cells of a table from its runs' results.
[[nodiscard]] CellGrid read_cells(const ReproTable& table, const ReproPlan& plan,
                                  const std::vector<RunOutcome>& outcomes);

}  // namespace ltad
