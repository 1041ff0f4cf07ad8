#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/model/jitter.h"
#include "ltad/model/nearest.h"
#include "ltad/model/score.h"
#include "methods.h"
#include "step_time.h"

namespace ltad {
namespace {

constexpr std::size_t batch_size = 16;  // training pictures at once

constexpr const char* interrupted = "interrupted; nothing was written";

constexpr const char* bank_file = "patchcore/bank.safetensors";

/// The smoothing is of the maps, which are made later.
std::vector<std::string> patchcore_keys(const Config&) {
    return {"patchcore.coreset", "patchcore.projection_dim", "patchcore.neighborhood"};
}

json patchcore_settings(const Run& run) {
    json settings = run.common_settings();
    settings.update(picked(run.config(), patchcore_keys(run.config())));
    settings["bank"] = 2;  // with the pictures of its rows
    return settings;
}

/// Rows of the bank for so many patches.
std::int64_t bank_size(const PatchcoreConfig& config, std::int64_t patches) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(config.coreset * static_cast<double>(patches)));
}

/// "Locally aware" patches: each the mean of its neighbourhood, with zeros around the picture. [B, C, G, G] → [B, G²,
/// C].
at::Tensor patches_of(const at::Tensor& maps, std::int64_t neighborhood) {
    const std::int64_t side = neighborhood;
    return to_tokens(side == 1 ? maps : at::avg_pool2d(maps, {side, side}, {1, 1}, {side / 2, side / 2}));
}

std::int64_t picture_key(const FeatureSet& set, std::size_t index) {
    return std::bit_cast<std::int64_t>(set.key_of(index));
}

/// The training patches: too many to hold at once for large data sets, so they are made again when needed.
class TrainingPatches {
public:
    explicit TrainingPatches(const Run& run)
        : set_(run.features_of(run.split().train)), config_(run.config().patchcore), seed_(run.config().seed) {}

    /// Of all pictures in the space where distances are cheap: projected at random, by Gaussians of variance 1 / D,
    /// which keep distances in expectation (Johnson and Lindenstrauss). [N · G², D].
    [[nodiscard]] at::Tensor projected() const {
        at::Tensor projection, all;
        for (std::size_t first = 0; first < set_.size(); first += batch_size) {
            stop_if_interrupted(interrupted);
            std::vector<std::size_t> indices(std::min(batch_size, set_.size() - first));
            std::iota(indices.begin(), indices.end(), first);
            at::Tensor patches = patches_of(set_.batch(indices).maps, config_.neighborhood);
            per_picture_ = patches.size(1);
            if (first == 0 && config_.projection_dim > 0 && config_.projection_dim < patches.size(2))
                projection = random_projection(patches.size(2)).to(patches.device());
            patches = patches.flatten(0, 1);
            if (projection.defined()) patches = at::matmul(patches, projection);
            if (first == 0)
                all = at::empty({static_cast<std::int64_t>(set_.size()) * per_picture_, patches.size(1)},
                                patches.options());
            all.narrow(0, static_cast<std::int64_t>(first) * per_picture_, patches.size(0)).copy_(patches);
        }
        return all;
    }

    /// Some of them, unprojected, in their order, and of which pictures they are (`FeatureSet::key_of`): [M] int64 →
    /// [M, C], [M] int64.
    [[nodiscard]] Weights select(const at::Tensor& rows) const {
        const at::Tensor sorted = std::get<0>(rows.to(at::kCPU).sort());
        const std::span<const std::int64_t> all(sorted.const_data_ptr<std::int64_t>(),
                                                static_cast<std::size_t>(sorted.numel()));
        std::vector<at::Tensor> parts, pictures;
        for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
            stop_if_interrupted(interrupted);
            const std::int64_t picture = all[begin] / per_picture_;
            while (end < all.size() && all[end] / per_picture_ == picture) ++end;
            const at::Tensor own = sorted.slice(0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
            const auto index = static_cast<std::size_t>(picture);
            const at::Tensor patches = patches_of(set_.batch(std::array{index}).maps, config_.neighborhood)[0];
            parts.push_back(patches.index_select(0, (own - picture * per_picture_).to(patches.device())));
            pictures.push_back(at::full({own.size(0)}, picture_key(set_, index), at::kLong));
        }
        return {{"bank", at::cat(parts).contiguous()}, {"pictures", at::cat(pictures)}};
    }

private:
    [[nodiscard]] at::Tensor random_projection(std::int64_t channels) const {
        at::Tensor projection = at::empty({channels, config_.projection_dim});
        Random random(RandomUse::coreset, {static_cast<std::uint64_t>(seed_), 0});
        random.fill_normal({projection.mutable_data_ptr<float>(), static_cast<std::size_t>(projection.numel())});
        return projection / std::sqrt(static_cast<double>(config_.projection_dim));
    }

    FeatureSet set_;
    const PatchcoreConfig& config_;
    std::int64_t seed_;
    mutable std::int64_t per_picture_ = 0;
};

class PatchcoreDetector final : public Detector {
public:
    explicit PatchcoreDetector(const Run& run) : run_(run) {
        const auto file = run.output() / bank_file;
        if (!std::filesystem::exists(file))
            fail(file.string(), ": PatchCore has no bank yet; run `ltad-train fit` with this config first");
        Metadata metadata;
        Weights weights = load_checkpoint(file, metadata);
        check_checkpoint(metadata, patchcore_settings(run), file);
        const at::Tensor& bank = weights["bank"];
        if (!bank.defined() || bank.dim() != 2 || bank.size(1) != run.layout().total_channels())
            fail(file.string(), ": a tensor \"bank\" with rows of ", run.layout().total_channels(),
                 " channels was expected; --force makes it again");
        const at::Tensor& pictures = weights["pictures"];
        if (!pictures.defined() || pictures.scalar_type() != at::kLong || pictures.dim() != 1 ||
            pictures.size(0) != bank.size(0))
            fail(file.string(),
                 ": a tensor \"pictures\" with the picture of each row was expected; --force makes it again");
        bank_ = bank.to(run.device());
        pictures_ = pictures;
    }

    [[nodiscard]] const std::vector<std::string>& scores() const override { return scores_; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {run_.output() / bank_file}; }

    [[nodiscard]] Detection detect(const FeatureSet& set, std::span<const std::size_t> indices) const override {
        const c10::NoGradGuard no_grad;
        const at::Tensor patches = patches_of(set.batch(indices).maps, run_.config().patchcore.neighborhood);
        return detection(nearest_distances(patches.flatten(0, 1), bank_).view({patches.size(0), patches.size(1)}));
    }

    /// A training picture is nearest to its own patches, by which it would look more normal than any other.
    [[nodiscard]] Detection detect_left_out(const FeatureSet& set,
                                            std::span<const std::size_t> indices) const override {
        const c10::NoGradGuard no_grad;
        const at::Tensor patches = patches_of(set.batch(indices).maps, run_.config().patchcore.neighborhood);
        std::vector<at::Tensor> distances;
        for (std::size_t i = 0; i < indices.size(); ++i)
            distances.push_back(
                distances_to_others(patches[static_cast<std::int64_t>(i)], picture_key(set, indices[i])));
        return detection(at::stack(distances));
    }

private:
    /// distances: [B, T], of each patch to the bank.
    [[nodiscard]] Detection detection(const at::Tensor& distances) const {
        const at::Tensor squares = distances.square();
        const at::Tensor maps =
            anomaly_maps(squares, run_.config().scoring.map_size, TokenPlaces::middles).to(at::kCPU);
        return {{smooth_maps(maps, run_.config().patchcore.smoothing).contiguous()}, {squares.amax(1).to(at::kCPU)}};
    }

    /// [T, C] → [T]. The rows of a picture lie side by side; where all are this one's, they have to do.
    [[nodiscard]] at::Tensor distances_to_others(const at::Tensor& patches, std::int64_t picture) const {
        const std::span<const std::int64_t> all(pictures_.const_data_ptr<std::int64_t>(),
                                                static_cast<std::size_t>(pictures_.numel()));
        const auto begin = std::find(all.begin(), all.end(), picture);
        const auto end = std::find_if(begin, all.end(), [&](std::int64_t other) { return other != picture; });
        const std::int64_t before = begin - all.begin(), after = all.end() - end;
        if (before + after == 0) return nearest_distances(patches, bank_);
        if (before == 0) return nearest_distances(patches, bank_.narrow(0, bank_.size(0) - after, after));
        const at::Tensor nearest = nearest_distances(patches, bank_.narrow(0, 0, before));
        if (after == 0) return nearest;
        return at::minimum(nearest, nearest_distances(patches, bank_.narrow(0, bank_.size(0) - after, after)));
    }

    const Run& run_;
    at::Tensor bank_;      ///< [M, C]
    at::Tensor pictures_;  ///< [M] int64, on the CPU: which training picture a row is of
    std::vector<std::string> scores_{"patchcore"};
};

void train_patchcore(Run& run, int, const std::string&, TrainOptions options) {
    const FileLock lock = run.claim(options.force);
    const auto file = run.output() / bank_file;
    const json settings = patchcore_settings(run);
    if (!options.force && std::filesystem::exists(file)) {
        Metadata metadata;
        (void)load_checkpoint(file, metadata);  // whole, too
        check_checkpoint(metadata, settings, file);
        log_info(text(file.string(), ": PatchCore's bank is already there", options.hint_force()));
        return;
    }
    run.prepare_features(options.verify_features);
    run.write_config();
    remove_temporary_files(file.parent_path());
    const c10::NoGradGuard no_grad;
    const TrainingPatches training(run);
    const at::Tensor points = training.projected();
    const std::int64_t count = bank_size(run.config().patchcore, points.size(0));
    Progress progress("PatchCore", static_cast<std::size_t>(count), "patches");
    Random random(RandomUse::coreset, {static_cast<std::uint64_t>(run.config().seed), 1});
    const at::Tensor chosen = greedy_coreset(points, count, random, [&] {
        stop_if_interrupted(interrupted);
        progress.advance();
    });
    save_weights(file, training.select(chosen), checkpoint_metadata(settings));
}

std::unique_ptr<Detector> load_patchcore(const Run& run, const std::string&) {
    return std::make_unique<PatchcoreDetector>(run);
}

double choice_seconds(const Run& run, std::int64_t pictures) {
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

Method patchcore_method() {
    return {.name = "patchcore",
            .title = "PatchCore",
            .scores = {"patchcore"},
            .parts = {{.name = "PatchCore",
                       .file = bank_file,
                       .scores = {"patchcore"},
                       .keys = patchcore_keys,
                       .settings = patchcore_settings,
                       .steps =
                           [](const Config& config, std::int64_t pictures) {
                               return bank_size(config.patchcore, pictures * config.grid() * config.grid());
                           },
                       .step_seconds = choice_seconds,
                       .shared_seconds = nullptr,
                       .cost_keys = {"patchcore"}}},
            .scoring_keys = {"scoring", "patchcore.smoothing"},
            .train = train_patchcore,
            .load = load_patchcore};
}

}  // namespace ltad
