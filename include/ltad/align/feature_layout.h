#pragma once

#include <cstdint>
#include <vector>

#include "ltad/align/align_model.h"
#include "ltad/config/config.h"

namespace ltad {

/// Which blocks of the image encoder are tapped, and what their concatenation looks like.
struct FeatureLayout {
    std::vector<std::int64_t> taps;      ///< block indices
    std::vector<std::int64_t> channels;  ///< one per tap; their sum is C_tot
    std::int64_t grid = 0;               ///< G
    std::int64_t latent = 0;             ///< d_z
    std::int64_t image_size = 0;
    std::int64_t bits = 0;  ///< of the samples of 16-bit pictures (DatasetConfig::bits); 0: all 16

    [[nodiscard]] std::int64_t total_channels() const;
};

/// The layout that config and encoder give. Throws UsageError for a tap that the encoder does not have.
[[nodiscard]] FeatureLayout feature_layout(const Config& config, const AlignModel& encoder);

}  // namespace ltad
