#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "ltad/config/config.h"
#include "ltad/model/reconstruction.h"
#include "ltad/model/semantic_head.h"

namespace ltad {

/// The two parts of eq. 1's score for each token, [B, G²] each.
struct TokenScores {
    at::Tensor reconstruction;  ///< ‖Π(p) − p‖²
    at::Tensor semantic;        ///< S_sem, in [0, 1]
};

/// tokens: [B, G², C]; classes: [B] int64. No noise, no dropout, no gradient.
[[nodiscard]] TokenScores score_tokens(const Reconstruction& reconstruction, const SemanticHead& semantic,
                                       const at::Tensor& tokens, const at::Tensor& classes);

/// Token scores → anomaly maps: [B, G²] → [B, map_size, map_size], bilinear with corners aligned, as UniAD upsamples.
[[nodiscard]] at::Tensor anomaly_maps(const at::Tensor& scores, std::int64_t map_size);

/// Image scores of anomaly maps: average pooling of side `pooling`, stride 1, then the maximum. [B, S, S] → [B].
[[nodiscard]] at::Tensor image_scores(const at::Tensor& maps, std::int64_t pooling);

}  // namespace ltad
