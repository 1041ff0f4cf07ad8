// One measurement for bench/growth.py: how long a piece of work takes, and how much memory, at one size. A process for
// each, so that peaks of memory do not mix. Prints a line of JSON.
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/align/align_model.h"
#include "ltad/align/device.h"
#include "ltad/core/error.h"
#include "ltad/eval/roc.h"
#include "ltad/model/decoder.h"
#include "ltad/model/jitter.h"
#include "ltad/model/prompts.h"
#include "ltad/model/score.h"
#include "ltad/train/adamw.h"
#include "ltad/train/feature_set.h"
#include "ltad/train/phase2.h"
#include "memory.h"
#include "temporary_store.h"

namespace ltad::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr FeatureStore::Shape paper_features{.channels = 384, .grid = 14, .latent = 640};
constexpr std::int64_t floats_of_a_picture =
    paper_features.channels * paper_features.grid * paper_features.grid + paper_features.latent;
constexpr std::int64_t batch = 8;
constexpr AdamWOptions options{.learning_rate = 1e-4, .weight_decay = 1e-4};

double seconds_of(const std::function<void()>& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What a piece of work takes: seconds, the fastest of several times after one that is not counted, or of the only one
/// with `once`; and by how many MiB it raises the memory's peak.
json measure(const std::function<void()>& work, bool once = false) {
    forget_peak_memory();
    const double before = peak_memory();
    double best = seconds_of(work);
    for (double spent = 0; !once && spent < 0.5;) {
        const double took = seconds_of(work);
        best = std::min(best, took);
        spent += took;
    }
    return {{"seconds", best}, {"peak_mib", peak_memory() - before}};
}

// Grid: side G, so N = G² tokens.

/// Π at the paper's sizes but for the grid.
struct Paper {
    explicit Paper(std::int64_t grid) : module({}, paper_features.channels, grid, parameters) {
        at::manual_seed(1);
        normal = at::randn({batch, grid * grid, paper_features.channels});
        abnormal = normal + at::randn_like(normal);
    }
    Parameters parameters{0, at::kCPU};
    Reconstruction module;
    at::Tensor normal, abnormal;
};

json reconstruction_step(std::int64_t grid) {
    const Paper s(grid);
    AdamW optimizer(s.parameters, options);
    return measure([&] {
        reconstruction_loss(s.module.forward(s.abnormal, true), s.normal).backward();
        optimizer.step();
    });
}

json reconstruction_scoring(std::int64_t grid) {
    const c10::NoGradGuard no_grad;
    const Paper s(grid);
    return measure([&] { (void)(s.module.forward(s.normal, false) - s.normal).square().sum(2); });
}

/// D of Lite0 mirrored at pictures of 16 G.
json decoder_step(std::int64_t grid) {
    EfficientNetConfig encoder;
    encoder.width_coefficient = encoder.depth_coefficient = 1;
    encoder.hidden_act = "relu6";
    const auto specs = block_specs(encoder);
    FeatureLayout layout{
        .taps = auto_taps(encoder), .channels = {}, .grid = grid, .latent = specs.back().out, .image_size = 16 * grid};
    for (const std::int64_t tap : layout.taps) layout.channels.push_back(specs[static_cast<std::size_t>(tap)].out);
    Parameters parameters(0, at::kCPU);
    const Decoder decoder({.resolution = "grid"}, encoder, layout, layout.latent, parameters);
    AdamW optimizer(parameters, options);
    const at::Tensor latent = at::randn({batch, layout.latent}), text = at::randn({batch, layout.latent});
    return measure([&] {
        decoder.forward(latent, text, true).square().mean().backward();
        optimizer.step();
    });
}

json maps(std::int64_t grid) {
    const at::Tensor scores = at::rand({batch, grid * grid});
    return measure([&] { (void)image_scores(anomaly_maps(scores, 16 * grid), 16); });
}

// Classes.

/// A text encoder of 4 layers of 128, and names for so many classes.
struct Named {
    explicit Named(const std::filesystem::path& model, std::int64_t classes)
        : encoder(model, at::kCPU), prompts({}, names_of(classes), encoder, parameters) {}

    static std::vector<std::string> names_of(std::int64_t classes) {
        std::vector<std::string> names;
        for (std::int64_t i = 0; i < classes; ++i) names.push_back(text("class", i));
        return names;
    }

    AlignModel encoder;
    Parameters parameters{0, at::kCPU};
    Prompts prompts;
};

/// The texts that Φ compares with: all classes, two states.
json texts(std::int64_t classes, const std::filesystem::path& model) {
    const c10::NoGradGuard no_grad;
    const Named s(model, classes);
    return measure([&] {
        (void)s.prompts.with_states({"a"});
        (void)s.prompts.with_states({"a broken"});
    });
}

/// What the classes add to a step of phase 1: the names of a batch's, backward, and the optimiser over all.
json name_step(std::int64_t classes, const std::filesystem::path& model) {
    const Named s(model, classes);
    AdamW optimizer(s.parameters, options);
    const at::Tensor rows = at::arange(batch, at::kLong).remainder(classes);
    return measure([&] {
        s.prompts.names(rows).square().mean().backward();
        optimizer.step();
    });
}

// Pictures.

json find_store(std::int64_t count) {
    const TemporaryStore pictures(static_cast<std::size_t>(count), {.channels = 1, .grid = 1, .latent = 1});
    return measure([&] { pictures.find_finished(); });
}

json read_epoch(std::int64_t count) {
    const TemporaryStore pictures(static_cast<std::size_t>(count), paper_features);
    const FeatureStore store = pictures.open();
    const FeatureSet set = pictures.set(store);
    const auto read = [&] {
        const auto order = epoch_order(1, 2, 1, set.size());
        for (std::int64_t step = 0; step * batch < count; ++step) {
            const auto [now, next] = batch_indices(order, step, batch);
            set.read_ahead(next);
            (void)set.batch(now);
        }
    };
    return measure(read, true);
}

/// Pixel AUROC of a class of so many pictures, as ltad-eval collects it.
json pixel_auroc(std::int64_t count) {
    constexpr std::int64_t pixels = 224 * 224;
    at::manual_seed(1);
    const at::Tensor scores = at::randn({pixels + count}), labels = at::rand({pixels + count}).lt(0.03).to(at::kByte);
    return measure(
        [&] {
            RankedScores ranked;
            ranked.reserve_good(static_cast<std::size_t>(count * pixels));
            for (std::int64_t i = 0; i < count; ++i)
                ranked.add({scores.const_data_ptr<float>() + i, pixels},
                           {labels.const_data_ptr<std::uint8_t>() + i, pixels});
            (void)ranked.auroc();
        },
        true);
}

// A data set larger than the memory.

/// Fills a store and trains a small Π on it for an epoch, in random order, as phase 2 does. Besides the time of a step,
/// reports the process's own memory (MiB) after a tenth of the steps and at the end, and the store's size.
json train_larger(std::int64_t count) {
    const TemporaryStore pictures(static_cast<std::size_t>(count), paper_features);
    const FeatureStore store = pictures.open();
    const FeatureSet set = pictures.set(store);
    Parameters parameters(0, at::kCPU);
    const Reconstruction rebuild(
        {.hidden_dim = 64, .heads = 2, .encoder_layers = 2, .decoder_layers = 2, .feedforward_dim = 256},
        paper_features.channels, paper_features.grid, parameters);
    AdamW optimizer(parameters, options);
    const auto order = epoch_order(1, 2, 1, set.size());
    const std::int64_t steps = (count + batch - 1) / batch;
    json result = {{"store_mib", static_cast<double>(count * floats_of_a_picture * 4) / 1048576}};
    const double seconds = seconds_of([&] {
        for (std::int64_t step = 0; step < steps; ++step) {
            if (step == steps / 10) result["early_mib"] = anonymous_memory();
            const auto [now, next] = batch_indices(order, step, batch);
            set.read_ahead(next);
            const at::Tensor normal = to_tokens(set.batch(now).maps);
            const at::Tensor abnormal = jitter({}, normal, at::randn_like(normal), {});
            reconstruction_loss(rebuild.forward(abnormal, true), normal).backward();
            optimizer.step();
        }
    });
    result["end_mib"] = anonymous_memory();
    result["seconds"] = seconds / static_cast<double>(steps);
    return result;
}

json measurement(const std::string& what, std::int64_t size, const std::string& model) {
    const std::map<std::string, std::function<json()>> all = {
        {"reconstruction-step", [=] { return reconstruction_step(size); }},
        {"reconstruction-scoring", [=] { return reconstruction_scoring(size); }},
        {"decoder-step", [=] { return decoder_step(size); }},
        {"maps", [=] { return maps(size); }},
        {"texts", [=] { return texts(size, model); }},
        {"name-step", [=] { return name_step(size, model); }},
        {"find-store", [=] { return find_store(size); }},
        {"read-epoch", [=] { return read_epoch(size); }},
        {"pixel-auroc", [=] { return pixel_auroc(size); }},
        {"train-larger", [=] { return train_larger(size); }}};
    const auto found = all.find(what);
    if (found == all.end()) fail("ltad_growth: '", what, "' is no measurement");
    return found->second();
}

}  // namespace
}  // namespace ltad::bench

int main(int argc, char** argv) try {
    if (argc < 3) ltad::fail("usage: ltad_growth MEASUREMENT SIZE [MODEL_DIRECTORY]");
    ltad::set_threads(0);
    std::cout << ltad::bench::measurement(argv[1], std::stoll(argv[2]), argc > 3 ? argv[3] : "") << '\n';
    return 0;
} catch (const std::exception& error) {
    std::cerr << "ltad_growth: " << error.what() << '\n';
    return 1;
}
