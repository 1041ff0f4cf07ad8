#include "ltad/eval/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/config/load.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/eval/maps.h"
#include "ltad/eval/pixel_labels.h"
#include "ltad/eval/pixel_scores.h"
#include "ltad/eval/report.h"

namespace ltad {
namespace {

constexpr std::size_t batch_size = 16;
constexpr const char* interrupted = "interrupted; no results were written, and maps are incomplete without maps.json";

/// What results.json's config_sha256 is the hash of, kept beside it.
std::string config_text(const Config& config) { return to_json(config).dump(2) + "\n"; }

/// Of all classes together, by score.
struct MixedScores {
    std::vector<RankedScores> images, pixels;

    /// pixel_count: of all pictures that may follow.
    MixedScores(std::size_t scores, std::size_t pixel_count) : images(scores), pixels(scores) {
        for (RankedScores& score : pixels) score.reserve_good(pixel_count);
    }

    [[nodiscard]] std::vector<Figures> figures() {
        std::vector<Figures> all;
        for (std::size_t s = 0; s < images.size(); ++s) {
            stop_if_interrupted(interrupted);
            all.push_back({.image = level_figures(images[s].figures()),
                           .pixel = level_figures(pixels[s].figures()),
                           .region_overlap = std::nullopt});
        }
        return all;
    }
};

class ClassEvaluation {
public:
    ClassEvaluation(const Run& run, const Detector& detector, const ClassSplit& split, Results& results,
                    MixedScores& mixed, MapWriter* maps)
        : run_(run),
          detector_(detector),
          results_(results),
          side_(run.config().scoring.map_size),
          pixels_(results.scores.size()),
          mixed_(mixed),
          maps_(maps) {
        out_ = {.name = split.name, .group = split.group, .train = split.kept, .test_good = 0, .test_defective = 0};
        out_.scores.resize(results.scores.size());
        for (const Sample& sample : run.split().test)
            if (sample.class_name == split.name) samples_.push_back(sample);
        out_.test_defective =
            std::count_if(samples_.begin(), samples_.end(), [](const Sample& s) { return s.defective; });
        out_.test_good = static_cast<std::int64_t>(samples_.size()) - out_.test_defective;
        has_masks_ = std::any_of(samples_.begin(), samples_.end(), [](const Sample& s) { return !s.mask.empty(); });
        by_pixel_ = has_masks_ && detector.gives_maps();
    }

    void evaluate(Progress& progress) {
        const FeatureSet set = run_.features_of(samples_);
        if (by_pixel_) {
            const std::size_t pixels = samples_.size() * static_cast<std::size_t>(side_ * side_);
            for (PixelScores& scores : pixels_) scores.reserve_good(pixels);
        }
        std::vector<std::size_t> all(samples_.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        for (std::size_t first = 0; first < all.size(); first += batch_size) {
            const auto indices = std::span(all).subspan(first, std::min(batch_size, all.size() - first));
            add_batch(set, indices);
            progress.advance(indices.size());
            stop_if_interrupted(interrupted);
        }
        summarize();
    }

private:
    void add_batch(const FeatureSet& set, std::span<const std::size_t> indices) {
        const Detection found = detector_.detect(set, indices);
        const std::size_t first_image = results_.images.size();
        for (const std::size_t i : indices)
            results_.images.push_back(
                {.file = samples_[i].file, .class_name = samples_[i].class_name, .defective = samples_[i].defective});
        for (std::size_t s = 0; s < results_.scores.size(); ++s)
            for (std::size_t i = 0; i < indices.size(); ++i) {
                const auto score = found.images[s][static_cast<std::int64_t>(i)].item<float>();
                if (std::isnan(score))
                    fail(samples_[indices[i]].file, ": its ", results_.scores[s], " score is not a number");
                results_.images[first_image + i].scores.push_back(score);
            }
        if (maps_ != nullptr)
            for (std::size_t i = 0; i < indices.size(); ++i)
                maps_->write(samples_[indices[i]], set.file_of(indices[i]), found, i);
        if (!by_pixel_) return;
        const auto per_picture = static_cast<std::size_t>(side_ * side_);
        for (std::size_t i = 0; i < indices.size(); ++i) {
            const auto labels = labels_of(samples_[indices[i]], set.features_of(indices[i]));
            for (std::size_t s = 0; s < pixels_.size(); ++s)
                pixels_[s].add({found.maps[s].const_data_ptr<float>() + i * per_picture, per_picture}, labels,
                               static_cast<std::size_t>(side_));
        }
    }

    std::vector<std::uint8_t> labels_of(const Sample& sample, const ImageFeatures& picture) {
        auto labels = pixel_labels(run_.config().dataset, sample, picture, side_);
        const bool is_empty = !sample.mask.empty() && std::find(labels.begin(), labels.end(), 1) == labels.end();
        if (is_empty && ++results_.empty_masks == 1) results_.first_empty_mask = sample.file;
        return labels;
    }

    void summarize() {
        std::vector<float> scores(samples_.size());
        std::vector<std::uint8_t> labels(samples_.size());
        const std::size_t first = results_.images.size() - samples_.size();
        for (std::size_t s = 0; s < pixels_.size(); ++s) {
            for (std::size_t i = 0; i < samples_.size(); ++i) {
                scores[i] = results_.images[first + i].scores[s];
                labels[i] = samples_[i].defective ? 1 : 0;
            }
            RankedScores images;
            images.add(scores, labels);
            out_.scores[s].image = level_figures(images.figures());
            stop_if_interrupted(interrupted);
            mixed_.images[s].add(images);
            if (!by_pixel_) continue;
            out_.scores[s].pixel = level_figures(pixels_[s].figures());
            out_.scores[s].region_overlap = pixels_[s].region_overlap();
            out_.pixel_roc.push_back(pixels_[s].roc_curve(curve_points));
            if (run_.config().scoring.mixed_pixels) mixed_.pixels[s].add(pixels_[s].ranked());
        }
        if (!out_.scores[0].image.auroc)
            log_warning(text(out_.name, ": its test pictures are all ", out_.test_good > 0 ? "good" : "defective",
                             ", so it has no image AUROC and is left out of the image means"));
        else if (!has_masks_)
            log_warning(text(out_.name, ": no masks, so it has image figures only"));
        results_.classes.push_back(std::move(out_));
    }

    const Run& run_;
    const Detector& detector_;
    Results& results_;
    std::int64_t side_;
    ClassResult out_;
    std::vector<Sample> samples_;
    bool has_masks_ = false;
    bool by_pixel_ = false;  ///< whether there are masks and maps to compare with them
    std::vector<PixelScores> pixels_;
    MixedScores& mixed_;
    MapWriter* maps_;
};

void check_outputs(const Run& run, const Detector& detector, const EvaluateOptions& options) {
    run.check_output();
    Outputs outputs;
    run.keep_data_set(outputs);
    if (!options.config.empty()) outputs.keep(options.config, "the config");
    if (!options.report.empty())
        outputs.claim(options.report / report_page, text("--report ", options.report.string()));
    if (!options.maps.empty()) claim_maps(outputs, run.split().test, detector.scores(), options.maps);
}

}  // namespace

std::string config_fingerprint(const Config& config) { return sha256(config_text(config)); }

Results evaluate(Run& run, const Detector& detector, const EvaluateOptions& options) {
    const c10::NoGradGuard no_grad;
    if (!options.maps.empty() && !detector.gives_maps())
        throw UsageError(text("--maps: method \"", run.config().method, "\" scores whole pictures, and gives no maps"));
    run.check_split();
    check_outputs(run, detector, options);
    run.prepare_features(options.verify_features);
    Results results{.config_sha256 = config_fingerprint(run.config()),
                    .method = run.config().method,
                    .scores = detector.scores(),
                    .gives_maps = detector.gives_maps(),
                    .lambda = detector.lambda()};
    std::optional<MapWriter> maps;
    if (!options.maps.empty()) maps.emplace(run, detector, options.maps);
    Progress progress("evaluate", run.split().test.size(), "images");
    const auto side = static_cast<std::size_t>(run.config().scoring.map_size);
    MixedScores mixed(results.scores.size(), run.config().scoring.mixed_pixels && detector.gives_maps()
                                                 ? run.split().test.size() * side * side
                                                 : 0);
    for (const ClassSplit& c : run.split().classes)
        ClassEvaluation(run, detector, c, results, mixed, maps ? &*maps : nullptr).evaluate(progress);
    results.mixed = mixed.figures();
    if (maps) maps->finish();
    if (results.empty_masks > 0)
        log_warning(text(counted(results.empty_masks, "defective picture"), " with a mask that is empty at ",
                         run.config().scoring.map_size, " x ", run.config().scoring.map_size, " pixels, such as ",
                         results.first_empty_mask,
                         "; the image figures count them as defective, the pixel figures see no defect"));
    return results;
}

void check_results_can_be_written(const Run& run) { const AtomicFile probe(run.output() / "eval" / "results.json"); }

void write_results(const Run& run, const Results& results) {
    const auto folder = run.output() / "eval";
    make_directories(folder);
    write_file_atomically(folder / "config.json", config_text(run.config()));
    write_file_atomically(folder / "table.md", format_markdown(results));
    write_file_atomically(folder / "scores.csv", format_image_scores(results));
    write_json(folder / "results.json", to_json(results));
}

}  // namespace ltad
