#pragma once

#include <filesystem>

#include "ltad/align/weights.h"
#include "ltad/core/json.h"

namespace ltad {

/// One half of an ALIGN model, taken from weights that were published alone.
struct Tower {
    json config;         ///< vision_config or text_config of the model directory to be
    Weights weights;     ///< as AlignVisionModel or AlignTextModel names them
    json preprocessing;  ///< image tower: the preprocessor_config.json
};

/// Image weights: EfficientNet-Lite's, whose network follows from the shapes, or a file of transformers'
/// EfficientNetModel or AlignModel with its config.json and preprocessor_config.json beside it.
/// Throws Error naming the file and what does not fit.
[[nodiscard]] Tower read_image_tower(const std::filesystem::path& file);

/// The text encoder of a folder that holds a BertModel's or an AlignModel's config.json and weights. Weights without
/// BERT's pooler get one of zeros, since ALIGN does not use it. Throws Error naming the file and what does not fit.
[[nodiscard]] Tower read_text_tower(const std::filesystem::path& folder);

}  // namespace ltad
