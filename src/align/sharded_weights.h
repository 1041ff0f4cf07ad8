#pragma once

#include <filesystem>
#include <vector>

#include "ltad/align/weights.h"

namespace ltad {

/// Whether a file is by its name an index of weights in several files, as transformers writes it for large models:
/// model.safetensors.index.json, pytorch_model.bin.index.json.
[[nodiscard]] bool is_weights_index(const std::filesystem::path& path);

/// The files that an index names, each once and in order of their names. Throws Error naming the index and an entry
/// that is not the plain name of a file in the index's folder.
[[nodiscard]] std::vector<std::filesystem::path> shards_of(const std::filesystem::path& index);

/// All tensors of an index's files. Throws Error naming the index and a file that is missing, or a tensor that is not
/// in the file that the index names.
[[nodiscard]] Weights load_sharded_weights(const std::filesystem::path& index);

}  // namespace ltad
