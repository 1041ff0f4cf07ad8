#pragma once

#include <cstdint>
#include <filesystem>

#include "ltad/synth/pairs.h"

namespace ltad {

/// Which pairs write_pairs() writes: draw_pair() of index 0, 1, …
struct PairOptions {
    std::int64_t count = 1000;
    std::int64_t size = 224;  ///< side in pixels
    std::int64_t seed = 0;
    PairSide side = PairSide::training;
};

/// Writes `images/000000.png`, … and `pairs.jsonl` with one {"image": "images/000000.png", "text": "a broken gear"} a
/// line into a new folder, all or nothing. The same options give the same bytes.
/// Throws UsageError for an option out of range, Error when `out` is not empty or cannot be written.
void write_pairs(const std::filesystem::path& out, const PairOptions& options);

}  // namespace ltad
