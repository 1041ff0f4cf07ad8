#include "ltad/train/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/model/jitter.h"
#include "ltad/model/score.h"

namespace ltad {
namespace {

constexpr const char* statistics_format = "ltad-statistics/1";

/// Mean and variance of a stream (Chan, Golub and LeVeque 1979), stable where sums of squares cancel.
class Spread {
public:
    void add(const at::Tensor& values) {
        const at::Tensor v = values.to(at::kDouble);
        const auto count = static_cast<double>(v.numel());
        const auto mean = v.mean().item<double>();
        const auto squares = (v - mean).square().sum().item<double>();
        const double delta = mean - mean_;
        const double total = count_ + count;
        squares_ += squares + delta * delta * count_ * count / total;
        mean_ += delta * count / total;
        count_ = total;
    }
    [[nodiscard]] double deviation() const { return std::sqrt(squares_ / count_); }

private:
    double count_ = 0;
    double mean_ = 0;
    double squares_ = 0;
};

std::filesystem::path statistics_file(const Run& run) { return run.output() / "phase2" / "statistics.json"; }

json module_hashes(const Run& run) {
    return {{"reconstruction", sha256_file(run.output() / phase2_file(Phase2Part::reconstruction))},
            {"semantic", sha256_file(run.output() / phase2_file(Phase2Part::semantic))}};
}

}  // namespace

double ScoreStatistics::lambda() const {
    if (!(semantic_deviation > 0) || !std::isfinite(reconstruction_deviation))
        fail("scoring.lambda: \"auto\" cannot be computed, the semantic score is the same everywhere (deviation ",
             semantic_deviation, "); train phase 2 longer or give a number");
    return reconstruction_deviation / semantic_deviation;
}

ScoreStatistics measure_scores(const Run& run, const Phase2Model& model, const Phase2Sampler& sampler,
                               const FeatureSet& set) {
    const c10::NoGradGuard no_grad;
    Spread reconstruction;
    Spread semantic;
    const auto size = static_cast<std::size_t>(run.config().phase2.batch_size);
    std::vector<std::size_t> all(set.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (std::size_t first = 0; first < all.size(); first += size) {
        const auto indices = std::span(all).subspan(first, std::min(size, all.size() - first));
        if (interrupt_requested())
            throw Interrupted("interrupted; both modules are kept, the same command goes on from there");
        const FeatureBatch batch = set.batch(indices);
        const at::Tensor clean = to_tokens(batch.maps);
        // Phase 3: draws of its own, apart from those of the training.
        const at::Tensor noise = sample_noise(RandomUse::jitter, run.config().seed, 3, 0, set, indices,
                                              {clean.size(1), clean.size(2)}, run.device());
        for (const at::Tensor& tokens :
             {clean, jitter(run.config().phase2, clean, noise, sampler.channel_deviation())}) {
            const TokenScores scores = score_tokens(model.reconstruction(), model.semantic(), tokens, batch.classes);
            reconstruction.add(scores.reconstruction);
            semantic.add(scores.semantic);
        }
    }
    return {reconstruction.deviation(), semantic.deviation()};
}

void write_statistics(const Run& run, const ScoreStatistics& statistics) {
    write_json(statistics_file(run), sealed({{"format", statistics_format},
                                             {"modules", module_hashes(run)},
                                             {"reconstruction_deviation", statistics.reconstruction_deviation},
                                             {"semantic_deviation", statistics.semantic_deviation}}));
}

bool statistics_are_current(const Run& run) {
    if (!std::filesystem::exists(statistics_file(run))) return false;
    try {
        const json there = read_json(statistics_file(run));
        if (there.contains("sha256")) check_seal(there);  // older versions wrote none
        return there.at("modules") == module_hashes(run) && there.at("reconstruction_deviation").is_number() &&
               there.at("semantic_deviation").is_number();
    } catch (const std::exception&) {  // damaged: as good as missing
        return false;
    }
}

ScoreStatistics read_statistics(const Run& run) {
    const auto file = statistics_file(run);
    if (!statistics_are_current(run))
        fail(file.string(),
             ": missing, damaged, or of other modules than are there; run `ltad-train phase2` again (it only "
             "measures what is finished)");
    try {
        const json document = read_json(file);
        return {document.at("reconstruction_deviation"), document.at("semantic_deviation")};
    } catch (const json::exception& error) {
        fail(file.string(), ": ", words_of(error));
    }
}

}  // namespace ltad
