#include "ltad/pretrain/train.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "embeddings.h"
#include "ltad/align/device.h"
#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/eval/table.h"
#include "ltad/pretrain/held_out.h"
#include "ltad/train/epochs.h"
#include "ltad/train/feature_set.h"
#include "ltad/train/trainee.h"
#include "model_files.h"
#include "pair_source.h"
#include "updates.h"

namespace ltad {
namespace {

/// A batch's pictures as embeddings, its distinct captions, and which of them is each picture's.
struct Batch {
    at::Tensor image;                   ///< [B, d]
    std::vector<std::string> texts;     ///< U
    std::vector<std::int64_t> caption;  ///< B
};

void set_captions(Batch& batch, const std::vector<std::string>& captions) {
    std::map<std::string, std::int64_t> known;
    for (const std::string& caption : captions) {
        const auto [item, is_new] = known.try_emplace(caption, static_cast<std::int64_t>(batch.texts.size()));
        if (is_new) batch.texts.push_back(caption);
        batch.caption.push_back(item->second);
    }
}

json settings_of(const PretrainConfig& config, const ContrastiveModel& model, const PairSource& pairs) {
    return {{"seed", config.seed},
            {"model", model.source().fingerprint()},
            {"pairs", pairs.settings()},
            {"contrastive", to_json(config)["contrastive"]}};
}

/// Throws UsageError where the training would overwrite a model, its own source above all.
void check_output(const PretrainConfig& config) {
    const auto output = config.output_path();
    const auto source = std::filesystem::weakly_canonical(config.model);
    for (const auto& folder : {output, output / "model"})
        if (std::filesystem::weakly_canonical(folder) == source)
            throw UsageError(text("output: ", output.string(),
                                  " would overwrite the model that the training starts from, ", config.model,
                                  "; another folder is needed"));
    if (!std::filesystem::exists(output / "config.json")) return;
    const json there = read_json(output / "config.json");
    if (there.is_object() && there.contains("model_type"))
        throw UsageError(text("output: ", output.string(), " is a model directory; another folder is needed"));
}

constexpr std::array own_files = {"config.json",
                                  "lock",
                                  "contrastive.safetensors",
                                  "contrastive.state.safetensors",
                                  "embeddings.safetensors",
                                  "before.json",
                                  "report.json",
                                  "metrics.jsonl",
                                  "updates.safetensors"};

class Trainer {
public:
    Trainer(const PretrainConfig& config, const TrainOptions& options)
        : config_(config),
          output_(config.output_path()),
          model_(config.contrastive, config.model, static_cast<std::uint64_t>(config.seed),
                 choose_device(config.device)),
          pairs_(open_pairs(config, PairUse::training)),
          held_out_(config),
          batch_size_(std::min(static_cast<std::size_t>(config.contrastive.batch_size), pairs_->size())),
          per_epoch_(static_cast<std::int64_t>(pairs_->size() / batch_size_)),
          total_(config.contrastive.epochs * per_epoch_),
          lock_(lock_output()),
          trainee_(output_, "contrastive", settings_of(config, model_, *pairs_), model_.parameters(),
                   {.learning_rate = config.contrastive.learning_rate, .weight_decay = config.contrastive.weight_decay},
                   {.total_steps = total_,
                    .decay = Decay::cosine,
                    .warmup_steps = std::min(config.contrastive.warmup_steps, total_ - 1)},
                   config.checkpoint_seconds, options) {}

    void run() {
        if (trainee_.finished()) {
            log_info(text(output_.string(), ": the training is already finished; --force trains it again"));
            if (!std::filesystem::exists(output_ / "model" / "config.json") ||
                !std::filesystem::exists(output_ / "updates.safetensors"))
                write_results();
            return;
        }
        clear_earlier_results();
        json document = to_json(config_);
        document["program"] = {{"version", version()}, {"revision", git_revision()}};
        write_json(output_ / "config.json", document);
        trainee_.clear_leftovers();
        if (model_.image_frozen()) embeddings_ = embed_once(*pairs_, model_, output_ / "embeddings.safetensors");
        if (trainee_.steps_done() == 0) write_json(output_ / "before.json", measure("before training"));
        train();
        check_finite();
        const json after = measure("after training");
        write_json(output_ / "report.json", {{"before", read_json(output_ / "before.json")},
                                             {"after", after},
                                             {"temperature", model_.temperature().item<double>()}});
        trainee_.finish();
        write_results();
    }

private:
    /// Throws UsageError where a file of ours would take the place of the list, or of a picture.
    [[nodiscard]] FileLock lock_output() const {
        const std::string option = text("output, ", output_.string());
        Outputs outputs;
        for (const auto& file : pairs_->files()) outputs.keep(file, "the list of pairs, or one of its pictures");
        for (const char* name : own_files) outputs.claim(output_ / name, option);
        claim_model_files(outputs, output_ / "model", config_.model, option);
        return {output_ / "lock", "it is training in " + output_.string()};
    }

    /// What an earlier training left must not be taken for this one's, nor half-written files of a kill stay.
    void clear_earlier_results() const {
        std::filesystem::remove(output_ / "model" / "config.json");
        for (const char* name : {"updates.safetensors", "report.json"}) std::filesystem::remove(output_ / name);
        for (const auto& folder : {output_, output_ / "model"}) remove_temporary_files(folder);
    }

    /// The last step's loss was finite before the step; what it led to may not be.
    void check_finite() {
        for (const auto& [name, tensor] : model_.parameters().trained())
            if (!at::isfinite(tensor).all().item<bool>())
                fail(output_.string(), ": '", name, "' became infinite; a smaller contrastive.learning_rate may help");
    }

    void train() {
        log_info(text("contrastive training: ", pairs_->size(), " pairs, ", config_.contrastive.epochs, " epochs of ",
                      per_epoch_, " batches of ", batch_size_));
        Progress progress("pretrain", static_cast<std::size_t>(total_), "steps",
                          static_cast<std::size_t>(trainee_.steps_done()));
        while (trainee_.steps_done() < total_) {
            const std::int64_t step = trainee_.steps_done();
            const Batch batch = next_batch(step);
            const at::Tensor loss = loss_of(batch);
            trainee_.step(loss, {{"loss", loss.item<double>()}}, static_cast<double>(batch_size_));
            if ((step + 1) % per_epoch_ == 0) {
                progress.note(text("loss ", trainee_.end_epoch()));
                write_metrics(output_ / "metrics.jsonl", {trainee_.history()});
                const std::int64_t epoch = (step + 1) / per_epoch_;
                if (epoch % config_.held_out.every == 0 && step + 1 < total_) (void)measure(text("epoch ", epoch));
            }
            progress.advance();
            if (interrupt_requested() && step + 1 < total_) {
                trainee_.save_state();
                throw Interrupted("interrupted; the state is saved, --resume goes on from there");
            }
            trainee_.save_now_and_then();
        }
    }

    [[nodiscard]] Batch next_batch(std::int64_t step) {
        const std::int64_t epoch = step / per_epoch_;
        if (epoch != order_epoch_) order_ = epoch_order(config_.seed, 3, epoch, pairs_->size());
        order_epoch_ = epoch;
        const auto indices =
            std::span(order_).subspan(static_cast<std::size_t>(step % per_epoch_) * batch_size_, batch_size_);
        Batch batch;
        if (embeddings_) {
            std::vector<std::string> captions;
            for (const std::size_t i : indices) captions.push_back(embeddings_->captions[i]);
            set_captions(batch, captions);
            batch.image = embeddings_->rows(indices).to(model_.parameters().device());
        } else {
            const Pairs pairs = pairs_->load(indices, epoch);
            set_captions(batch, pairs.captions);
            batch.image = model_.embed_pictures(pairs.pictures);
        }
        return batch;
    }

    [[nodiscard]] at::Tensor loss_of(const Batch& batch) {
        const at::Tensor text =
            model_.project(model_.text_frozen() ? frozen_states(batch.texts) : model_.text_states(batch.texts));
        return contrastive_loss(batch.image, text, at::tensor(batch.caption).to(text.device()), model_.temperature(),
                                config_.contrastive.label_smoothing);
    }

    /// A frozen text encoder reads every caption once.
    [[nodiscard]] at::Tensor frozen_states(const std::vector<std::string>& texts) {
        const c10::NoGradGuard no_grad;
        std::vector<std::string> unknown;
        for (const std::string& t : texts)
            if (!states_.contains(t)) unknown.push_back(t);
        if (!unknown.empty()) {
            const at::Tensor fresh = model_.text_states(unknown);
            for (std::size_t i = 0; i < unknown.size(); ++i)
                states_[unknown[i]] = fresh[static_cast<std::int64_t>(i)].clone();
        }
        std::vector<at::Tensor> rows;
        for (const std::string& t : texts) rows.push_back(states_.at(t));
        return at::stack(rows);
    }

    /// Measuring takes a while, too: a Ctrl-C in it must not lose the training.
    HeldOutMeasures measured() {
        try {
            return held_out_.measure(model_);
        } catch (const Interrupted&) {
            if (trainee_.steps_done() > 0) trainee_.save_state();
            throw;
        }
    }

    json measure(const std::string& when) {
        const HeldOutMeasures measures = measured();
        std::string line = text(when, ": ", describe("new pictures", measures.new_pictures));
        if (measures.new_classes) line += "; " + describe("new classes", *measures.new_classes);
        if (const auto mean = measures.mean_auroc()) line += text(", zero-shot AUROC ", percent(*mean));
        std::cout << line << std::endl;
        return measures.to_json();
    }

    static std::string describe(const char* what, const Recall& recall) {
        return text(what, ": recall@1 among ", recall.candidates, " image to text ", percent(recall.image_to_text),
                    ", text to image ", percent(recall.text_to_image));
    }

    void write_results() const;

    const PretrainConfig& config_;
    std::filesystem::path output_;
    ContrastiveModel model_;
    std::unique_ptr<PairSource> pairs_;
    HeldOut held_out_;
    std::size_t batch_size_;
    std::int64_t per_epoch_;
    std::int64_t total_;
    FileLock lock_;
    Trainee trainee_;
    std::optional<PairEmbeddings> embeddings_;
    std::map<std::string, at::Tensor> states_;
    std::vector<std::size_t> order_;
    std::int64_t order_epoch_ = -1;
};

/// The updates alone, and a model directory with them; its config.json comes last.
void Trainer::write_results() const {
    const std::filesystem::path source = config_.model;
    json document = read_json(source / "config.json");
    if (!document.is_object()) fail((source / "config.json").string(), ": a JSON object was expected");
    const ModelUpdates updates{model_.updates(), document.value("ltad_sources", json::object())};
    const json summary = {{"contrastive", to_json(config_)["contrastive"]}, {"pairs", pairs_->settings()}};
    write_updates(output_ / "updates.safetensors", updates, {{"training", summary.dump()}});

    const auto model = output_ / "model";
    std::filesystem::remove(model / "config.json");
    make_directories(model);
    save_weights(model / "model.safetensors",
                 apply_updates(read_model_weights(source), updates.tensors, source.string()), {{"format", "pt"}});
    copy_tokenizer_files(source, model);
    write_json(model / "preprocessor_config.json", read_preprocessing_document(source));
    document.erase("ltad_random_projection");
    document["ltad_sources"]["projection"] = {{"file", "updates.safetensors"},
                                              {"sha256", sha256_file(output_ / "updates.safetensors")}};
    write_json(model / "config.json", document);
    log_info(text(model.string(), ": the trained model"));
    if (updates.sources.contains("image") && updates.sources.contains("text") &&
        !updates.sources.contains("projection"))
        log_info(text((output_ / "updates.safetensors").string(),
                      ": what was learned, for ltad-pretrain import --projection"));
}

}  // namespace

void train_contrastive(const PretrainConfig& config, const TrainOptions& options) {
    check_output(config);
    set_threads(config.threads);
    Trainer(config, options).run();
}

}  // namespace ltad
