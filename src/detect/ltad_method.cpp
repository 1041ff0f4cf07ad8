#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/jitter.h"
#include "ltad/train/epochs.h"
#include "ltad/train/phase2.h"
#include "ltad_detector.h"
#include "methods.h"
#include "step_time.h"

namespace ltad {
namespace {

std::int64_t steps_of(std::int64_t epochs, std::int64_t batch_size, std::int64_t pictures) {
    return EpochPlan{.label = {}, .epochs = epochs, .batch_size = batch_size, .pictures = pictures}.total_steps();
}

double phase1_step_seconds(const Run& run, std::int64_t) {
    Phase1Model model(run);
    AdamW optimizer(model.parameters(), {.learning_rate = 0});
    const FeatureBatch batch = random_batch(run, run.config().phase1.batch_size);
    return mean_seconds([&] {
        const Phase1Loss loss = phase1_loss(model, batch, batch.latents, run.layout().channels, true);
        (loss.reconstruction + loss.kl).backward();
        optimizer.step();
    });
}

/// Of the synthetic features in a batch of phase 2.
double synthesis_seconds(const Run& run, std::int64_t) {
    const double share = run.config().phase2.sampling == "constant" ? 1 - run.config().phase2.real_probability : 0.5;
    const auto size = std::llround(share * static_cast<double>(run.config().phase2.batch_size));
    if (size == 0) return 0;
    const c10::NoGradGuard no_grad;
    const Phase1Model model(run);
    const FeatureBatch batch = random_batch(run, size);
    const at::Tensor texts = model.texts(batch.classes);
    return mean_seconds([&] {
        (void)model.vae().decoder().forward(model.vae().encode(batch.latents).sample(batch.latents), texts, false);
    });
}

double reconstruction_seconds(const Run& run, std::int64_t) { return reconstruction_step_seconds(run); }

double semantic_seconds(const Run& run, std::int64_t) {
    const FeatureBatch batch = random_batch(run, run.config().phase2.batch_size);
    const at::Tensor tokens = to_tokens(batch.maps);
    Parameters parameters(0, run.device());
    SemanticHead head(run.config().semantic, run.layout().channels, run.encoder().text().text_dim(), 1, parameters);
    const at::Tensor text = at::randn({1, run.encoder().text().text_dim()}, tokens.options());
    if (run.config().semantic.text == "encoder") head.set_texts(text, -text);
    AdamW optimizer(parameters, {.learning_rate = 0});
    return mean_seconds([&] {
        semantic_loss(head.logits(tokens, batch.classes), head.logits(tokens, batch.classes)).backward();
        optimizer.step();
    });
}

template <Phase2Part part>
MethodPart phase2_part(const std::string& name, double (*step_seconds)(const Run&, std::int64_t)) {
    return {.name = name,
            .file = phase2_file(part),
            .scores = {"ltad", name},
            .stage = 1,
            .keys = [](const Config& c) { return phase2_keys(part, c); },
            .settings = [](const Run& run) { return phase2_settings(run, part); },
            .steps = [](const Config& c,
                        std::int64_t pictures) { return steps_of(c.phase2.epochs, c.phase2.batch_size, pictures); },
            .step_seconds = step_seconds,
            .shared_seconds = synthesis_seconds,
            .cost_keys = {"phase2", "phase1.generator", "decoder", name},
            .curves_title = "Phase 2: reconstruction and semantic head"};
}

void train_ltad(Run& run, int stage, const std::string& only, TrainOptions options) {
    check_scoring(run);  // not after hours of training
    if (stage == 0)
        train_phase1(run, options);
    else
        train_phase2(run, part_named(only), options);
}

}  // namespace

Method ltad_method() {
    return {.name = "ltad",
            .title = "LTAD",
            .scores = {"ltad", "reconstruction", "semantic"},
            .parts = {{.name = "phase 1",
                       .file = phase1_file,
                       .scores = {"ltad", "reconstruction", "semantic"},
                       .stage = 0,
                       .keys = [](const Config&) { return phase1_keys(); },
                       .settings = phase1_settings,
                       .steps =
                           [](const Config& c, std::int64_t pictures) {
                               return steps_of(c.phase1.epochs, c.phase1.batch_size, pictures);
                           },
                       .step_seconds = phase1_step_seconds,
                       .shared_seconds = nullptr,
                       .cost_keys = {"phase1", "decoder"},
                       .curves_title = "Phase 1: names and feature VAE"},
                      phase2_part<Phase2Part::reconstruction>("reconstruction", reconstruction_seconds),
                      phase2_part<Phase2Part::semantic>("semantic", semantic_seconds)},
            .scoring_keys = {"scoring"},
            .train = train_ltad,
            .load = load_ltad};
}

}  // namespace ltad
