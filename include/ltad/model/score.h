#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "ltad/config/config.h"
#include "ltad/model/reconstruction.h"
#include "ltad/model/semantic_head.h"

namespace ltad {

/// ‖Π(p) − p‖² of each token: [B, G², C] → [B, G²]. No noise, no dropout, no gradient.
[[nodiscard]] at::Tensor reconstruction_scores(const Reconstruction& reconstruction, const at::Tensor& tokens);

/// S_sem of each token, in [0, 1]; classes: [B] int64. No gradient.
[[nodiscard]] at::Tensor semantic_scores(const SemanticHead& semantic, const at::Tensor& tokens,
                                         const at::Tensor& classes);

/// The two parts of eq. 1's score for each token, [B, G²] each.
struct TokenScores {
    at::Tensor reconstruction;
    at::Tensor semantic;
};

[[nodiscard]] TokenScores score_tokens(const Reconstruction& reconstruction, const SemanticHead& semantic,
                                       const at::Tensor& tokens, const at::Tensor& classes);

/// Where the tokens lie in an anomaly map: the outer ones in its corners, as UniAD upsamples, or each in the middle of
/// its own square, as PatchCore does.
enum class TokenPlaces { to_the_corners, middles };

/// Token scores → anomaly maps: [B, G²] → [B, map_size, map_size], bilinear.
[[nodiscard]] at::Tensor anomaly_maps(const at::Tensor& scores, std::int64_t map_size,
                                      TokenPlaces places = TokenPlaces::to_the_corners);

/// Gaussian smoothing of anomaly maps, [B, S, S], as scipy.ndimage.gaussian_filter does: cut off at 4 deviations, the
/// map mirrored at its edges. `deviation` in pixels; 0 changes nothing.
[[nodiscard]] at::Tensor smooth_maps(const at::Tensor& maps, double deviation);

/// Image scores of anomaly maps: average pooling of side `pooling`, stride 1, then the maximum. [B, S, S] → [B].
[[nodiscard]] at::Tensor image_scores(const at::Tensor& maps, std::int64_t pooling);

}  // namespace ltad
