#include "ltad/train/phase1.h"

#include <iostream>

#include <ATen/ATen.h>

#include "ltad/config/load.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/core/memory.h"
#include "ltad/train/epochs.h"
#include "ltad/train/phase1_report.h"

namespace ltad {

namespace {

/// Whether features are decoded with t_c.
bool has_text(const Config& config) { return config.phase1.generator == "vae"; }

PromptsConfig prompts_config(const Config& config) {
    PromptsConfig prompts = config.prompts;
    prompts.learned = learns_names(config);
    return prompts;
}

}  // namespace

bool learns_names(const Config& config) { return config.prompts.learned && has_text(config); }

std::vector<std::string> phase1_keys() {
    return {"prompts.length", "prompts.init", "prompts.learned", "phase1", "decoder"};
}

json phase1_settings(const Run& run) {
    json settings = run.common_settings();
    settings.update(picked(run.config(), phase1_keys()));
    return settings;
}

Phase1Model::Phase1Model(const Run& run)
    : parameters_(std::make_unique<Parameters>(run.config().seed, run.device())),
      prompts_(prompts_config(run.config()), run.class_names(), run.encoder(), *parameters_),
      vae_(run.config().decoder, run.encoder().config().vision, run.layout(),
           has_text(run.config()) ? run.encoder().text().text_dim() : 0, *parameters_),
      has_text_(has_text(run.config())) {}

std::filesystem::path Phase1Model::file(const Run& run) { return run.output() / phase1_file; }

void Phase1Model::check_finished(const Run& run) {
    if (!std::filesystem::exists(file(run)))
        fail(file(run).string(), ": phase 1 is not finished; run `ltad-train phase1` with this config first");
}

Phase1Model Phase1Model::load(const Run& run) {
    check_finished(run);
    Metadata metadata;
    const Weights weights = load_checkpoint(file(run), metadata);
    check_checkpoint(metadata, phase1_settings(run), file(run));
    Phase1Model model(run);
    model.parameters().load(weights, file(run).string());
    return model;
}

at::Tensor Phase1Model::texts(const at::Tensor& classes) const {
    if (!has_text_) return at::empty({classes.size(0), 0}, prompts_.embeddings().options().requires_grad(false));
    const auto [present, position] = at::_unique(classes, true, true);
    return prompts_.names(present).index_select(0, position);
}

Phase1Loss phase1_loss(const Phase1Model& model, const FeatureBatch& batch, const at::Tensor& noise,
                       const std::vector<std::int64_t>& channels, bool training) {
    const Posterior posterior = model.vae().encode(batch.latents);
    const at::Tensor decoded =
        model.vae().decoder().forward(posterior.sample(noise), model.texts(batch.classes), training);
    return {tap_loss(decoded, batch.maps, channels), posterior.kl()};
}

namespace {

/// Eq. 6, step by step.
class Phase1Training final : public Training {
public:
    Phase1Training(const Run& run, const Phase1Model& model, const FeatureSet& set, Trainee& trainee,
                   std::filesystem::path metrics)
        : run_(run), model_(model), set_(set), trainee_(trainee), metrics_(std::move(metrics)) {}

    void step(std::int64_t, std::int64_t epoch, std::span<const std::size_t> indices) override {
        const at::Tensor noise = sample_noise(RandomUse::latent, run_.config().seed, 1, epoch, set_, indices,
                                              {run_.layout().latent}, run_.device());
        const Phase1Loss terms = phase1_loss(model_, set_.batch(indices), noise, run_.layout().channels, true);
        const at::Tensor loss = terms.reconstruction + run_.config().phase1.kl_weight * terms.kl;
        trainee_.step(loss,
                      {{"loss", loss.item<double>()},
                       {"reconstruction", terms.reconstruction.item<double>()},
                       {"kl", terms.kl.item<double>()}},
                      static_cast<double>(indices.size()));
    }

    std::string end_epoch(std::int64_t) override {
        const double loss = trainee_.end_epoch();
        write_metrics(metrics_, {trainee_.history()});
        return text("loss ", loss);
    }

    void save_state() override { trainee_.save_state(); }
    void save_now_and_then() override { trainee_.save_now_and_then(); }

private:
    const Run& run_;
    const Phase1Model& model_;
    const FeatureSet& set_;
    Trainee& trainee_;
    std::filesystem::path metrics_;
};

}  // namespace

void train_phase1(Run& run, TrainOptions options) {
    const Config& config = run.config();
    const auto folder = run.output() / "phase1";
    Phase1Model model(run);
    const FileLock lock = run.claim(options.force);
    const EpochPlan plan{.label = "phase 1",
                         .phase = 1,
                         .seed = config.seed,
                         .epochs = config.phase1.epochs,
                         .batch_size = config.phase1.batch_size,
                         .pictures = static_cast<std::int64_t>(run.split().train.size())};
    Trainee trainee(folder, "model", phase1_settings(run), model.parameters(),
                    {.learning_rate = config.phase1.learning_rate, .weight_decay = config.phase1.weight_decay},
                    {.total_steps = plan.total_steps(), .decay = decay_named(config.phase1.schedule)},
                    config.checkpoint_seconds, options);
    if (trainee.finished()) {
        log_info(text(trainee.file().string(), ": phase 1 is already finished", options.hint_force()));
        return;
    }

    run.prepare_features(options.verify_features);
    const FeatureSet set = run.features_of(run.split().train);
    run.write_config();
    trainee.clear_leftovers();
    if (trainee.steps_done() == 0) model.vae().start_at(feature_statistics(set));
    keep_freed_memory();

    log_info(text("phase 1: ", set.size(), " pictures of ", run.class_names().size(), " classes, ",
                  counted(config.phase1.epochs, "epoch")));
    Phase1Training training(run, model, set, trainee, folder / "metrics.jsonl");
    run_epochs(plan, trainee.steps_done(), set, training);
    write_metrics(folder / "metrics.jsonl", {trainee.history()});
    const Phase1Report report = [&] {
        try {
            return report_phase1(run, model, set);
        } catch (const Interrupted&) {
            trainee.save_state();
            throw;
        }
    }();
    write_json(folder / "report.json", report.to_json());
    trainee.finish();
    if (options.from_shell) std::cout << report.table();
}

}  // namespace ltad
