#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ltad/detect/detector.h"
#include "ltad/report/heat_map.h"

namespace ltad {

/// How a score looks on normal pictures.
struct NormalScore {
    double threshold = 0;  ///< the quantile of the training pictures' image scores, each left out where the method can
    std::optional<double> level{};  ///< mean of their maps; empty for a method that gives none
};

/// How a class looks in its normal pictures.
struct NormalClass {
    std::vector<NormalScore> scores{};  ///< in the order of Detector::scores
    std::vector<float> embedding{};     ///< mean image embedding z, [d_z]
};

/// What tells good from defective, and which class a picture is of, where nobody has said so: the training pictures'
/// own scores and embeddings. A class with few pictures has a threshold to match.
struct Thresholds {
    double quantile = 0;
    std::map<std::string, NormalClass> classes{};

    /// Of a class. Throws Error for one that is not known.
    [[nodiscard]] const std::vector<NormalScore>& of(const std::string& class_name) const;
    /// The class whose mean embedding is nearest to this one.
    [[nodiscard]] const std::string& nearest_class(std::span<const float> embedding) const;
};

/// The colours of a score's maps: the level of normal pictures is the darkest, the threshold is in the middle. Throws
/// Error where there is no level.
[[nodiscard]] HeatRange heat_range(const NormalScore& normal);

/// The value at a share of the sorted values, linear between two of them (numpy's default). Throws Error for none.
[[nodiscard]] double quantile(std::vector<double> values, double share);

/// <output>/thresholds.json, measured on the run's training pictures where it is missing or belongs to another fit;
/// those of the same fit with other settings are kept beside it. Throws Error, Interrupted.
[[nodiscard]] Thresholds thresholds_of(Run& run, const Detector& detector);

}  // namespace ltad
