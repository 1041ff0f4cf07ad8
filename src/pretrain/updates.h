#pragma once

#include <filesystem>
#include <string>

#include "ltad/align/weights.h"
#include "ltad/core/json.h"

namespace ltad {

/// Names of the two factors of a weight's low-rank update (Hu et al., "LoRA", ICLR 2022): W + up · down.
inline const std::string down_suffix = ".down";
inline const std::string up_suffix = ".up";

/// What a contrastive training changes of a model: tensors under AlignModel's names that replace the model's own, and
/// pairs NAME.down [r, in], NAME.up [out, r] that are added to one. `sources` (metadata) says which files the model was
/// imported from, since updates mean nothing to other weights.
struct ModelUpdates {
    Weights tensors;
    json sources;
};

[[nodiscard]] ModelUpdates read_updates(const std::filesystem::path& file);
void write_updates(const std::filesystem::path& file, const ModelUpdates& updates, const Metadata& metadata);

/// `model` with the updates. Throws Error naming `where` and the tensor that does not fit.
[[nodiscard]] Weights apply_updates(const Weights& model, const Weights& updates, const std::string& where);

}  // namespace ltad
