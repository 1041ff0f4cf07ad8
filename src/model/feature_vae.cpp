#include "ltad/model/feature_vae.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ltad/kernels/train_loss.h"

namespace ltad {

at::Tensor Posterior::sample(const at::Tensor& noise) const {
    return log_variance.defined() ? mean + (0.5 * log_variance).exp() * noise : mean;
}

at::Tensor Posterior::kl() const {
    if (!log_variance.defined()) return at::zeros({}, mean.options());
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean();
}

namespace {

constexpr double start_variance = 0.1;  // of ẑ around μ; σ = 1, the prior's, would drown z until F_σ has learned better

/// F_μ and F_σ see z / √d_z: a step of Adam moves all d_z weights of an output together, by the learning rate each, and
/// with it log σ² by up to learning rate · Σ|z|. Unscaled, a large learning rate throws σ² out of all bounds.
double input_scale(std::int64_t size) { return 1 / std::sqrt(static_cast<double>(size)); }

/// The identity on such inputs.
Init init_identity(std::int64_t size) {
    return [size](std::span<float> out, Random&) {
        std::fill(out.begin(), out.end(), 0.0f);
        for (std::int64_t i = 0; i < size; ++i)
            out[static_cast<std::size_t>(i * (size + 1))] = static_cast<float>(1 / input_scale(size));
    };
}

Linear make_log_variance(Parameters& parameters, std::int64_t size) {
    const auto start = static_cast<float>(std::log(start_variance));
    return {parameters.add("log_variance.weight", {size, size}, init_constant(0)),
            parameters.add("log_variance.bias", {size}, init_constant(start))};
}

}  // namespace

FeatureVae::FeatureVae(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
                       std::int64_t text_dim, Parameters& parameters)
    : latent_mean_(parameters.add_buffer("latent.mean", {layout.latent}, init_constant(0))),
      latent_scale_(parameters.add_buffer("latent.scale", {layout.latent}, init_constant(1))),
      mean_(make_linear(parameters, "mean", layout.latent, layout.latent, init_identity(layout.latent))),
      log_variance_(text_dim > 0 ? make_log_variance(parameters, layout.latent) : Linear{}),
      decoder_(config, encoder, layout, text_dim, parameters) {}

void FeatureVae::start_at(const FeatureStatistics& statistics) {
    const c10::NoGradGuard no_grad;
    latent_mean_.copy_(statistics.latent_mean);
    // A dimension that never varies says nothing; dividing by its deviation would only blow up noise.
    const at::Tensor& deviation = statistics.latent_deviation;
    latent_scale_.copy_(at::where(deviation > 1e-6, 1 / deviation.clamp_min(1e-6), at::zeros_like(deviation)));
    decoder_.start_at(statistics.channel_mean, statistics.channel_deviation);
}

Posterior FeatureVae::encode(const at::Tensor& latent) const {
    const at::Tensor input = (latent - latent_mean_) * latent_scale_ * input_scale(latent.size(1));
    return {mean_(input), log_variance_.weight.defined() ? log_variance_(input) : at::Tensor()};
}

namespace {

/// tap_loss in one pass; the value does not depend on the number of threads.
class TapLossFunction : public torch::autograd::Function<TapLossFunction> {
public:
    /// weights: [C_tot], of each channel's sum of squares.
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& predicted,
                              const at::Tensor& real, const at::Tensor& weights) {
        const at::Tensor p = predicted.contiguous(at::MemoryFormat::ChannelsLast);
        const at::Tensor r = real.contiguous(at::MemoryFormat::ChannelsLast);
        context->save_for_backward({p, r, weights});
        const double sum = squared_error(p.const_data_ptr<float>(), r.const_data_ptr<float>(), p.numel() / p.size(1),
                                         p.size(1), weights.const_data_ptr<float>());
        return at::full({}, sum, p.options());
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& p = saved[0];
        at::Tensor d = at::empty_like(p);
        squared_error_gradient(p.const_data_ptr<float>(), saved[1].const_data_ptr<float>(), p.numel() / p.size(1),
                               p.size(1), saved[2].const_data_ptr<float>(), gradients[0].item<float>(),
                               d.mutable_data_ptr<float>());
        return {d, {}, {}};
    }
};

bool has_kernels(const at::Tensor& predicted, const at::Tensor& real) {
    const auto known = [](const at::Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; };
    return known(predicted) && known(real) && predicted.sizes() == real.sizes() && !real.requires_grad();
}

}  // namespace

at::Tensor tap_loss(const at::Tensor& predicted, const at::Tensor& real, const std::vector<std::int64_t>& channels) {
    const auto taps = static_cast<double>(channels.size());
    if (has_kernels(predicted, real) && predicted.numel() > 0) {
        std::vector<float> weights;
        for (const std::int64_t count : channels) {
            const auto values = static_cast<double>(predicted.numel() / predicted.size(1) * count);
            weights.insert(weights.end(), static_cast<std::size_t>(count), static_cast<float>(1 / (values * taps)));
        }
        return TapLossFunction::apply(predicted, real, at::tensor(weights));
    }
    at::Tensor sum;
    std::int64_t first = 0;
    for (const std::int64_t count : channels) {
        const at::Tensor error = at::mse_loss(predicted.narrow(1, first, count), real.narrow(1, first, count));
        sum = sum.defined() ? sum + error : error;
        first += count;
    }
    return sum / taps;
}

}  // namespace ltad
