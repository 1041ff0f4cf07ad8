#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/model/decoder.h"

namespace ltad {

/// The approximate posterior of an image embedding z.
struct Posterior {
    at::Tensor mean;          ///< μ, [B, d_z]
    at::Tensor log_variance;  ///< log σ², [B, d_z]; undefined for an autoencoder, which knows no spread

    /// ẑ = μ + σ ε; an autoencoder's is μ.
    [[nodiscard]] at::Tensor sample(const at::Tensor& noise) const;
    /// KL(N(μ, σ²) ‖ N(0, I)), averaged over latent dimensions and batch; a scalar, 0 for an autoencoder.
    [[nodiscard]] at::Tensor kl() const;
};

/// Means and deviations of the training features.
struct FeatureStatistics {
    at::Tensor channel_mean, channel_deviation;  ///< of each channel over all tokens, [C_tot]
    at::Tensor latent_mean, latent_deviation;    ///< of each dimension of z, [d_z]
};

/// The feature VAE of phase 1: F_μ, F_σ and D (eq. 6).
class FeatureVae {
public:
    /// text_dim: of t_c; 0 makes a plain autoencoder, D(μ) without text and noise (table 6.3).
    FeatureVae(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
               std::int64_t text_dim, Parameters& parameters);

    /// Takes the training features' scales: z is standardised from now on, and D's maps start at the mean and deviation
    /// of the real ones. From a blind start, thousands of steps of learning rate 1e-4 go into finding these.
    void start_at(const FeatureStatistics& statistics);

    /// F_μ and F_σ on the standardised z, divided by √d_z: [B, d_z].
    [[nodiscard]] Posterior encode(const at::Tensor& latent) const;
    [[nodiscard]] const Decoder& decoder() const { return decoder_; }

private:
    at::Tensor latent_mean_, latent_scale_;  // buffers
    Linear mean_;
    Linear log_variance_;  // undefined for an autoencoder
    Decoder decoder_;
};

/// The reconstruction term of eq. 6: mean over taps of the element-mean squared error; a scalar.
/// predicted, real: [B, C_tot, G, G]; channels: of each tap.
[[nodiscard]] at::Tensor tap_loss(const at::Tensor& predicted, const at::Tensor& real,
                                  const std::vector<std::int64_t>& channels);

}  // namespace ltad
