#include "ltad/train/phase1.h"

#include <algorithm>
#include <iostream>

#include <ATen/ATen.h>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/memory.h"
#include "ltad/core/progress.h"
#include "ltad/train/phase1_report.h"

namespace ltad {

Phase1Model::Phase1Model(const Run& run)
    : parameters_(std::make_unique<Parameters>(run.config().seed, run.device())),
      prompts_(run.config().prompts, run.class_names(), run.encoder(), *parameters_),
      vae_(run.config().decoder, run.encoder().config().vision, run.layout(), run.encoder().text().text_dim(),
           *parameters_) {}

std::filesystem::path Phase1Model::file(const Run& run) { return run.output() / "phase1" / "model.safetensors"; }

Phase1Model Phase1Model::load(const Run& run) {
    if (!std::filesystem::exists(file(run)))
        fail(file(run).string(), ": phase 1 is not finished; run `ltad-train phase1` with this config first");
    Metadata metadata;
    const Weights weights = load_weights(file(run), &metadata);
    check_checkpoint(metadata, run.phase1_settings(), file(run));
    Phase1Model model(run);
    model.parameters().load(weights, file(run).string());
    return model;
}

at::Tensor Phase1Model::texts(const at::Tensor& classes) const {
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

void write_metrics(const std::filesystem::path& file, const std::vector<json>& histories) {
    std::size_t epochs = 0;
    for (const json& history : histories) epochs = std::max(epochs, history.size());
    std::string lines;
    for (std::size_t i = 0; i < epochs; ++i) {
        json line = json::object();
        for (const json& history : histories)
            if (i < history.size()) line.update(history[i]);
        lines += line.dump() + "\n";
    }
    write_file_atomically(file, lines);
}

void train_phase1(Run& run, TrainOptions options) {
    const Config& config = run.config();
    const auto folder = run.output() / "phase1";
    Phase1Model model(run);
    const FileLock lock = run.claim(options.force);
    const std::size_t pictures = run.split().train.size();
    const auto batch_size = static_cast<std::size_t>(config.phase1.batch_size);
    const auto per_epoch = static_cast<std::int64_t>((pictures + batch_size - 1) / batch_size);
    const std::int64_t total = config.phase1.epochs * per_epoch;
    Trainee trainee(folder, "model", run.phase1_settings(), model.parameters(),
                    {.learning_rate = config.phase1.learning_rate, .weight_decay = config.phase1.weight_decay},
                    {.total_steps = total, .cosine = config.phase1.schedule == "cosine"}, config.checkpoint_seconds,
                    options);
    if (trainee.finished()) {
        log_info(text(trainee.file().string(), ": phase 1 is already finished; --force trains it again"));
        return;
    }

    run.prepare_features(options.verify_features);
    const FeatureSet set = run.features_of(run.split().train);
    run.check_masks();
    run.write_config();
    trainee.clear_leftovers();
    if (trainee.steps_done() == 0) model.vae().start_at(feature_statistics(set));
    keep_freed_memory();

    log_info(text("phase 1: ", set.size(), " pictures of ", run.class_names().size(), " classes, ",
                  config.phase1.epochs, " epochs"));
    Progress progress("phase 1", static_cast<std::size_t>(total), "steps",
                      static_cast<std::size_t>(trainee.steps_done()));
    std::vector<std::size_t> order;
    while (trainee.steps_done() < total) {
        const std::int64_t step = trainee.steps_done();
        const std::int64_t epoch = step / per_epoch;
        if (order.empty() || step % per_epoch == 0) order = epoch_order(config.seed, 1, epoch, set.size());
        const auto [indices, next] = batch_indices(order, step, batch_size);
        set.read_ahead(next);
        const at::Tensor noise =
            sample_noise(RandomUse::latent, config.seed, 1, epoch, set, indices, {run.layout().latent}, run.device());
        const Phase1Loss terms = phase1_loss(model, set.batch(indices), noise, run.layout().channels, true);
        const at::Tensor loss = terms.reconstruction + config.phase1.kl_weight * terms.kl;
        trainee.step(loss,
                     {{"loss", loss.item<double>()},
                      {"reconstruction", terms.reconstruction.item<double>()},
                      {"kl", terms.kl.item<double>()}},
                     static_cast<double>(indices.size()));
        if ((step + 1) % per_epoch == 0) {
            progress.note(text("loss ", trainee.end_epoch()));
            write_metrics(folder / "metrics.jsonl", {trainee.history()});
        }
        progress.advance();
        if (interrupt_requested() && step + 1 < total) {
            trainee.save_state();
            throw Interrupted("interrupted; the state is saved, --resume goes on from there");
        }
        trainee.save_now_and_then();
    }
    write_metrics(folder / "metrics.jsonl", {trainee.history()});
    const Phase1Report report = report_phase1(run, model, set);
    write_json(folder / "report.json", report.to_json());
    trainee.finish();
    std::cout << report.table();
}

}  // namespace ltad
