#pragma once

#include <optional>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/eval/roc.h"

namespace ltad {

/// How well a score tells good from defective, picture by picture or pixel by pixel; empty where there is no figure
/// ("n/a"). All but the threshold, a score, are in [0, 1].
struct LevelFigures {
    std::optional<double> auroc{};
    std::optional<double> average_precision{};
    std::optional<double> f1_max{};
    std::optional<double> f1_threshold{};  ///< "score ≥ threshold" has f1_max
};

/// Of one score over a class, or over several.
struct Figures {
    LevelFigures image{};
    LevelFigures pixel{};
    std::optional<double> region_overlap{};  ///< AUPRO up to a false positive rate of 0.3
};

[[nodiscard]] LevelFigures level_figures(const std::optional<RankedFigures>& ranked);

/// Unweighted means of each figure over the classes that have it; empty where none has. Thresholds have no mean.
[[nodiscard]] Figures mean_figures(const std::vector<Figures>& classes);

/// {"image_auroc", "image_ap", "image_f1_max", "image_f1_threshold", the same for "pixel", "pixel_aupro"}; null where
/// there is none.
[[nodiscard]] json to_json(const Figures& figures);

}  // namespace ltad
