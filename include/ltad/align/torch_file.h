#pragma once

#include <filesystem>

#include "ltad/align/weights.h"

namespace ltad {

/// Whether the file begins as one of torch.save: as a zip archive (PyTorch 1.6 and later) or with PyTorch's magic
/// number (before, and with _use_new_zipfile_serialization=False). Throws Error naming a file that cannot be read.
[[nodiscard]] bool is_torch_file(const std::filesystem::path& path);

/// Reads the tensors of a state dict that torch.save wrote (`.pt`, `.pth`, `pytorch_model.bin`; the formats are those
/// of torch/serialization.py): names → contiguous CPU tensors. A checkpoint that holds the state dict as its
/// "state_dict", "model" or "module" is unwrapped. Tensors share the mapped file where they can, as those of
/// load_weights do, and must not be written to.
///
/// Such files are Python pickles, programs that may do anything where Python loads them. Here nothing of a file is run:
/// what is not a tensor, a container or a plain value is refused by name. Sizes are checked against the file before
/// memory is taken for them, at most a fixed multiple of the file's.
///
/// Throws Error naming the file and the tensor: another format, damage, anything but tensors in the state dict, types
/// that safetensors lack, big-endian numbers.
[[nodiscard]] Weights load_torch_weights(const std::filesystem::path& path);

}  // namespace ltad
