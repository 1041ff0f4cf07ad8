#include "ltad/repro/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/jitter.h"
#include "ltad/model/nearest.h"
#include "ltad/train/phase2.h"

namespace ltad {
namespace {

/// Of the second call and the third; the first one finds its memory.
template <typename Step>
double mean_seconds(const Step& step) {
    step();
    constexpr int count = 2;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) step();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / count;
}

FeatureBatch random_batch(const Run& run, std::int64_t size) {
    const FeatureLayout& layout = run.layout();
    const at::TensorOptions options = at::TensorOptions(run.device());
    return {at::randn({size, layout.total_channels(), layout.grid, layout.grid}, options),
            at::randn({size, layout.latent}, options), at::zeros({size}, options.dtype(at::kLong))};
}

double phase1_seconds(const Run& run) {
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
double synthesis_seconds(const Run& run) {
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

double phase2_seconds(PartKind kind, const Run& run) {
    const FeatureBatch batch = random_batch(run, run.config().phase2.batch_size);
    const at::Tensor tokens = to_tokens(batch.maps);
    Parameters parameters(0, run.device());
    if (kind == PartKind::semantic) {
        SemanticHead head(run.config().semantic, run.layout().channels, run.encoder().text().text_dim(), 1, parameters);
        const at::Tensor text = at::randn({1, run.encoder().text().text_dim()}, tokens.options());
        if (run.config().semantic.text == "encoder") head.set_texts(text, -text);
        AdamW optimizer(parameters, {.learning_rate = 0});
        return mean_seconds([&] {
            semantic_loss(head.logits(tokens, batch.classes), head.logits(tokens, batch.classes)).backward();
            optimizer.step();
        });
    }
    const Reconstruction module(run.config().reconstruction, tokens.size(2), run.layout().grid, parameters);
    AdamW optimizer(parameters, {.learning_rate = 0});
    return mean_seconds([&] {
        reconstruction_loss(module.forward(tokens, true), tokens).backward();
        optimizer.step();
    });
}

double patchcore_seconds(const Run& run, std::int64_t pictures) {
    const std::int64_t channels = run.layout().total_channels(), projection = run.config().patchcore.projection_dim;
    const at::Tensor points = at::randn(
        {pictures * run.layout().grid * run.layout().grid, projection > 0 ? std::min(projection, channels) : channels},
        at::TensorOptions(run.device()));
    const auto choose = [&](std::int64_t count) {
        return mean_seconds([&] {
            Random random(RandomUse::coreset, {0});
            (void)greedy_coreset(points, std::min(count, points.size(0)), random, [] {});
        });
    };
    // Less what the start takes, which is made once.
    constexpr std::int64_t few = 1, many = 41;
    return std::max(0.0, choose(many) - choose(few)) / static_cast<double>(many - few);
}

}  // namespace

std::int64_t step_count(PartKind kind, const Config& config, std::int64_t pictures, std::int64_t grid) {
    if (kind == PartKind::patchcore)
        return std::max<std::int64_t>(
            1, static_cast<std::int64_t>(config.patchcore.coreset * static_cast<double>(pictures * grid * grid)));
    const bool first = kind == PartKind::phase1;
    const std::int64_t epochs = first ? config.phase1.epochs : config.phase2.epochs;
    const std::int64_t batch = first ? config.phase1.batch_size : config.phase2.batch_size;
    return epochs * ((pictures + batch - 1) / batch);
}

double step_seconds(PartKind kind, const Run& run, std::int64_t pictures) {
    if (kind == PartKind::phase1) return phase1_seconds(run);
    if (kind == PartKind::patchcore) return patchcore_seconds(run, pictures);
    return phase2_seconds(kind, run) + (kind == PartKind::uniad ? 0 : synthesis_seconds(run));
}

}  // namespace ltad
