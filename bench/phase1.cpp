// Phase 1: training steps of the feature VAE, and phase 2's synthetic features from it.
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/feature_vae.h"
#include "ltad/train/adamw.h"
#include "plain.h"
#include "work.h"

namespace ltad::bench {
namespace {

constexpr std::int64_t batch = 8;

struct Setting {
    EfficientNetConfig encoder;
    FeatureLayout layout;
    DecoderConfig decoder;
    std::int64_t text_dim = 0;
};

Setting setting(double width, double depth, const std::string& activation, const std::string& resolution) {
    Setting s;
    s.encoder.width_coefficient = width;
    s.encoder.depth_coefficient = depth;
    s.encoder.hidden_act = activation;
    s.decoder.resolution = resolution;
    const auto specs = block_specs(s.encoder);
    s.layout = {
        .taps = auto_taps(s.encoder), .channels = {}, .grid = 14, .latent = specs.back().out, .image_size = 224};
    for (const std::int64_t tap : s.layout.taps) s.layout.channels.push_back(specs[static_cast<std::size_t>(tap)].out);
    s.text_dim = s.layout.latent;
    return s;
}

struct Training {
    explicit Training(const Setting& s)
        : layout(s.layout), vae(s.decoder, s.encoder, s.layout, s.text_dim, parameters), weights(parameters.all()) {
        at::manual_seed(1);
        latents = at::randn({batch, layout.latent});
        texts = at::randn({batch, s.text_dim});
        noise = at::randn({batch, layout.latent});
        features = at::randn({batch, layout.total_channels(), layout.grid, layout.grid});
    }

    at::Tensor loss(const std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>& decode) const {
        const Posterior posterior = vae.encode(latents);
        return tap_loss(decode(posterior.sample(noise), texts), features, layout.channels) + 1e-3 * posterior.kl();
    }
    at::Tensor ours() const {
        return loss([&](const at::Tensor& z, const at::Tensor& t) { return vae.decoder().forward(z, t, true); });
    }
    at::Tensor plain(const Setting& s) const {
        return loss([&](const at::Tensor& z, const at::Tensor& t) {
            return plain_decode(s.encoder, layout, s.decoder.resolution, weights, z, t);
        });
    }

    FeatureLayout layout;
    Parameters parameters{0, at::kCPU};
    FeatureVae vae;
    Weights weights;
    at::Tensor latents, texts, noise, features;
};

/// The loss and the length of its gradient: single values move where rounding carries one across a kink of relu6.
at::Tensor loss_and_slope(const Setting& s, bool plain) {
    const Training t(s);
    const at::Tensor loss = plain ? t.plain(s) : t.ours();
    loss.backward();
    at::Tensor squares = at::zeros({}, at::kDouble);
    for (const auto& [name, parameter] : t.parameters.trained()) squares += parameter.grad().square().sum();
    return at::stack({loss.detach().to(at::kDouble), squares.sqrt()});
}

void compare(const std::string& name, const Setting& s) {
    const auto ours = [=] {
        const auto t = std::make_shared<Training>(s);
        const auto optimizer =
            std::make_shared<AdamW>(t->parameters, AdamWOptions{.learning_rate = 1e-4, .weight_decay = 1e-4});
        return [=] {
            t->ours().backward();
            optimizer->step();
        };
    };
    const auto plain = [=] {
        const auto t = std::make_shared<Training>(s);
        const auto optimizer = std::make_shared<PlainAdamW>(t->weights);
        return [=] {
            t->plain(s).backward();
            optimizer->step();
        };
    };
    add({.name = name + ", training step",
         .unit = "images",
         .items = batch,
         .variants = {{"plain", plain, [=] { return loss_and_slope(s, true); }},
                      {"ours", ours, [=] { return loss_and_slope(s, false); }, 1e-3}}});
    add({.name = name + ", synthetic features",
         .unit = "images",
         .items = batch,
         .variants = {{"ours",
                       [=] {
                           const auto t = std::make_shared<Training>(s);
                           return [=] {
                               const c10::NoGradGuard no_grad;
                               (void)t->vae.decoder().forward(t->latents, t->texts, false);
                           };
                       },
                       {}}}});
}

const Register phase1([] {
    compare("D of Lite0 (grid)", setting(1.0, 1.0, "relu6", "grid"));
    compare("D of B7 (grid)", setting(2.0, 3.1, "swish", "grid"));
});

}  // namespace
}  // namespace ltad::bench
