#pragma once

#include <cstdint>
#include <filesystem>

namespace ltad {

/// What `ltad-synth` makes.
struct SynthOptions {
    std::int64_t classes = 12;  ///< the first so many of synth_class_names()
    std::int64_t train = 60;    ///< good training pictures per class
    std::int64_t test_good = 12;
    std::int64_t test_defective = 5;  ///< per kind of defect
    std::int64_t size = 256;          ///< side in pixels
    std::int64_t seed = 0;
};

/// Writes a small inspection data set in MVTec AD's layout. The same options give the same pictures.
/// Throws UsageError for an option out of range, Error when `out` is not empty or cannot be written.
void write_synth_dataset(const std::filesystem::path& out, const SynthOptions& options);

}  // namespace ltad
