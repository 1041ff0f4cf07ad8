#include "ltad/train/phase2.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/train/statistics.h"

namespace ltad {
namespace {

std::filesystem::path folder_of(const Run& run) { return run.output() / "phase2"; }

/// What both modules' results depend on.
json common_settings(const Run& run) {
    return {{"seed", run.config().seed},
            {"phase1", sha256_file(Phase1Model::file(run))},
            {"encoder", run.encoder().fingerprint()},
            {"training_list", run.phase1_settings()["training_list"]},
            {"phase2", to_json(run.config())["phase2"]}};
}

json reconstruction_settings(const Run& run) {
    json settings = common_settings(run);
    settings["reconstruction"] = to_json(run.config())["reconstruction"];
    return settings;
}

json semantic_settings(const Run& run) {
    json settings = common_settings(run);
    settings["semantic"] = to_json(run.config())["semantic"];
    settings["prompts"] = {{"normal", run.config().prompts.normal}, {"abnormal", run.config().prompts.abnormal}};
    return settings;
}

void load_module(const Run& run, const std::string& name, const json& settings, Parameters& parameters) {
    const auto file = folder_of(run) / (name + ".safetensors");
    if (!std::filesystem::exists(file))
        fail(file.string(), ": this module is not trained yet; run `ltad-train phase2` with this config first");
    Metadata metadata;
    const Weights weights = load_weights(file, &metadata);
    check_checkpoint(metadata, settings, file);
    parameters.load(weights, file.string());
}

/// Dropout draws from LibTorch's generator: seeded by (seed, step), it does not depend on what ran before.
void seed_dropout(const Run& run, std::int64_t step) {
    Random random(RandomUse::dropout,
                  {static_cast<std::uint64_t>(run.config().seed), static_cast<std::uint64_t>(step)});
    at::Generator generator = at::globalContext().defaultGenerator(run.device());
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(random.next_u64());
}

/// The history of a module that another call has trained; empty where there is none.
json saved_history(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return json::array();
    const Metadata metadata = SafetensorsFile(file).metadata();
    const auto found = metadata.find("history");
    const json history = found == metadata.end() ? json() : json::parse(found->second, nullptr, false);
    return history.is_array() ? history : json::array();
}

/// The modules that this call trains, side by side.
class Phase2Trainer {
public:
    Phase2Trainer(const Run& run, const Phase1Model& phase1, Phase2Part part, TrainOptions options)
        : run_(run),
          model_(run, phase1),
          batch_size_(static_cast<std::size_t>(run.config().phase2.batch_size)),
          per_epoch_(static_cast<std::int64_t>((run.split().train.size() + batch_size_ - 1) / batch_size_)),
          total_(run.config().phase2.epochs * per_epoch_) {
        const auto make = [&](const char* name, const json& settings, Parameters& parameters) {
            return std::make_unique<Trainee>(
                folder_of(run), name, settings, parameters,
                AdamWOptions{.learning_rate = run.config().phase2.learning_rate,
                             .weight_decay = run.config().phase2.weight_decay},
                Schedule{.total_steps = total_, .cosine = run.config().phase2.schedule == "cosine"},
                run.config().checkpoint_seconds, options);
        };
        if (part != Phase2Part::semantic)
            reconstruction_ = make("reconstruction", reconstruction_settings(run), model_.reconstruction_parameters());
        if (part != Phase2Part::reconstruction)
            semantic_ = make("semantic", semantic_settings(run), model_.semantic_parameters());
    }

    [[nodiscard]] bool trained() const { return unfinished().empty(); }

    void train(const FeatureSet& set, const Phase2Sampler& sampler) {
        for (Trainee* trainee : unfinished()) trainee->clear_leftovers();
        const std::int64_t first = first_step();
        log_info(text("phase 2: ", set.size(), " pictures, ", run_.config().phase2.epochs, " epochs",
                      position(reconstruction_) < total_ ? ", reconstruction" : "",
                      position(semantic_) < total_ ? ", semantic" : ""));
        Progress progress("phase 2", static_cast<std::size_t>(total_), "steps", static_cast<std::size_t>(first));
        std::vector<std::size_t> order;
        for (std::int64_t step = first; step < total_; ++step) {
            if (order.empty() || step % per_epoch_ == 0)
                order = epoch_order(run_.config().seed, 2, step / per_epoch_, set.size());
            const auto [indices, next] = batch_indices(order, step, batch_size_);
            set.read_ahead(next);
            train_step(step, indices, sampler);
            if ((step + 1) % per_epoch_ == 0) {
                progress.note(end_epoch(step));
                write_history();
            }
            progress.advance();
            if (interrupt_requested() && step + 1 < total_) {
                for (Trainee* trainee : unfinished()) trainee->save_state();
                throw Interrupted("interrupted; the state is saved, --resume goes on from there");
            }
            for (Trainee* trainee : unfinished()) trainee->save_now_and_then();
        }
        write_history();
        for (Trainee* trainee : unfinished()) trainee->finish();
    }

    /// Whether the statistics of the scores have to be measured: both modules are there, whoever trained them, under
    /// the settings of now.
    [[nodiscard]] bool can_measure() const {
        for (const auto& [name, settings] : {std::pair("reconstruction", reconstruction_settings(run_)),
                                             std::pair("semantic", semantic_settings(run_))}) {
            const auto file = folder_of(run_) / text(name, ".safetensors");
            if (!std::filesystem::exists(file)) return false;
            try {
                check_checkpoint(SafetensorsFile(file).metadata(), settings, file);
            } catch (const Error& error) {
                log_warning(text("the scores' statistics are not measured: ", error.what()));
                return false;
            }
        }
        return !statistics_are_current(run_);
    }

private:
    [[nodiscard]] std::int64_t first_step() const { return std::min(position(reconstruction_), position(semantic_)); }

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
    void train_step(std::int64_t step, std::span<const std::size_t> indices, const Phase2Sampler& sampler) {
        const Phase2Batch batch = sampler.draw(step / per_epoch_, indices);
        const auto weight = static_cast<double>(indices.size());
        if (position(reconstruction_) == step) {
            seed_dropout(run_, step);
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

    std::string end_epoch(std::int64_t step) {
        std::string note;
        for (const auto& [trainee, name] :
             {std::pair(reconstruction_.get(), "reconstruction "), std::pair(semantic_.get(), "semantic ")})
            // One that is ahead has ended this epoch already.
            if (trainee != nullptr && !trainee->finished() && trainee->steps_done() == step + 1 &&
                static_cast<std::int64_t>(trainee->history().size()) == step / per_epoch_)
                note += text(note.empty() ? "" : ", ", name, trainee->end_epoch());
        return note;
    }

    void write_history() const {
        std::vector<json> histories;
        for (const auto& [trainee, name] :
             {std::pair(reconstruction_.get(), "reconstruction"), std::pair(semantic_.get(), "semantic")})
            histories.push_back(trainee != nullptr ? trainee->history()
                                                   : saved_history(folder_of(run_) / text(name, ".safetensors")));
        write_metrics(folder_of(run_) / "metrics.jsonl", histories);
    }

    const Run& run_;
    Phase2Model model_;
    std::size_t batch_size_;
    std::int64_t per_epoch_;
    std::int64_t total_;
    std::unique_ptr<Trainee> reconstruction_;
    std::unique_ptr<Trainee> semantic_;
};

}  // namespace

Phase2Model::Phase2Model(const Run& run, const Phase1Model& phase1)
    : reconstruction_parameters_(std::make_unique<Parameters>(run.config().seed, run.device())),
      semantic_parameters_(std::make_unique<Parameters>(run.config().seed, run.device())),
      reconstruction_(run.config().reconstruction, run.layout().total_channels(), run.layout().grid,
                      *reconstruction_parameters_),
      semantic_(run.config().semantic, run.layout().channels, run.encoder().text().text_dim(), *semantic_parameters_) {
    const c10::NoGradGuard no_grad;
    semantic_.set_texts(phase1.prompts().with_state(run.config().prompts.normal),
                        phase1.prompts().with_state(run.config().prompts.abnormal));
}

Phase2Model Phase2Model::load(const Run& run, const Phase1Model& phase1) {
    Phase2Model model(run, phase1);
    load_module(run, "reconstruction", reconstruction_settings(run), model.reconstruction_parameters());
    load_module(run, "semantic", semantic_settings(run), model.semantic_parameters());
    return model;
}

at::Tensor reconstruction_loss(const at::Tensor& reconstructed, const at::Tensor& normal) {
    return (reconstructed - normal).square().sum(2).mean();
}

void train_phase2(Run& run, Phase2Part part, TrainOptions options) {
    run.check_split();
    const Phase1Model phase1 = Phase1Model::load(run);
    const FileLock lock = run.claim(false);
    Phase2Trainer trainer(run, phase1, part, options);
    if (trainer.trained())
        log_info(text(folder_of(run).string(), ": phase 2 is already finished; --force trains it again"));
    if (trainer.trained() && !trainer.can_measure()) return;
    run.prepare_features(options.verify_features);
    const FeatureSet set = run.features_of(run.split().train);
    const Phase2Sampler sampler(run, phase1, set);
    run.write_config();
    if (!trainer.trained()) trainer.train(set, sampler);
    if (trainer.can_measure()) write_statistics(run, measure_scores(run, Phase2Model::load(run, phase1), sampler, set));
}

}  // namespace ltad
