#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ltad/core/image.h"

namespace ltad {

/// The classes that can be generated, in order.
[[nodiscard]] std::vector<std::string> synth_class_names();

/// A generated picture; the mask is all 0 for a good one.
struct SynthPicture {
    Image image;
    Mask mask;
};

/// Which picture: a pure function of these.
struct SynthKey {
    std::size_t class_index = 0;
    std::int64_t seed = 0;
    std::string_view part;  ///< "train", "test"
    std::int64_t index = 0;
    int size = 256;  ///< side in pixels
};

[[nodiscard]] SynthPicture draw_good(const SynthKey& key);

/// The kinds of defect of a class: crack, pit, scratch, stain, and its own fault.
[[nodiscard]] std::vector<std::string> synth_defect_kinds(std::size_t class_index);

/// The mask marks exactly the pixels that the defect changed visibly, from the same specimen drawn without it. Sizes
/// and contrasts are drawn from easy to hard; never so that nothing can be seen.
[[nodiscard]] SynthPicture draw_defective(const SynthKey& key, std::string_view kind);

}  // namespace ltad
