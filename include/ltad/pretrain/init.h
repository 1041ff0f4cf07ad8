#pragma once

#include <cstdint>
#include <filesystem>

namespace ltad {

/// Makes a model directory with random weights from an ALIGN config.json: convolutions and linear layers by fan, batch
/// norms with the statistics of generated pictures, so that features vary as a trained encoder's do and none vanishes.
/// The vocabulary is the vocab.txt beside the config where there is one, else a small one of our own. The directory
/// says that its weights are random, and loading it warns. The same seed gives the same weights. Throws Error naming
/// the config's file and key, and when `out` already holds a model.
void init_model_directory(const std::filesystem::path& config_file, std::int64_t seed,
                          const std::filesystem::path& out);

}  // namespace ltad
