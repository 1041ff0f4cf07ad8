#pragma once

#include <ATen/core/Tensor.h>

#include "ltad/config/config.h"

namespace ltad {

/// Pseudo-anomalies p^a from normal tokens p^n (UniAD's feature jitter).
/// tokens, noise: [B, N, C]; noise standard normal. `channel_deviation`: [C], of the training tokens; used by
/// phase2.jitter_scale "channel" only.
///   "token":    p^a = p^n + ε · ‖p^n‖₂ / C · α
///   "channel":  p^a = p^n + ε · σ_channel · α / √C, the same strength for tokens whose channels have deviation 1
[[nodiscard]] at::Tensor jitter(const Phase2Config& config, const at::Tensor& tokens, const at::Tensor& noise,
                                const at::Tensor& channel_deviation);

/// [B, C, G, G] → [B, G², C].
[[nodiscard]] at::Tensor to_tokens(const at::Tensor& maps);

}  // namespace ltad
