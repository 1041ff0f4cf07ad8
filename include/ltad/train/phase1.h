#pragma once

#include <memory>

#include "ltad/model/feature_vae.h"
#include "ltad/model/prompts.h"
#include "ltad/train/run.h"
#include "ltad/train/trainee.h"

namespace ltad {

/// The finished phase 1, below a run's folder.
inline constexpr const char* phase1_file = "phase1/model.safetensors";
/// Keys of the config that its result depends on.
[[nodiscard]] std::vector<std::string> phase1_keys();
/// Whether names are learned in it: they learn as features are decoded with t_c, which an autoencoder's are not.
[[nodiscard]] bool learns_names(const Config& config);
/// All that its result depends on.
[[nodiscard]] json phase1_settings(const Run& run);

/// What phase 1 trains: pseudo class names and feature VAE.
class Phase1Model {
public:
    explicit Phase1Model(const Run& run);

    /// Throws Error, which says what to do, when a run's phase 1 is not finished.
    static void check_finished(const Run& run);
    /// Loads the finished phase 1 of a run. Throws Error when it is not there or was trained with other settings.
    [[nodiscard]] static Phase1Model load(const Run& run);
    [[nodiscard]] static std::filesystem::path file(const Run& run);

    [[nodiscard]] Parameters& parameters() { return *parameters_; }
    [[nodiscard]] const Prompts& prompts() const { return prompts_; }
    [[nodiscard]] const FeatureVae& vae() const { return vae_; }
    [[nodiscard]] FeatureVae& vae() { return vae_; }

    /// What D is told of each row's class: t_c, T run once per class present, [B] int64 → [B, d]; nothing, [B, 0],
    /// for an autoencoder.
    [[nodiscard]] at::Tensor texts(const at::Tensor& classes) const;

private:
    std::unique_ptr<Parameters> parameters_;  // on the heap: the modules below keep handles while this object moves
    Prompts prompts_;
    FeatureVae vae_;
    bool has_text_;
};

/// The terms of eq. 6 on one batch, scalars.
struct Phase1Loss {
    at::Tensor reconstruction;
    at::Tensor kl;
};
/// noise ε: [B, d_z]. `training`: batch statistics in D's norms.
[[nodiscard]] Phase1Loss phase1_loss(const Phase1Model& model, const FeatureBatch& batch, const at::Tensor& noise,
                                     const std::vector<std::int64_t>& channels, bool training);

/// Trains phase 1 (eq. 6) and writes phase1/model.safetensors, metrics.jsonl and report.json; prints the report.
/// Throws Interrupted after saving the state.
void train_phase1(Run& run, TrainOptions options);

}  // namespace ltad
