#include <ATen/ATen.h>

#include "ltad/config/load.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/model/jitter.h"
#include "ltad/model/score.h"
#include "ltad/train/epochs.h"
#include "methods.h"
#include "step_time.h"

namespace ltad {
namespace {

constexpr int phase = 4;  // apart from LTAD's random streams

constexpr const char* module_file = "uniad/model.safetensors";
constexpr const char* metrics_file = "uniad/metrics.jsonl";

std::vector<std::string> uniad_keys(const Config&) {
    return {"phase2.epochs",       "phase2.batch_size", "phase2.learning_rate", "phase2.schedule",
            "phase2.weight_decay", "phase2.jitter",     "reconstruction",       "uniad"};
}

json uniad_settings(const Run& run) {
    json settings = run.common_settings();
    settings.update(picked(run.config(), uniad_keys(run.config())));
    return settings;
}

/// UniAD jitters in proportion to each token's length, whatever phase2.jitter_scale says.
Phase2Config jitter_config(const Run& run) {
    Phase2Config config = run.config().phase2;
    config.jitter_scale = "token";
    return config;
}

struct Module {
    explicit Module(const Run& run)
        : parameters(run.config().seed, run.device()),
          reconstruction(run.config().reconstruction, run.layout().total_channels(), run.layout().grid, parameters) {}

    Parameters parameters;
    Reconstruction reconstruction;
};

class UniadTraining final : public Training {
public:
    UniadTraining(const Run& run, const Reconstruction& module, const FeatureSet& set, Trainee& trainee)
        : run_(run), module_(module), set_(set), trainee_(trainee), jitter_(jitter_config(run)) {}

    void step(std::int64_t step, std::int64_t epoch, std::span<const std::size_t> indices) override {
        const at::Tensor clean = to_tokens(set_.batch(indices).maps);
        const at::Tensor noise = sample_noise(RandomUse::jitter, run_.config().seed, phase, epoch, set_, indices,
                                              {clean.size(1), clean.size(2)}, run_.device());
        seed_dropout(run_.config().seed, step, run_.device());
        const at::Tensor loss = at::mse_loss(module_.forward(jitter(jitter_, clean, noise, {}), true), clean);
        trainee_.step(loss, {{"loss", loss.item<double>()}}, static_cast<double>(indices.size()));
    }

    std::string end_epoch(std::int64_t) override {
        const double loss = trainee_.end_epoch();
        write_metrics(run_.output() / metrics_file, {trainee_.history()});
        return text("loss ", loss);
    }

    void save_state() override { trainee_.save_state(); }
    void save_now_and_then() override { trainee_.save_now_and_then(); }

private:
    const Run& run_;
    const Reconstruction& module_;
    const FeatureSet& set_;
    Trainee& trainee_;
    Phase2Config jitter_;
};

class UniadDetector final : public Detector {
public:
    explicit UniadDetector(const Run& run) : run_(run), module_(run) {
        const auto file = run.output() / module_file;
        if (!std::filesystem::exists(file))
            fail(file.string(), ": UniAD is not trained; run `ltad-train fit` with this config first");
        Metadata metadata;
        const Weights weights = load_checkpoint(file, metadata);
        check_checkpoint(metadata, uniad_settings(run), file);
        module_.parameters.load(weights, file.string());
    }

    [[nodiscard]] const std::vector<std::string>& scores() const override { return scores_; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {run_.output() / module_file}; }

    [[nodiscard]] Detection detect(const FeatureSet& set, std::span<const std::size_t> indices) const override {
        const ScoringConfig& scoring = run_.config().scoring;
        const at::Tensor tokens = to_tokens(set.batch(indices).maps);
        const at::Tensor scores = reconstruction_scores(module_.reconstruction, tokens).sqrt();
        const at::Tensor maps = anomaly_maps(scores, scoring.map_size).to(at::kCPU).contiguous();
        return {{maps}, {image_scores(maps, scoring.image_pooling)}};
    }

private:
    const Run& run_;
    Module module_;
    std::vector<std::string> scores_{"uniad"};
};

EpochPlan plan_of(const Config& config, std::int64_t pictures) {
    return {.label = "UniAD",
            .phase = phase,
            .seed = config.seed,
            .epochs = config.phase2.epochs,
            .batch_size = config.phase2.batch_size,
            .pictures = pictures};
}

void train_uniad(Run& run, int, const std::string&, TrainOptions options) {
    const Config& config = run.config();
    const FileLock lock = run.claim(options.force);
    Module module(run);
    const EpochPlan plan = plan_of(config, static_cast<std::int64_t>(run.split().train.size()));
    Trainee trainee((run.output() / module_file).parent_path(), "model", uniad_settings(run), module.parameters,
                    {.learning_rate = config.phase2.learning_rate,
                     .weight_decay = config.phase2.weight_decay,
                     .clip_norm = config.uniad.clip_norm},
                    {.total_steps = plan.total_steps(), .decay = decay_named(config.phase2.schedule)},
                    config.checkpoint_seconds, options);
    if (trainee.finished()) {
        log_info(text(trainee.file().string(), ": UniAD is already trained", options.hint_force()));
        return;
    }
    run.prepare_features(options.verify_features);
    const FeatureSet set = run.features_of(run.split().train);
    run.write_config();
    trainee.clear_leftovers();
    log_info(text("UniAD: ", set.size(), " pictures, ", counted(plan.epochs, "epoch")));
    UniadTraining training(run, module.reconstruction, set, trainee);
    run_epochs(plan, trainee.steps_done(), set, training);
    write_metrics(run.output() / metrics_file, {trainee.history()});
    trainee.finish();
}

std::unique_ptr<Detector> load_uniad(const Run& run, const std::string&) {
    return std::make_unique<UniadDetector>(run);
}

}  // namespace

Method uniad_method() {
    return {.name = "uniad",
            .title = "UniAD",
            .scores = {"uniad"},
            .parts = {{.name = "UniAD",
                       .file = module_file,
                       .scores = {"uniad"},
                       .keys = uniad_keys,
                       .settings = uniad_settings,
                       .steps = [](const Config& config,
                                   std::int64_t pictures) { return plan_of(config, pictures).total_steps(); },
                       .step_seconds = [](const Run& run, std::int64_t) { return reconstruction_step_seconds(run); },
                       .shared_seconds = nullptr,
                       .cost_keys = {"phase2.batch_size", "reconstruction"},
                       .curves_title = "UniAD"}},
            .scoring_keys = {"scoring"},
            .train = train_uniad,
            .load = load_uniad};
}

}  // namespace ltad
