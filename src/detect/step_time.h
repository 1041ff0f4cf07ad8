#pragma once

#include <chrono>

#include "ltad/train/feature_set.h"
#include "ltad/train/run.h"

/// What methods measure the time of their training steps with.
namespace ltad {

/// Of the second call and the third; the first one finds its memory.
template <typename Step>
[[nodiscard]] double mean_seconds(const Step& step) {
    step();
    constexpr int count = 2;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) step();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / count;
}

/// Random features of so many pictures of the first class.
[[nodiscard]] FeatureBatch random_batch(const Run& run, std::int64_t size);

/// A step of Π on a batch of phase 2, its input at hand.
[[nodiscard]] double reconstruction_step_seconds(const Run& run);

}  // namespace ltad
