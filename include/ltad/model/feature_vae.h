#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/model/decoder.h"

namespace ltad {

/// The approximate posterior of an image embedding z.
struct Posterior {
    at::Tensor mean;          ///< μ, [B, d_z]
    at::Tensor log_variance;  ///< log σ², [B, d_z]

    /// ẑ = μ + σ ε.
    [[nodiscard]] at::Tensor sample(const at::Tensor& noise) const;
    /// KL(N(μ, σ²) ‖ N(0, I)), averaged over latent dimensions and batch; a scalar.
    [[nodiscard]] at::Tensor kl() const;
};

/// The feature VAE of phase 1: F_μ, F_σ and D (eq. 6).
class FeatureVae {
public:
    FeatureVae(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
               std::int64_t text_dim, Parameters& parameters);

    [[nodiscard]] Posterior encode(const at::Tensor& latent) const;
    [[nodiscard]] const Decoder& decoder() const { return decoder_; }
    [[nodiscard]] Decoder& decoder() { return decoder_; }

private:
    Linear mean_;
    Linear log_variance_;
    Decoder decoder_;
};

/// The reconstruction term of eq. 6: mean over taps of the element-mean squared error; a scalar.
/// predicted, real: [B, C_tot, G, G]; channels: of each tap.
[[nodiscard]] at::Tensor tap_loss(const at::Tensor& predicted, const at::Tensor& real,
                                  const std::vector<std::int64_t>& channels);

}  // namespace ltad
