#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ltad/model/reconstruction.h"
#include "ltad/model/semantic_head.h"
#include "ltad/train/phase1.h"
#include "ltad/train/run.h"
#include "ltad/train/trainee.h"

namespace ltad {

/// Which of the two modules of phase 2 a command is about. They share no parameter, so each can be trained alone.
enum class Phase2Part { both, reconstruction, semantic };

/// As command lines name them: "reconstruction", "semantic", "" for both. Throws UsageError for another word.
[[nodiscard]] Phase2Part part_named(const std::string& name);

/// A finished module, below a run's folder: "phase2/reconstruction.safetensors". Not for `both`, as the next two.
[[nodiscard]] std::filesystem::path phase2_file(Phase2Part part);
/// Keys of the config that its result depends on.
[[nodiscard]] std::vector<std::string> phase2_keys(Phase2Part part, const Config& config);
/// All that its result depends on, phase 1's file included.
[[nodiscard]] json phase2_settings(const Run& run, Phase2Part part);

/// What phase 2 trains: the reconstruction module Π and the semantic head Φ, with the texts of a finished phase 1.
class Phase2Model {
public:
    Phase2Model(const Run& run, const Phase1Model& phase1);

    /// The finished modules of a run; one that `part` leaves out stays untrained. Throws Error when one is missing or
    /// was trained with other settings.
    [[nodiscard]] static Phase2Model load(const Run& run, const Phase1Model& phase1,
                                          Phase2Part part = Phase2Part::both);

    [[nodiscard]] Parameters& reconstruction_parameters() { return *reconstruction_parameters_; }
    [[nodiscard]] Parameters& semantic_parameters() { return *semantic_parameters_; }
    [[nodiscard]] const Reconstruction& reconstruction() const { return reconstruction_; }
    [[nodiscard]] const SemanticHead& semantic() const { return semantic_; }

private:
    std::unique_ptr<Parameters> reconstruction_parameters_;
    std::unique_ptr<Parameters> semantic_parameters_;
    Reconstruction reconstruction_;
    SemanticHead semantic_;
};

/// What one step of phase 2 trains on.
struct Phase2Batch {
    at::Tensor normal;    ///< p^n, [B, G², C]
    at::Tensor abnormal;  ///< p^a, the same shape
    at::Tensor classes;   ///< [B]
};

/// Draws the batches of phase 2: real or synthetic features, and their jitter.
class Phase2Sampler {
public:
    Phase2Sampler(const Run& run, const Phase1Model& phase1, const FeatureSet& set);

    /// The probability that a picture of the class is replaced by D(ẑ, t_c): 1 − real_probability, or with class-aware
    /// sampling N_min / N_c (table 6.4).
    [[nodiscard]] double synthetic_probability(std::int64_t class_index) const;

    [[nodiscard]] Phase2Batch draw(std::int64_t epoch, std::span<const std::size_t> indices) const;

    /// Deviation of each channel over the training tokens, [C]; undefined unless phase2.jitter_scale is "channel".
    [[nodiscard]] const at::Tensor& channel_deviation() const { return channel_deviation_; }

private:
    void synthesize(FeatureBatch& batch, std::int64_t epoch, std::span<const std::size_t> indices) const;

    const Run& run_;
    const Phase1Model& phase1_;
    const FeatureSet& set_;
    at::Tensor texts_;  ///< t_c of all classes, [K, d]
    std::vector<double> synthetic_probability_;
    at::Tensor channel_deviation_;
};

/// L_rec: mean over tokens of ‖Π(p^a) − p^n‖², summed over channels (eq. 7); a scalar.
[[nodiscard]] at::Tensor reconstruction_loss(const at::Tensor& reconstructed, const at::Tensor& normal);

/// Trains what `part` names and is not finished yet; writes phase2/reconstruction.safetensors, semantic.safetensors,
/// metrics.jsonl, and when both are there statistics.json. Throws Interrupted after saving the states.
void train_phase2(Run& run, Phase2Part part, TrainOptions options);

}  // namespace ltad
