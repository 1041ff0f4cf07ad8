#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/train/feature_set.h"

namespace ltad {

/// Passes over a training set in batches, in an order that depends on (seed, phase, epoch) alone.
struct EpochPlan {
    std::string label;  ///< in messages, such as "phase 1"
    int phase = 0;      ///< tells the random streams of trainings apart
    std::int64_t seed = 0;
    std::int64_t epochs = 0;
    std::int64_t batch_size = 0;
    std::int64_t pictures = 0;

    [[nodiscard]] std::int64_t steps_per_epoch() const { return (pictures + batch_size - 1) / batch_size; }
    [[nodiscard]] std::int64_t total_steps() const { return epochs * steps_per_epoch(); }
};

/// What happens in a training, step by step.
class Training {
public:
    virtual ~Training() = default;
    virtual void step(std::int64_t step, std::int64_t epoch, std::span<const std::size_t> indices) = 0;
    /// After the last step of an epoch. Returns a few words for the progress line.
    virtual std::string end_epoch(std::int64_t epoch) = 0;
    virtual void save_state() = 0;
    virtual void save_now_and_then() = 0;
};

/// The loop of all trainings, from step `first` on. Throws Interrupted after saving the state.
void run_epochs(const EpochPlan& plan, std::int64_t first, const FeatureSet& set, Training& training);

/// Writes one line for each object of the histories, which have an "epoch" each: terms of the same epoch on one line.
void write_metrics(const std::filesystem::path& file, const std::vector<json>& histories);

}  // namespace ltad
