#pragma once

#include "ltad/detect/detector.h"
#include "ltad/eval/results.h"

namespace ltad {

struct EvaluateOptions {
    bool verify_features = false;       ///< rehash the feature store first
    std::filesystem::path maps = {};    ///< folder for anomaly maps (MapWriter); empty for none
    std::filesystem::path report = {};  ///< folder of the page that will be written (`write_report`); empty for none
    std::filesystem::path config = {};  ///< the file that the settings came from, which must not be overwritten
};

/// Scores every test picture of a run with its fitted method (`load_detector`) and computes all AUROCs. Works class by
/// class: but for the mixed pixel figures (scoring.mixed_pixels), which keep every pixel, memory does not grow with the
/// number of classes. Throws Error naming a picture whose score is not a number, and a mask whose size is not its
/// picture's; UsageError where maps are asked of a method that gives none, and before the work where a file that is to
/// be written, here or with the report, would take the place of one of the data set or of another.
[[nodiscard]] Results evaluate(Run& run, const Detector& detector, const EvaluateOptions& options = {});

/// The config_sha256 of its results: of eval/config.json.
[[nodiscard]] std::string config_fingerprint(const Config& config);

/// Throws Error where `write_results` could not write: better before an evaluation than after.
void check_results_can_be_written(const Run& run);

/// Writes eval/results.json, table.md, scores.csv and the config that was evaluated below the run's output.
void write_results(const Run& run, const Results& results);

}  // namespace ltad
