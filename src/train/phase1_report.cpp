#include "ltad/train/phase1_report.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/visible.h"

namespace ltad {
namespace {

constexpr std::size_t pictures_per_class = 8;
constexpr const char* interrupted = "interrupted in phase 1's report; the state is saved, --resume goes on from there";

/// A seeded few of the pictures that the split left out; where there are none, of the training pictures.
std::vector<Sample> pick(const std::vector<Sample>& from, const std::string& class_name, std::int64_t seed) {
    std::vector<Sample> chosen;
    for (const Sample& sample : from)
        if (sample.class_name == class_name) chosen.push_back(sample);
    Random random(RandomUse::held_out, {static_cast<std::uint64_t>(seed), random_key(class_name)});
    random.shuffle(chosen);
    chosen.resize(std::min(chosen.size(), pictures_per_class));
    return chosen;
}

std::vector<std::size_t> all_indices(std::size_t count) {
    std::vector<std::size_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return indices;
}

/// Of the training pictures, by class.
struct ClassMeans {
    at::Tensor maps;         ///< mean map, [K, C, G, G]
    at::Tensor descriptors;  ///< mean over pictures and positions, every channel standardised over pictures, [K, C]
    at::Tensor scale;        ///< 1 / deviation of the pictures' position means, [C]
};

ClassMeans class_means(const Run& run, const FeatureSet& train) {
    const auto classes = static_cast<std::int64_t>(run.class_names().size());
    const FeatureLayout& layout = run.layout();
    at::Tensor sums = at::zeros({classes, layout.total_channels(), layout.grid, layout.grid}, at::kDouble);
    std::vector<at::Tensor> pictures;
    std::vector<double> counts(static_cast<std::size_t>(classes), 0);
    for (std::size_t i = 0; i < train.size(); ++i) {
        stop_if_interrupted(interrupted);
        const at::Tensor map = train.batch(std::array{i}).maps[0].to(at::kCPU, at::kDouble);
        sums[train.class_of(i)].add_(map);
        pictures.push_back(map.mean({1, 2}));
        counts[static_cast<std::size_t>(train.class_of(i))] += 1;
    }
    const at::Tensor means = sums / at::tensor(counts, at::kDouble).view({classes, 1, 1, 1});
    const at::Tensor scale = 1 / at::stack(pictures).std(0, false).clamp_min(1e-6);
    const auto here = [&](const at::Tensor& tensor) { return tensor.to(run.device(), at::kFloat); };
    return {here(means), here(means.mean({2, 3}) * scale), here(scale)};
}

/// Share of the maps whose nearest class is `own`: by the position mean of every channel, since where things lie
/// differs from picture to picture of a texture.
double nearest_share(const at::Tensor& maps, const ClassMeans& known, std::int64_t own) {
    const at::Tensor distance = at::cdist(maps.mean({2, 3}) * known.scale, known.descriptors);
    return distance.argmin(1).eq(own).to(at::kDouble).mean().item<double>();
}

Phase1Report::Class report_class(const Run& run, const Phase1Model& model, const ClassMeans& known,
                                 std::int64_t index) {
    const ClassSplit& split = run.split().classes[static_cast<std::size_t>(index)];
    Phase1Report::Class out{.name = split.name, .group = split.group};
    std::vector<Sample> samples = pick(run.held_out(), split.name, run.config().seed);
    out.held_out = !samples.empty();
    if (samples.empty()) samples = pick(run.split().train, split.name, run.config().seed);
    out.pictures = static_cast<std::int64_t>(samples.size());

    const FeatureSet set = run.features_of(samples);
    const auto indices = all_indices(set.size());
    const FeatureBatch batch = set.batch(indices);
    const auto noise = [&](std::int64_t draw) {  // draws beyond all epochs: never used in training
        return sample_noise(RandomUse::held_out, run.config().seed, 1, draw, set, indices, {run.layout().latent},
                            run.device());
    };
    const at::Tensor texts = model.texts(batch.classes);
    const at::Tensor latent = model.vae().encode(batch.latents).sample(noise(0));
    const at::Tensor decoded = model.vae().decoder().forward(latent, texts, false);
    const at::Tensor from_noise = model.vae().decoder().forward(noise(1), texts, false);
    const auto error = [&](const at::Tensor& predicted) {
        return tap_loss(predicted, batch.maps, run.layout().channels).item<double>();
    };
    out.from_latent = error(decoded);
    out.from_noise = error(from_noise);
    out.from_mean = error(known.maps[index].unsqueeze(0).expand_as(batch.maps));
    out.nearest_own_class = nearest_share(decoded, known, index);
    return out;
}

}  // namespace

Phase1Report report_phase1(const Run& run, const Phase1Model& model, const FeatureSet& train) {
    const c10::NoGradGuard no_grad;
    const ClassMeans known = class_means(run, train);
    const auto classes = static_cast<std::int64_t>(run.class_names().size());
    Phase1Report report;
    for (std::int64_t c = 0; c < classes; ++c) {
        stop_if_interrupted(interrupted);
        report.classes.push_back(report_class(run, model, known, c));
    }

    const at::Tensor names =
        model.prompts().names(at::arange(classes, at::TensorOptions(at::kLong).device(run.device())));
    const at::Tensor unit = names / names.norm(2, {1}, true);
    const at::Tensor cosines = at::matmul(unit, unit.t());
    const auto pairs = static_cast<double>(classes * (classes - 1));
    if (pairs > 0) report.name_distance = 1 - (cosines.sum().item<double>() - cosines.trace().item<double>()) / pairs;
    const Phase1Model start(run);
    report.name_change =
        (model.prompts().embeddings() - start.prompts().embeddings()).square().mean().sqrt().item<double>();
    return report;
}

json Phase1Report::to_json() const {
    json list = json::array();
    for (const Class& c : classes)
        list.push_back({{"name", c.name},
                        {"group", name_of(c.group)},
                        {"pictures", c.pictures},
                        {"held_out", c.held_out},
                        {"error_from_latent", c.from_latent},
                        {"error_from_noise", c.from_noise},
                        {"error_of_class_mean", c.from_mean},
                        {"nearest_own_class", c.nearest_own_class}});
    return {{"classes", list}, {"name_distance", name_distance}, {"name_change", name_change}};
}

std::string Phase1Report::table() const {
    std::string out = "Phase 1 on pictures that the split left out (* training pictures, where it left none out)\n";
    char line[256];
    std::snprintf(line, sizeof line, "%-20s %5s %8s %12s %12s %12s %12s\n", "class", "group", "pictures", "D(z,t)",
                  "D(noise,t)", "class mean", "nearest own");
    out += line;
    for (const Class& c : classes) {
        const std::string name = visible(c.name);  // of any length
        out += name + std::string(20 - std::min<std::size_t>(name.size(), 20), ' ');
        std::snprintf(line, sizeof line, " %5s %7lld%s %12.5f %12.5f %12.5f %10.0f %%\n",
                      std::string(name_of(c.group)).c_str(), static_cast<long long>(c.pictures), c.held_out ? " " : "*",
                      c.from_latent, c.from_noise, c.from_mean, 100 * c.nearest_own_class);
        out += line;
    }
    std::snprintf(line, sizeof line, "class names: mean cosine distance %.4f between classes, moved by %.4f (rms)\n",
                  name_distance, name_change);
    return out + line;
}

}  // namespace ltad
