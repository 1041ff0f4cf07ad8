#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "ltad/core/json.h"

namespace ltad {

/// Grey levels → encoder input, per channel: x · scale + offset.
struct Preprocessing {
    std::array<double, 3> scale{};
    std::array<double, 3> offset{};

    bool operator==(const Preprocessing&) const = default;
};

/// What an image processor's settings say: do_rescale, rescale_factor, rescale_offset (then −1), do_normalize,
/// image_mean, image_std, include_top (then divided by image_std once more). A key that is missing or null has the
/// default of transformers' EfficientNetImageProcessor, which is ALIGN's; where the settings are another class's, the
/// keys that matter must be there. Size and crop are not used. Throws Error naming `where` (the file) and the key.
[[nodiscard]] Preprocessing parse_preprocessing(const json& document, const std::string& where);

/// The settings of a model directory's image processor: its preprocessor_config.json, or the "image_processor" of its
/// processor_config.json, as transformers 5 writes it. Throws Error naming the files when there is neither, and when
/// there are both and they say different things.
[[nodiscard]] json read_preprocessing_document(const std::filesystem::path& directory);

/// The two in one.
[[nodiscard]] Preprocessing read_preprocessing(const std::filesystem::path& directory);

}  // namespace ltad
