#include "ltad/model/score.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace ltad {

TokenScores score_tokens(const Reconstruction& reconstruction, const SemanticHead& semantic, const at::Tensor& tokens,
                         const at::Tensor& classes) {
    const c10::NoGradGuard no_grad;
    return {(reconstruction.forward(tokens, false) - tokens).square().sum(2),
            semantic.logits(tokens, classes).sigmoid()};
}

at::Tensor anomaly_maps(const at::Tensor& scores, std::int64_t map_size) {
    const auto grid = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(scores.size(1)))));
    const at::Tensor maps = scores.view({scores.size(0), 1, grid, grid});
    return at::upsample_bilinear2d(maps, {map_size, map_size}, true).squeeze(1);
}

at::Tensor image_scores(const at::Tensor& maps, std::int64_t pooling) {
    // Rows, then columns: 2 · pooling additions for each value rather than pooling².
    const at::Tensor rows = at::avg_pool2d(maps.unsqueeze(1), {1, pooling}, {1, 1});
    const at::Tensor pooled = at::avg_pool2d(rows, {pooling, 1}, {1, 1});
    return pooled.flatten(1).amax(1);
}

}  // namespace ltad
