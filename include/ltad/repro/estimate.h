#pragma once

#include <cstdint>

#include "ltad/repro/plan.h"
#include "ltad/train/run.h"

namespace ltad {

/// Training steps of a part on so many pictures (for PatchCore, patches chosen), on a grid × grid map each.
[[nodiscard]] std::int64_t step_count(PartKind kind, const Config& config, std::int64_t pictures, std::int64_t grid);

/// Seconds that a step takes here, measured over a few of them on random features; nothing is read or written.
/// pictures: in the training set.
[[nodiscard]] double step_seconds(PartKind kind, const Run& run, std::int64_t pictures);

}  // namespace ltad
