#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ltad/report/chart.h"
#include "ltad/report/gallery.h"

namespace ltad {

/// One score's figures for a class or a mean, in [0, 1]; empty where there is none ("n/a").
struct ReportFigures {
    std::optional<double> image_auroc{};
    std::optional<double> pixel_auroc{};
    std::optional<double> image_average_precision{};
    std::optional<double> image_f1_max{};
    std::optional<double> pixel_average_precision{};
    std::optional<double> pixel_f1_max{};
    std::optional<double> aupro{};
};

/// One score of one class.
struct ReportScore {
    ReportFigures figures;
    /// (false positive rate, true positive rate), thinned by the caller; empty where there is no curve.
    std::vector<ChartPoint> image_roc{};
    std::vector<ChartPoint> pixel_roc{};
    /// Scores of the test pictures.
    std::vector<double> good{};
    std::vector<double> defective{};
    /// The score of the largest F1, drawn into the histogram.
    std::optional<double> f1_threshold{};
    /// What the training pictures say: a picture above it is called defective where nobody has labelled it.
    std::optional<double> normal_threshold{};
};

struct NearestWord {
    std::string word{};
    double cosine = 0;
};

struct ReportClass {
    std::string name{};
    std::string group{};  ///< "high", "low", or empty
    std::int64_t train = 0;
    std::int64_t test_good = 0;
    std::int64_t test_defective = 0;
    std::vector<ReportScore> scores{};  ///< in the order of Report::score_names
    /// For each token of the learned name its nearest words, the nearest first; empty where no name is learned.
    std::vector<std::vector<NearestWord>> name_words{};
};

/// "Avg", "High", "Low", or another row below the classes, such as all classes mixed.
struct ReportMean {
    std::string name{};
    std::string meaning{};  ///< a sentence, where the name does not say it
    std::vector<ReportFigures> scores{};
};

/// How one term of a loss went, by epoch.
struct TrainingCurve {
    std::string phase{};  ///< a heading for consecutive curves: "Phase 1: names and feature VAE"
    std::string term{};
    std::vector<ChartPoint> points{};
};

/// What the page shows. Everything may be empty but `score_names`; what is empty has no section.
struct Report {
    std::string title{};
    std::vector<std::pair<std::string, std::string>> facts{};  ///< data set, encoder, split, λ, seed, version …
    std::vector<std::string> notes{};                          ///< sentences the reader has to know
    std::vector<std::string> score_names{};                    ///< the first one is the method's own
    std::vector<ReportClass> classes{};
    std::vector<ReportMean> means{};     ///< the first one is the summary at the top
    std::vector<GalleryItem> gallery{};  ///< in order of worth
    /// Pictures of each GalleryKind that it was chosen from.
    std::array<std::size_t, 3> gallery_totals{};
    bool has_maps = true;  ///< whether the gallery shows maps
    std::vector<TrainingCurve> training{};
    std::string config{};  ///< resolved, as text
};

/// One self-contained HTML page, also well-formed XML: no script, no network (its Content-Security-Policy forbids
/// both), light and dark. Gallery pictures are at most 224 pixels wide and high; items are taken in order while the
/// page's pictures fit `picture_bytes`, and the page says how many are left out. Throws Error naming the class or mean
/// that has not one entry for each of score_names.
[[nodiscard]] std::string render_report(const Report& report, std::size_t picture_bytes = 8'000'000);

}  // namespace ltad
