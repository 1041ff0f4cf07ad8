#pragma once

#include "ltad/train/phase2.h"

namespace ltad {

/// How the two parts of the score spread over the training pictures' clean and jittered tokens.
struct ScoreStatistics {
    double reconstruction_deviation = 0;
    double semantic_deviation = 0;

    /// The weight λ that makes both parts spread alike: std S_rec / std S_sem.
    [[nodiscard]] double lambda() const;
};

/// One pass over the training pictures, in double.
[[nodiscard]] ScoreStatistics measure_scores(const Run& run, const Phase2Model& model, const Phase2Sampler& sampler,
                                             const FeatureSet& set);

/// phase2/statistics.json: the statistics and the sha256 of the modules they belong to.
void write_statistics(const Run& run, const ScoreStatistics& statistics);
/// Whether they are there, whole, and belong to the modules that are there.
[[nodiscard]] bool statistics_are_current(const Run& run);
/// Throws Error when they are missing or belong to other modules.
[[nodiscard]] ScoreStatistics read_statistics(const Run& run);

}  // namespace ltad
