#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/efficientnet.h"
#include "ltad/align/feature_layout.h"
#include "ltad/align/weights.h"
#include "ltad/config/config.h"

namespace ltad::bench {

// The same arithmetic in LibTorch's operators, as people write it.

/// EfficientNet as transformers runs it: convolutions, batch norms and activations one after the other. pixels
/// [N, 3, H, W] → the last block's map. With relu6 it is EfficientNet-Lite, which has no gates. The layout of pixels
/// and weights (contiguous or channels last) is the caller's.
[[nodiscard]] at::Tensor plain_encode(const EfficientNetConfig& config, const Weights& weights,
                                      const at::Tensor& pixels);

/// UniAD's transformer with the official parameter names, written as PyTorch's MultiheadAttention does it: projections
/// one by one, the learned query repeated for every picture, masks and dropout as operators. tokens [B, N, C].
[[nodiscard]] at::Tensor plain_reconstruction(const ReconstructionConfig& config, const Weights& weights,
                                              const at::Tensor& tokens, const at::Tensor& mask, bool training);

/// Φ: one projection after the other, stacked, their maximum compared with both texts; the logit of the softmax over
/// the two. tokens [B, N, C]; texts of each picture's class [B, d], not normalised. Returns [B, N].
[[nodiscard]] at::Tensor plain_semantic(const std::vector<std::int64_t>& channels, const Weights& weights,
                                        const at::Tensor& tokens, const at::Tensor& normal_texts,
                                        const at::Tensor& abnormal_texts);

/// The decoder D, block by block on contiguous maps, with the parameters of ltad's Decoder (batch norm). In training,
/// norms take the batch's statistics and update the running ones. Returns [B, C_tot, G, G].
[[nodiscard]] at::Tensor plain_decode(const EfficientNetConfig& encoder, const FeatureLayout& layout,
                                      const DecoderConfig& config, const Weights& weights, const at::Tensor& latent,
                                      const at::Tensor& text, bool training);

/// While it lives, operators run in bfloat16 where PyTorch's autocast has them do so.
class Autocast {
public:
    Autocast();
    ~Autocast();
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;
};

/// AdamW tensor by tensor, as PyTorch's default does on the CPU.
class PlainAdamW {
public:
    explicit PlainAdamW(const Weights& parameters);
    /// Uses and drops the gradients.
    void step();

private:
    struct State {
        at::Tensor parameter, average, square;
    };
    std::vector<State> states_;
    std::int64_t steps_ = 0;
};

}  // namespace ltad::bench
