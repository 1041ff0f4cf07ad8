#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/jitter.h"
#include "ltad/train/phase2.h"

namespace ltad {
Phase2Sampler::Phase2Sampler(const Run& run, const Phase1Model& phase1, const FeatureSet& set)
    : run_(run), phase1_(phase1), set_(set) {
    const c10::NoGradGuard no_grad;
    const Phase2Config& config = run.config().phase2;
    const auto& classes = run.split().classes;
    texts_ = phase1.texts(
        at::arange(static_cast<std::int64_t>(classes.size()), at::TensorOptions(at::kLong).device(run.device())));
    const auto smallest = std::min_element(classes.begin(), classes.end(),
                                           [](const ClassSplit& a, const ClassSplit& b) { return a.kept < b.kept; });
    for (const ClassSplit& c : classes)
        synthetic_probability_.push_back(config.sampling == "class_aware"
                                             ? static_cast<double>(smallest->kept) / static_cast<double>(c.kept)
                                             : 1.0 - config.real_probability);
    if (config.jitter_scale == "channel") channel_deviation_ = feature_statistics(set).channel_deviation;
}

double Phase2Sampler::synthetic_probability(std::int64_t class_index) const {
    return synthetic_probability_[static_cast<std::size_t>(class_index)];
}

void Phase2Sampler::synthesize(FeatureBatch& batch, std::int64_t epoch, std::span<const std::size_t> indices) const {
    const std::int64_t seed = run_.config().seed;
    std::vector<std::size_t> chosen;      // of the set
    std::vector<std::int64_t> positions;  // in the batch
    for (std::size_t i = 0; i < indices.size(); ++i) {
        Random random(RandomUse::feature_kind,
                      {static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(epoch), set_.key_of(indices[i])});
        if (!random.chance(synthetic_probability(set_.class_of(indices[i])))) continue;
        chosen.push_back(indices[i]);
        positions.push_back(static_cast<std::int64_t>(i));
    }
    if (chosen.empty()) return;
    const at::Tensor rows = at::tensor(positions, at::kLong).to(run_.device());
    const at::Tensor noise =
        sample_noise(RandomUse::latent, seed, 2, epoch, set_, chosen, {run_.layout().latent}, run_.device());
    const at::Tensor latent = phase1_.vae().encode(batch.latents.index_select(0, rows)).sample(noise);
    const at::Tensor texts = texts_.index_select(0, batch.classes.index_select(0, rows));
    batch.maps.index_copy_(0, rows, phase1_.vae().decoder().forward(latent, texts, false));
}

Phase2Batch Phase2Sampler::draw(std::int64_t epoch, std::span<const std::size_t> indices) const {
    const c10::NoGradGuard no_grad;
    FeatureBatch batch = set_.batch(indices);
    synthesize(batch, epoch, indices);
    const at::Tensor normal = to_tokens(batch.maps);
    const at::Tensor noise = sample_noise(RandomUse::jitter, run_.config().seed, 2, epoch, set_, indices,
                                          {normal.size(1), normal.size(2)}, run_.device());
    return {normal, jitter(run_.config().phase2, normal, noise, channel_deviation_), batch.classes};
}

}  // namespace ltad
