#include "ltad/align/feature_layout.h"

#include <numeric>

#include "ltad/core/error.h"

namespace ltad {

std::int64_t FeatureLayout::total_channels() const {
    return std::accumulate(channels.begin(), channels.end(), std::int64_t{0});
}

FeatureLayout feature_layout(const Config& config, const AlignModel& encoder) {
    const auto blocks = block_specs(encoder.config().vision);
    FeatureLayout layout;
    layout.taps = config.encoder.taps.empty() ? auto_taps(encoder.config().vision) : config.encoder.taps;
    for (const auto tap : layout.taps) {
        if (tap >= static_cast<std::int64_t>(blocks.size()))
            throw UsageError(text("encoder.taps: block ", tap, " does not exist; ", encoder.directory().string(),
                                  " has blocks 0 to ", blocks.size() - 1, " (\"auto\" chooses for any encoder)"));
        layout.channels.push_back(blocks[static_cast<std::size_t>(tap)].out);
    }
    layout.grid = config.grid();
    layout.latent = encoder.image().embedding_dim();
    layout.image_size = config.dataset.image_size;
    layout.bits = config.dataset.bits == 16 ? 0 : config.dataset.bits;  // two ways to say the same
    return layout;
}

}  // namespace ltad
