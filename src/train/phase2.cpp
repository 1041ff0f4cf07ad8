#include "ltad/train/phase2.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/config/load.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/log.h"
#include "ltad/train/epochs.h"
#include "ltad/train/statistics.h"

namespace ltad {
namespace {

std::filesystem::path folder_of(const Run& run) { return run.output() / "phase2"; }

std::filesystem::path file_of(const Run& run, Phase2Part part) { return run.output() / phase2_file(part); }

void load_module(const Run& run, Phase2Part part, Parameters& parameters) {
    const auto file = file_of(run, part);
    if (!std::filesystem::exists(file))
        fail(file.string(), ": this module is not trained yet; run `ltad-train phase2` with this config first");
    Metadata metadata;
    const Weights weights = load_checkpoint(file, metadata);
    check_checkpoint(metadata, phase2_settings(run, part), file);
    parameters.load(weights, file.string());
}

/// The modules that this call trains, side by side.
class Phase2Trainer final : Training {
public:
    Phase2Trainer(const Run& run, const Phase1Model& phase1, Phase2Part part, TrainOptions options)
        : run_(run),
          model_(run, phase1),
          plan_{.label = "phase 2",
                .phase = 2,
                .seed = run.config().seed,
                .epochs = run.config().phase2.epochs,
                .batch_size = run.config().phase2.batch_size,
                .pictures = static_cast<std::int64_t>(run.split().train.size())},
          total_(plan_.total_steps()) {
        const auto make = [&](Phase2Part module, Parameters& parameters) {
            return std::make_unique<Trainee>(
                folder_of(run), phase2_file(module).stem(), phase2_settings(run, module), parameters,
                AdamWOptions{.learning_rate = run.config().phase2.learning_rate,
                             .weight_decay = run.config().phase2.weight_decay},
                Schedule{.total_steps = total_, .decay = decay_named(run.config().phase2.schedule)},
                run.config().checkpoint_seconds, options);
        };
        if (part != Phase2Part::semantic)
            reconstruction_ = make(Phase2Part::reconstruction, model_.reconstruction_parameters());
        if (part != Phase2Part::reconstruction) semantic_ = make(Phase2Part::semantic, model_.semantic_parameters());
    }

    [[nodiscard]] bool trained() const { return unfinished().empty(); }

    void train(const FeatureSet& set, const Phase2Sampler& sampler) {
        for (Trainee* trainee : unfinished()) trainee->clear_leftovers();
        log_info(text("phase 2: ", set.size(), " pictures, ", counted(plan_.epochs, "epoch"),
                      position(reconstruction_) < total_ ? ", reconstruction" : "",
                      position(semantic_) < total_ ? ", semantic" : ""));
        sampler_ = &sampler;
        run_epochs(plan_, std::min(position(reconstruction_), position(semantic_)), set, *this);
        write_history();
        for (Trainee* trainee : unfinished()) trainee->finish();
    }

    /// Whether the statistics of the scores have to be measured: both modules are there, whoever trained them, under
    /// the settings of now.
    [[nodiscard]] bool can_measure() const {
        for (const Phase2Part module : {Phase2Part::reconstruction, Phase2Part::semantic}) {
            const auto file = file_of(run_, module);
            if (!std::filesystem::exists(file)) return false;
            try {
                check_checkpoint(SafetensorsFile(file).metadata(), phase2_settings(run_, module), file);
            } catch (const Error& error) {
                log_warning(text("the scores' statistics are not measured: ", error.what()));
                return false;
            }
        }
        return !statistics_are_current(run_);
    }

private:
    [[nodiscard]] std::int64_t position(const std::unique_ptr<Trainee>& trainee) const {
        return trainee ? trainee->steps_done() : total_;
    }

    [[nodiscard]] std::vector<Trainee*> unfinished() const {
        std::vector<Trainee*> found;
        for (Trainee* trainee : {reconstruction_.get(), semantic_.get()})
            if (trainee != nullptr && !trainee->finished()) found.push_back(trainee);
        return found;
    }

    /// Two states may stand at different steps (a kill between two saves): each joins in when its step comes.
    void step(std::int64_t step, std::int64_t epoch, std::span<const std::size_t> indices) override {
        const Phase2Batch batch = sampler_->draw(epoch, indices);
        const auto weight = static_cast<double>(indices.size());
        if (position(reconstruction_) == step) {
            seed_dropout(run_.config().seed, step, run_.device());
            const at::Tensor loss =
                reconstruction_loss(model_.reconstruction().forward(batch.abnormal, true), batch.normal);
            reconstruction_->step(loss, {{"reconstruction", loss.item<double>()}}, weight);
        }
        if (position(semantic_) == step) {
            const SemanticHead& head = model_.semantic();
            const at::Tensor loss =
                semantic_loss(head.logits(batch.abnormal, batch.classes), head.logits(batch.normal, batch.classes));
            semantic_->step(loss, {{"semantic", loss.item<double>()}}, weight);
        }
    }

    std::string end_epoch(std::int64_t epoch) override {
        std::string note;
        for (const auto& [trainee, name] :
             {std::pair(reconstruction_.get(), "reconstruction "), std::pair(semantic_.get(), "semantic ")})
            // One that is ahead has ended this epoch already.
            if (trainee != nullptr && !trainee->finished() &&
                trainee->steps_done() == (epoch + 1) * plan_.steps_per_epoch() &&
                static_cast<std::int64_t>(trainee->history().size()) == epoch)
                note += text(note.empty() ? "" : ", ", name, trainee->end_epoch());
        write_history();
        return note;
    }

    void save_state() override {
        for (Trainee* trainee : unfinished()) trainee->save_state();
    }
    void save_now_and_then() override {
        for (Trainee* trainee : unfinished()) trainee->save_now_and_then();
    }

    void write_history() const {
        std::vector<json> histories;
        for (const auto& [trainee, module] : {std::pair(reconstruction_.get(), Phase2Part::reconstruction),
                                              std::pair(semantic_.get(), Phase2Part::semantic)}) {
            const auto file = file_of(run_, module);  // of one that another call has trained
            if (trainee != nullptr)
                histories.push_back(trainee->history());
            else if (std::filesystem::exists(file))
                histories.push_back(history_in(SafetensorsFile(file).metadata()));
        }
        write_metrics(folder_of(run_) / "metrics.jsonl", histories);
    }

    const Run& run_;
    Phase2Model model_;
    const Phase2Sampler* sampler_ = nullptr;
    EpochPlan plan_;
    std::int64_t total_;
    std::unique_ptr<Trainee> reconstruction_;
    std::unique_ptr<Trainee> semantic_;
};

}  // namespace

Phase2Part part_named(const std::string& name) {
    if (name.empty()) return Phase2Part::both;
    if (name == "reconstruction") return Phase2Part::reconstruction;
    if (name == "semantic") return Phase2Part::semantic;
    throw UsageError(text("'", name, "' is no module of phase 2; reconstruction and semantic are"));
}

std::filesystem::path phase2_file(Phase2Part part) {
    return part == Phase2Part::reconstruction ? "phase2/reconstruction.safetensors" : "phase2/semantic.safetensors";
}

std::vector<std::string> phase2_keys(Phase2Part part, const Config& config) {
    if (part == Phase2Part::reconstruction) return {"phase2", "reconstruction"};
    if (config.semantic.text == "free") return {"phase2", "semantic"};
    return {"phase2", "semantic", "prompts.normal", "prompts.abnormal"};
}

json phase2_settings(const Run& run, Phase2Part part) {
    json settings = {{"seed", run.config().seed},
                     {"phase1", sha256_file(Phase1Model::file(run))},
                     {"encoder", run.encoder().fingerprint()},
                     {"training_list", run.common_settings()["training_list"]}};
    settings.update(picked(run.config(), phase2_keys(part, run.config())));
    return settings;
}

Phase2Model::Phase2Model(const Run& run, const Phase1Model& phase1)
    : reconstruction_parameters_(std::make_unique<Parameters>(run.config().seed, run.device())),
      semantic_parameters_(std::make_unique<Parameters>(run.config().seed, run.device())),
      reconstruction_(run.config().reconstruction, run.layout().total_channels(), run.layout().grid,
                      *reconstruction_parameters_),
      semantic_(run.config().semantic, run.layout().channels, run.encoder().text().text_dim(),
                static_cast<std::int64_t>(run.class_names().size()), *semantic_parameters_) {
    if (run.config().semantic.text == "free") return;
    const c10::NoGradGuard no_grad;
    semantic_.set_texts(phase1.prompts().with_states(run.config().prompts.normal),
                        phase1.prompts().with_states(run.config().prompts.abnormal));
}

Phase2Model Phase2Model::load(const Run& run, const Phase1Model& phase1, Phase2Part part) {
    Phase2Model model(run, phase1);
    if (part != Phase2Part::semantic) load_module(run, Phase2Part::reconstruction, model.reconstruction_parameters());
    if (part != Phase2Part::reconstruction) load_module(run, Phase2Part::semantic, model.semantic_parameters());
    return model;
}

at::Tensor reconstruction_loss(const at::Tensor& reconstructed, const at::Tensor& normal) {
    return (reconstructed - normal).square().sum(2).mean();
}

void train_phase2(Run& run, Phase2Part part, TrainOptions options) {
    run.check_split();
    Phase1Model::check_finished(run);  // before a folder is made
    const FileLock lock = run.claim(false);
    const Phase1Model phase1 = Phase1Model::load(run);  // while nobody can train another one
    Phase2Trainer trainer(run, phase1, part, options);
    if (trainer.trained())
        log_info(text(folder_of(run).string(), ": phase 2 is already finished", options.hint_force()));
    if (trainer.trained() && !trainer.can_measure()) return;
    run.prepare_features(options.verify_features);
    const FeatureSet set = run.features_of(run.split().train);
    const Phase2Sampler sampler(run, phase1, set);
    run.write_config();
    if (!trainer.trained()) trainer.train(set, sampler);
    if (trainer.can_measure()) write_statistics(run, measure_scores(run, Phase2Model::load(run, phase1), sampler, set));
}

}  // namespace ltad
