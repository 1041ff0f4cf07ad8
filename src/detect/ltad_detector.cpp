#include "ltad_detector.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/model/jitter.h"
#include "ltad/model/score.h"
#include "ltad/train/statistics.h"

namespace ltad {
namespace {

class LtadDetector final : public Detector {
public:
    LtadDetector(const Run& run, Phase2Part part)
        : run_(run), part_(part), phase1_(Phase1Model::load(run)), model_(Phase2Model::load(run, phase1_, part)) {
        const ScoringConfig& scoring = run.config().scoring;
        if (part == Phase2Part::both) {
            scores_ = {"ltad", "reconstruction", "semantic"};
            lambda_ = scoring.lambda ? *scoring.lambda : read_statistics(run).lambda();
        } else {
            scores_ = {part == Phase2Part::reconstruction ? "reconstruction" : "semantic"};
        }
        check_scoring(run);
        const auto classes = static_cast<std::int64_t>(run.class_names().size());
        const c10::NoGradGuard no_grad;
        const at::Tensor names =
            phase1_.prompts().names(at::arange(classes, at::TensorOptions(at::kLong).device(run.device())));
        unit_names_ = names / names.norm(2, {1}, true);
    }

    [[nodiscard]] const std::vector<std::string>& scores() const override { return scores_; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const override {
        std::vector<std::filesystem::path> files{Phase1Model::file(run_)};
        for (const Phase2Part module : {Phase2Part::reconstruction, Phase2Part::semantic})
            if (part_ == Phase2Part::both || part_ == module) files.push_back(run_.output() / phase2_file(module));
        return files;
    }
    [[nodiscard]] std::optional<double> lambda() const override { return lambda_; }
    [[nodiscard]] const Prompts* learned_names() const override {
        return learns_names(run_.config()) ? &phase1_.prompts() : nullptr;
    }

    [[nodiscard]] Detection detect(const FeatureSet& set, std::span<const std::size_t> indices) const override {
        const c10::NoGradGuard no_grad;
        const FeatureBatch batch = set.batch(indices);
        Detection found;
        for (const at::Tensor& tokens : token_scores(to_tokens(batch.maps), tested_as(classes_of(batch)))) {
            found.maps.push_back(anomaly_maps(tokens, run_.config().scoring.map_size).to(at::kCPU).contiguous());
            found.images.push_back(image_scores(found.maps.back(), run_.config().scoring.image_pooling));
        }
        return found;
    }

private:
    /// [B, G²] for each score.
    [[nodiscard]] std::vector<at::Tensor> token_scores(const at::Tensor& tokens, const at::Tensor& classes) const {
        if (part_ == Phase2Part::reconstruction) return {reconstruction_scores(model_.reconstruction(), tokens)};
        if (part_ == Phase2Part::semantic) return {semantic_scores(model_.semantic(), tokens, classes)};
        const TokenScores parts = score_tokens(model_.reconstruction(), model_.semantic(), tokens, classes);
        return {parts.reconstruction + *lambda_ * parts.semantic, parts.reconstruction, parts.semantic};
    }

    /// The data set's classes, or those whose name t_c is nearest to the image embedding.
    [[nodiscard]] at::Tensor classes_of(const FeatureBatch& batch) const {
        if (run_.config().scoring.class_source == "given") return batch.classes;
        return at::matmul(batch.latents, unit_names_.t()).argmax(1);
    }

    /// With exchanged names the class after a picture's own, so that none keeps its name.
    [[nodiscard]] at::Tensor tested_as(const at::Tensor& classes) const {
        return run_.config().scoring.names == "own" ? classes : (classes + 1).remainder(unit_names_.size(0));
    }

    const Run& run_;
    Phase2Part part_;
    Phase1Model phase1_;
    Phase2Model model_;
    std::vector<std::string> scores_;
    std::optional<double> lambda_;
    at::Tensor unit_names_;
};

}  // namespace

void check_scoring(const Run& run) {
    const ScoringConfig& scoring = run.config().scoring;
    if (scoring.names == "exchanged" && run.class_names().size() < 2)
        throw UsageError("scoring.names: \"exchanged\" needs at least two classes to exchange them between");
    const std::int64_t image = run.layout().latent, text_dim = run.encoder().text().text_dim();
    if (scoring.class_source == "predicted" && image != text_dim)
        throw UsageError(
            text("scoring.class: \"predicted\" needs image and text embeddings of one size; the encoder's have ", image,
                 " and ", text_dim));
}

std::unique_ptr<Detector> load_ltad(const Run& run, const std::string& only) {
    return std::make_unique<LtadDetector>(run, part_named(only));
}

}  // namespace ltad
