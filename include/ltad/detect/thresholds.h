#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ltad/detect/detector.h"
#include "ltad/report/heat_map.h"

namespace ltad {

/// How a score looks on normal pictures.
struct NormalScore {
    double threshold = 0;  ///< the quantile of the training pictures' image scores
    double level = 0;      ///< mean of their maps
};

/// What tells good from defective where nobody has labelled anything: the training pictures' own scores. A class with
/// few pictures has a threshold to match.
struct Thresholds {
    double quantile = 0;
    std::map<std::string, std::vector<NormalScore>> classes{};  ///< in the order of Detector::scores
    std::vector<NormalScore> all{};                             ///< of all classes' pictures together

    /// Of a class, or of all where it is none of the known ones.
    [[nodiscard]] const std::vector<NormalScore>& of(const std::string& class_name) const;
};

/// The colours of a score's maps: the level of normal pictures is the darkest, the threshold is in the middle.
[[nodiscard]] HeatRange heat_range(const NormalScore& normal);

/// The value at a share of the sorted values, linear between two of them (numpy's default). Throws Error for none.
[[nodiscard]] double quantile(std::vector<double> values, double share);

/// <output>/thresholds.json, measured on the run's training pictures where it is missing or belongs to another fit or
/// scoring. Throws Error, Interrupted.
[[nodiscard]] Thresholds thresholds_of(Run& run, const Detector& detector);

}  // namespace ltad
