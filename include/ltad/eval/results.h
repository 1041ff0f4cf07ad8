#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/eval/figures.h"
#include "ltad/split/split.h"

namespace ltad {

struct ClassResult {
    std::string name;
    Group group = Group::high;
    std::int64_t train = 0;
    std::int64_t test_good = 0;
    std::int64_t test_defective = 0;
    std::vector<Figures> scores{};                   ///< in the order of Results::scores
    std::vector<std::vector<RocPoint>> pixel_roc{};  ///< likewise, thinned; empty without masks or maps
};

/// One picture's scores, in the order of Results::scores.
struct ImageResult {
    std::string file;
    std::string class_name;
    bool defective = false;
    std::vector<float> scores{};
};

struct Results {
    std::string config_sha256;
    std::string method{};
    std::vector<std::string> scores{};  ///< names, the main one first
    bool gives_maps = true;             ///< whether the method does; else there are no pixel figures
    std::optional<double> lambda{};
    std::int64_t empty_masks = 0;    ///< defective pictures whose resized mask is empty
    std::string first_empty_mask{};  ///< the first of these pictures
    std::vector<ClassResult> classes{};
    /// Of each score over all classes' pictures and pixels as one: what a single threshold for all could do.
    std::vector<Figures> mixed{};
    std::vector<ImageResult> images{};
};

enum class Subset { all, high, low };

/// `mean_figures` of a subset's classes, for each score.
[[nodiscard]] std::vector<Figures> mean_scores(const Results& results, Subset subset);

/// The contract's results.json (format "ltad-results/1").
[[nodiscard]] json to_json(const Results& results);

/// AUROC per class, Avg / High / Low and Mixed, in percent with two decimals, the scores side by side.
[[nodiscard]] std::string format_table(const Results& results);
[[nodiscard]] std::string format_markdown(const Results& results);
[[nodiscard]] std::string format_csv(const Results& results);

/// The other figures of one score in the same rows: average precision, F1-max, AUPRO.
[[nodiscard]] std::string format_more_figures(const Results& results, std::size_t score);

/// scores.csv: file, class, label, and the image scores.
[[nodiscard]] std::string format_image_scores(const Results& results);

}  // namespace ltad
