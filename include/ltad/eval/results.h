#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/split/split.h"

namespace ltad {

/// The scores that every evaluation reports, in this order.
inline constexpr std::array<std::string_view, 3> score_names = {"ltad", "reconstruction", "semantic"};
inline constexpr std::size_t score_count = score_names.size();

/// In [0, 1]; empty where there is none ("n/a").
struct Aurocs {
    std::optional<double> image;
    std::optional<double> pixel;
};

struct ClassResult {
    std::string name;
    Group group = Group::high;
    std::int64_t train = 0;
    std::int64_t test_good = 0;
    std::int64_t test_defective = 0;
    std::array<Aurocs, score_count> scores{};
};

/// One picture's scores, in the order of score_names.
struct ImageResult {
    std::string file;
    std::string class_name;
    bool defective = false;
    std::array<float, score_count> scores{};
};

struct Results {
    std::string config_sha256;
    double lambda = 0;
    std::int64_t empty_masks = 0;  ///< defective pictures whose resized mask is empty
    std::vector<ClassResult> classes{};
    std::vector<ImageResult> images{};
};

/// Unweighted means of each figure over the classes that have it; empty where none has.
[[nodiscard]] Aurocs mean_aurocs(const std::vector<Aurocs>& classes);

/// {"image_auroc", "pixel_auroc"}, null where there is none.
[[nodiscard]] json to_json(const Aurocs& aurocs);

enum class Subset { all, high, low };

/// `mean_aurocs` of a subset's classes, for each score.
[[nodiscard]] std::array<Aurocs, score_count> mean_scores(const Results& results, Subset subset);

/// The contract's results.json (format "ltad-results/1").
[[nodiscard]] json to_json(const Results& results);

/// Per class and Avg / High / Low, in percent with two decimals, the three scores side by side.
[[nodiscard]] std::string format_table(const Results& results);
[[nodiscard]] std::string format_markdown(const Results& results);
[[nodiscard]] std::string format_csv(const Results& results);

/// scores.csv: file, class, label, and the three image scores.
[[nodiscard]] std::string format_image_scores(const Results& results);

}  // namespace ltad
