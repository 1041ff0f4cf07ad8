#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/core/safetensors.h"

namespace ltad {

/// Tensors by their name in a checkpoint.
using Weights = std::map<std::string, at::Tensor>;
/// The shapes that an architecture expects, by name.
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// Reads all tensors of a safetensors file. They share the mapped file (no copy is made, and they must not be written
/// to). Throws Error naming file and tensor.
[[nodiscard]] Weights load_weights(const std::filesystem::path& path, Metadata* metadata = nullptr);

/// The same for any file of weights: safetensors, or what torch.save wrote (see torch_file.h), told by its name
/// (.pth, .pt, .bin) or its first bytes; or an index of several such files (*.index.json, as transformers writes it).
[[nodiscard]] Weights load_any_weights(const std::filesystem::path& path);

/// The files that load_any_weights reads: the file itself, and those that it names where it is an index.
[[nodiscard]] std::vector<std::filesystem::path> weights_files(const std::filesystem::path& path);

/// Writes CPU copies of the tensors, whole or not at all; equal content gives equal bytes.
void save_weights(const std::filesystem::path& path, const Weights& weights, const Metadata& metadata);

/// Compares what was found with what is expected. `position_ids` and `num_batches_tracked` may be there beside it.
/// Throws Error that names `where` and the missing, unexpected and misshapen tensors.
void check_weights(const Weights& found, const Shapes& expected, const std::string& where);

/// The tensors whose names start with `prefix`, without it.
[[nodiscard]] Weights with_prefix(const Weights& weights, const std::string& prefix);

/// "[2, 3]", for messages.
[[nodiscard]] std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace ltad
