#pragma once

#include "ltad/eval/results.h"
#include "ltad/train/phase2.h"

namespace ltad {

/// Scores every test picture of a run with its finished modules and computes all AUROCs. Works class by class: memory
/// does not grow with the number of classes. Throws Error naming a picture whose score is not a number, and a mask
/// whose size is not its picture's.
[[nodiscard]] Results evaluate(Run& run, bool verify_features = false);

/// Writes eval/results.json, table.md, scores.csv and the config that was evaluated below the run's output.
void write_results(const Run& run, const Results& results);

}  // namespace ltad
