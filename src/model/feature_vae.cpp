#include "ltad/model/feature_vae.h"

#include <ATen/ATen.h>

namespace ltad {

at::Tensor Posterior::sample(const at::Tensor& noise) const { return mean + (0.5 * log_variance).exp() * noise; }

at::Tensor Posterior::kl() const { return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(); }

// F_σ starts at σ = 1, the prior's: a random start would draw deviations of any size from an embedding of unknown scale.
FeatureVae::FeatureVae(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
                       std::int64_t text_dim, Parameters& parameters)
    : mean_(make_linear(parameters, "mean", layout.latent, layout.latent, init_xavier_uniform(layout.latent, layout.latent))),
      log_variance_(make_linear(parameters, "log_variance", layout.latent, layout.latent, init_constant(0))),
      decoder_(config, encoder, layout, text_dim, parameters) {}

Posterior FeatureVae::encode(const at::Tensor& latent) const { return {mean_(latent), log_variance_(latent)}; }

at::Tensor tap_loss(const at::Tensor& predicted, const at::Tensor& real, const std::vector<std::int64_t>& channels) {
    at::Tensor sum;
    std::int64_t first = 0;
    for (const std::int64_t count : channels) {
        const at::Tensor error =
            at::mse_loss(predicted.narrow(1, first, count), real.narrow(1, first, count));
        sum = sum.defined() ? sum + error : error;
        first += count;
    }
    return sum / static_cast<double>(channels.size());
}

}  // namespace ltad
