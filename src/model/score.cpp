#include "ltad/model/score.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace ltad {

at::Tensor reconstruction_scores(const Reconstruction& reconstruction, const at::Tensor& tokens) {
    const c10::NoGradGuard no_grad;
    return (reconstruction.forward(tokens, false) - tokens).square().sum(2);
}

at::Tensor semantic_scores(const SemanticHead& semantic, const at::Tensor& tokens, const at::Tensor& classes) {
    const c10::NoGradGuard no_grad;
    return semantic.logits(tokens, classes).sigmoid();
}

TokenScores score_tokens(const Reconstruction& reconstruction, const SemanticHead& semantic, const at::Tensor& tokens,
                         const at::Tensor& classes) {
    return {reconstruction_scores(reconstruction, tokens), semantic_scores(semantic, tokens, classes)};
}

at::Tensor anomaly_maps(const at::Tensor& scores, std::int64_t map_size, TokenPlaces places) {
    const auto grid = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(scores.size(1)))));
    const at::Tensor maps = scores.view({scores.size(0), 1, grid, grid});
    return at::upsample_bilinear2d(maps, {map_size, map_size}, places == TokenPlaces::to_the_corners).squeeze(1);
}

at::Tensor smooth_maps(const at::Tensor& maps, double deviation) {
    if (deviation <= 0) return maps;
    const std::int64_t size = maps.size(1), radius = std::lround(4 * deviation);
    const at::Tensor x = at::arange(-radius, radius + 1, maps.options()) / deviation;
    const at::Tensor kernel = (-0.5 * x.square()).exp();
    const at::Tensor weights = kernel / kernel.sum();
    // …, 2, 1, 0 | 0, 1, …, size − 1 | size − 1, …: mirrored as often as the radius asks.
    const at::Tensor place = at::arange(-radius, size + radius, maps.options().dtype(at::kLong)).remainder(2 * size);
    const at::Tensor mirrored = at::minimum(place, 2 * size - 1 - place);
    const at::Tensor padded = maps.unsqueeze(1).index_select(2, mirrored).index_select(3, mirrored);
    const at::Tensor rows = at::conv2d(padded, weights.view({1, 1, 1, -1}));
    return at::conv2d(rows, weights.view({1, 1, -1, 1})).squeeze(1);
}

at::Tensor image_scores(const at::Tensor& maps, std::int64_t pooling) {
    // Rows, then columns: 2 · pooling additions for each value rather than pooling².
    const at::Tensor rows = at::avg_pool2d(maps.unsqueeze(1), {1, pooling}, {1, 1});
    const at::Tensor pooled = at::avg_pool2d(rows, {pooling, 1}, {1, 1});
    return pooled.flatten(1).amax(1);
}

}  // namespace ltad
