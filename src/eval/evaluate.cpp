#include "ltad/eval/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/eval/pixel_labels.h"
#include "ltad/eval/roc.h"
#include "ltad/model/jitter.h"
#include "ltad/model/score.h"
#include "ltad/train/statistics.h"

namespace ltad {
namespace {

constexpr std::size_t batch_size = 16;

/// The finished modules of a run, and what turns their two scores into one.
class Scorer {
public:
    explicit Scorer(const Run& run)
        : run_(run),
          phase1_(Phase1Model::load(run)),
          model_(Phase2Model::load(run, phase1_)),
          lambda_(run.config().scoring.lambda ? *run.config().scoring.lambda : read_statistics(run).lambda()) {
        const auto classes = static_cast<std::int64_t>(run.class_names().size());
        const at::Tensor names =
            phase1_.prompts().names(at::arange(classes, at::TensorOptions(at::kLong).device(run.device())));
        unit_names_ = names / names.norm(2, {1}, true);
        if (run.config().scoring.names == "exchanged" && classes < 2)
            throw UsageError("scoring.names: \"exchanged\" needs at least two classes to exchange them between");
        if (run.config().scoring.class_source == "predicted" && unit_names_.size(1) != run.layout().latent)
            throw UsageError(
                text("scoring.class: \"predicted\" needs image and text embeddings of one size; the encoder's "
                     "have ",
                     run.layout().latent, " and ", unit_names_.size(1)));
    }

    [[nodiscard]] double lambda() const { return lambda_; }

    /// Anomaly maps of the three scores, [B, S, S] each, on the CPU.
    [[nodiscard]] std::array<at::Tensor, score_count> maps(const FeatureBatch& batch) const {
        const TokenScores parts =
            score_tokens(model_.reconstruction(), model_.semantic(), to_tokens(batch.maps), classes_of(batch));
        const at::Tensor combined = parts.reconstruction + lambda_ * parts.semantic;
        const auto upsample = [&](const at::Tensor& scores) {
            return anomaly_maps(scores, run_.config().scoring.map_size).to(at::kCPU).contiguous();
        };
        return {upsample(combined), upsample(parts.reconstruction), upsample(parts.semantic)};
    }

private:
    /// The data set's classes, or those whose name t_c is nearest to the image embedding; with exchanged names the
    /// class after that, so that none keeps its own.
    [[nodiscard]] at::Tensor classes_of(const FeatureBatch& batch) const {
        const at::Tensor classes = run_.config().scoring.class_source == "given"
                                       ? batch.classes
                                       : at::matmul(batch.latents, unit_names_.t()).argmax(1);
        return run_.config().scoring.names == "own" ? classes : (classes + 1).remainder(unit_names_.size(0));
    }

    const Run& run_;
    Phase1Model phase1_;
    Phase2Model model_;
    double lambda_;
    at::Tensor unit_names_;
};

/// What results.json's config_sha256 is the hash of, kept beside it.
std::string config_text(const Run& run) { return to_json(run.config()).dump(2) + "\n"; }

class ClassEvaluation {
public:
    ClassEvaluation(const Run& run, const Scorer& scorer, const ClassSplit& split, Results& results)
        : run_(run), scorer_(scorer), results_(results), side_(run.config().scoring.map_size) {
        out_ = {.name = split.name, .group = split.group, .train = split.kept, .test_good = 0, .test_defective = 0};
        for (const Sample& sample : run.split().test)
            if (sample.class_name == split.name) samples_.push_back(sample);
        out_.test_defective =
            std::count_if(samples_.begin(), samples_.end(), [](const Sample& s) { return s.defective; });
        out_.test_good = static_cast<std::int64_t>(samples_.size()) - out_.test_defective;
        has_masks_ = std::any_of(samples_.begin(), samples_.end(), [](const Sample& s) { return !s.mask.empty(); });
    }

    void evaluate(Progress& progress) {
        const FeatureSet set = run_.features_of(samples_);
        if (has_masks_) {
            const std::size_t pixels = samples_.size() * static_cast<std::size_t>(side_ * side_);
            for (RankedScores& scores : pixels_) scores.reserve_good(pixels);
        }
        std::vector<std::size_t> all(samples_.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        for (std::size_t first = 0; first < all.size(); first += batch_size) {
            const auto indices = std::span(all).subspan(first, std::min(batch_size, all.size() - first));
            add_batch(set, indices);
            progress.advance(indices.size());
            if (interrupt_requested()) throw Interrupted("interrupted; nothing was written");
        }
        summarize();
    }

private:
    void add_batch(const FeatureSet& set, std::span<const std::size_t> indices) {
        const auto maps = scorer_.maps(set.batch(indices));
        const std::size_t first_image = results_.images.size();
        for (const std::size_t i : indices)
            results_.images.push_back(
                {.file = samples_[i].file, .class_name = samples_[i].class_name, .defective = samples_[i].defective});
        for (std::size_t s = 0; s < score_count; ++s) {
            const at::Tensor scores = image_scores(maps[s], run_.config().scoring.image_pooling);
            for (std::size_t i = 0; i < indices.size(); ++i) {
                const auto score = scores[static_cast<std::int64_t>(i)].item<float>();
                if (std::isnan(score))
                    fail(samples_[indices[i]].file, ": its ", score_names[s], " score is not a number");
                results_.images[first_image + i].scores[s] = score;
            }
        }
        if (!has_masks_) return;
        const auto per_picture = static_cast<std::size_t>(side_ * side_);
        for (std::size_t i = 0; i < indices.size(); ++i) {
            const auto labels = labels_of(samples_[indices[i]], set.features_of(indices[i]));
            for (std::size_t s = 0; s < score_count; ++s)
                pixels_[s].add({maps[s].const_data_ptr<float>() + i * per_picture, per_picture}, labels);
        }
    }

    std::vector<std::uint8_t> labels_of(const Sample& sample, const ImageFeatures& picture) {
        auto labels = pixel_labels(run_.config().dataset.root, sample, picture, side_);
        if (!sample.mask.empty() && std::find(labels.begin(), labels.end(), 1) == labels.end()) ++results_.empty_masks;
        return labels;
    }

    void summarize() {
        std::vector<float> scores(samples_.size());
        std::vector<std::uint8_t> labels(samples_.size());
        const std::size_t first = results_.images.size() - samples_.size();
        for (std::size_t s = 0; s < score_count; ++s) {
            for (std::size_t i = 0; i < samples_.size(); ++i) {
                scores[i] = results_.images[first + i].scores[s];
                labels[i] = samples_[i].defective ? 1 : 0;
            }
            out_.scores[s].image = auroc(scores, labels);
            if (has_masks_) out_.scores[s].pixel = pixels_[s].auroc();
        }
        if (!out_.scores[0].image)
            log_warning(text(out_.name, ": its test pictures are all ", out_.test_good > 0 ? "good" : "defective",
                             ", so it has no AUROC and is left out of the means"));
        else if (!has_masks_)
            log_warning(text(out_.name, ": no masks, so it has image figures only"));
        results_.classes.push_back(std::move(out_));
    }

    const Run& run_;
    const Scorer& scorer_;
    Results& results_;
    std::int64_t side_;
    ClassResult out_;
    std::vector<Sample> samples_;
    bool has_masks_ = false;
    std::array<RankedScores, score_count> pixels_;
};

}  // namespace

Results evaluate(Run& run, bool verify_features) {
    const c10::NoGradGuard no_grad;
    run.check_split();
    const Scorer scorer(run);  // before the pictures are encoded: it finds out whether the run is trained
    run.prepare_features(verify_features);
    Results results{.config_sha256 = sha256(config_text(run)), .lambda = scorer.lambda()};
    Progress progress("evaluate", run.split().test.size(), "images");
    for (const ClassSplit& c : run.split().classes) ClassEvaluation(run, scorer, c, results).evaluate(progress);
    if (results.empty_masks > 0)
        log_warning(text(results.empty_masks, " pictures are labelled defective, but their masks are empty at ",
                         run.config().scoring.map_size, " x ", run.config().scoring.map_size,
                         " pixels; the image figures count them as defective, the pixel figures see no defect"));
    return results;
}

void write_results(const Run& run, const Results& results) {
    const auto folder = run.output() / "eval";
    make_directories(folder);
    write_file_atomically(folder / "config.json", config_text(run));
    write_file_atomically(folder / "table.md", format_markdown(results));
    write_file_atomically(folder / "scores.csv", format_image_scores(results));
    write_json(folder / "results.json", to_json(results));
}

}  // namespace ltad
