#include "modules.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace ltad::bench {
namespace {

Network network(double width, double depth, const std::string& activation) {
    Network n{.encoder = efficientnet(width, depth, activation), .layout = {}};
    const auto specs = block_specs(n.encoder);
    n.layout.taps = auto_taps(n.encoder);
    for (const std::int64_t tap : n.layout.taps) n.layout.channels.push_back(specs[static_cast<std::size_t>(tap)].out);
    n.layout.grid = 14;
    n.layout.latent = specs.back().out;
    n.layout.image_size = 224;
    return n;
}

at::Tensor random_tokens(const FeatureLayout& layout, std::uint64_t seed) {
    at::manual_seed(seed);
    return at::randn({batch_size, layout.grid * layout.grid, layout.total_channels()});
}

}  // namespace

EfficientNetConfig efficientnet(double width, double depth, const std::string& activation) {
    EfficientNetConfig config;
    config.width_coefficient = width;
    config.depth_coefficient = depth;
    config.hidden_act = activation;
    return config;
}

Network b7() { return network(2.0, 3.1, "swish"); }
Network lite0() { return network(1.0, 1.0, "relu6"); }

double decoder_flops(const Network& network, const std::string& resolution) {
    const auto specs = block_specs(network.encoder);
    const auto sizes = map_sizes(network.encoder, network.layout.image_size);
    const auto area = [&](std::size_t i) {
        const std::int64_t side = resolution == "grid" ? std::min(sizes[i], network.layout.grid) : sizes[i];
        return static_cast<double>(side * side);
    };
    const auto seed = static_cast<double>(DecoderConfig().seed_size * DecoderConfig().seed_size);
    double products = 2 * seed * static_cast<double>(network.layout.latent * specs.back().out);
    for (std::size_t i = specs.size() - 1; static_cast<std::int64_t>(i) > network.layout.taps.front(); --i) {
        const BlockSpec& spec = specs[i];  // run backwards: from `out` channels to `in`
        const auto from = static_cast<double>(spec.out), to = static_cast<double>(spec.in);
        const double middle = from * static_cast<double>(spec.expand_ratio);
        if (spec.expand_ratio != 1) products += area(i + 1) * from * middle;
        products += area(i) * middle * (static_cast<double>(spec.kernel * spec.kernel) + to);
        products += 2 * middle * static_cast<double>(spec.squeeze);
    }
    return 2 * products;
}

Generating::Generating(const Network& n, const std::string& resolution, std::int64_t batch)
    : network(n),
      config{.resolution = resolution, .norm_momentum = 1},
      parameters(0, at::kCPU),
      vae(config, network.encoder, network.layout, network.layout.latent, parameters),
      weights(parameters.all()) {
    const FeatureLayout& layout = network.layout;
    at::manual_seed(1);
    latents = at::randn({batch, layout.latent});
    texts = at::randn({batch, layout.latent});
    noise = at::randn({batch, layout.latent});
    features = at::randn({batch, layout.total_channels(), layout.grid, layout.grid});
}

at::Tensor Generating::plain(bool training) const {
    return plain_decode(network.encoder, network.layout, config, weights, latents, texts, training);
}

void Generating::settle() const {
    const c10::NoGradGuard no_grad;
    (void)ours(true);
}

at::Tensor Generating::loss(bool use_plain) const {
    const Posterior posterior = vae.encode(latents);
    const at::Tensor latent = posterior.sample(noise);
    const at::Tensor maps = use_plain
                                ? plain_decode(network.encoder, network.layout, config, weights, latent, texts, true)
                                : vae.decoder().forward(latent, texts, true);
    return tap_loss(maps, features, network.layout.channels) + 0.01 * posterior.kl();
}

double reconstruction_flops(const ReconstructionConfig& c, std::int64_t tokens, std::int64_t channels) {
    const auto dim = static_cast<double>(c.hidden_dim), inner = static_cast<double>(c.feedforward_dim),
               count = static_cast<double>(tokens);
    const double attention = 4 * dim * dim + 2 * count * dim, feed_forward = 2 * dim * inner;
    const double layers = static_cast<double>(c.encoder_layers) * (attention + feed_forward) +
                          static_cast<double>(c.decoder_layers) * (2 * attention + feed_forward);
    return 2 * count * (layers + 2 * dim * static_cast<double>(channels));
}

Rebuilding::Rebuilding(const std::string& precision)
    : layout(b7().layout),
      config{.precision = precision},
      parameters(0, at::kCPU),
      module(config, layout.total_channels(), layout.grid, parameters),
      weights(parameters.all()),
      mask(neighbor_mask(layout.grid, config.neighbor_size)),
      normal(random_tokens(layout, 1)),
      abnormal(normal + random_tokens(layout, 2)) {}

at::Tensor Rebuilding::plain(const at::Tensor& tokens, bool training) const {
    return plain_reconstruction(config, weights, tokens, mask, training);
}

Comparing::Comparing()
    : layout(b7().layout),
      text_dim(layout.latent),
      parameters(0, at::kCPU),
      head({}, layout.channels, text_dim, 12, parameters),
      weights(parameters.all()),
      labels(at::arange(batch_size, at::kLong)),
      normal(random_tokens(layout, 1)),
      abnormal(normal + random_tokens(layout, 2)) {
    normal_texts = at::randn({classes, text_dim});
    abnormal_texts = at::randn({classes, text_dim});
    head.set_texts(normal_texts, abnormal_texts);
}

at::Tensor Comparing::plain(const at::Tensor& tokens) const {
    return plain_semantic(layout.channels, weights, tokens, normal_texts.index_select(0, labels),
                          abnormal_texts.index_select(0, labels));
}

at::Tensor Comparing::loss(bool use_plain) const {
    return use_plain ? semantic_loss(plain(abnormal), plain(normal)) : semantic_loss(ours(abnormal), ours(normal));
}

double Comparing::flops() const {
    return 2.0 * static_cast<double>(layout.grid * layout.grid * layout.total_channels() * text_dim);
}

at::Tensor gradients(const Parameters& parameters) {
    std::vector<at::Tensor> all;
    for (const auto& [name, parameter] : parameters.trained()) all.push_back(parameter.grad().flatten());
    return at::cat(all);
}

}  // namespace ltad::bench
