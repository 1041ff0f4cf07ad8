#include "plain.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"

namespace ltad::bench {
namespace {

at::Tensor norm(const Weights& w, const std::string& name, const at::Tensor& x) {
    return at::batch_norm(x, w.at(name + ".weight"), w.at(name + ".bias"), w.at(name + ".running_mean"),
                          w.at(name + ".running_var"), false, 0.1, 1e-3, false);
}

/// Zero padding of "same" convolutions, one pixel less above and left where they stride.
at::Tensor pad(const at::Tensor& x, std::int64_t kernel, std::int64_t stride) {
    if (stride == 1) return x;
    return at::constant_pad_nd(x, {kernel / 2 - 1, kernel / 2, kernel / 2 - 1, kernel / 2});
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride, std::int64_t groups) {
    const std::int64_t around = stride == 1 ? weight.size(2) / 2 : 0;
    return at::conv2d(pad(x, weight.size(2), stride), weight, {}, stride, around, 1, groups);
}

at::Tensor gate(const Weights& w, const std::string& name, const at::Tensor& x) {
    at::Tensor squeezed = at::adaptive_avg_pool2d(x, {1, 1});
    squeezed = at::silu(at::conv2d(squeezed, w.at(name + "reduce.weight"), w.at(name + "reduce.bias")));
    return at::conv2d(squeezed, w.at(name + "expand.weight"), w.at(name + "expand.bias")).sigmoid();
}

class PlainTransformer {
public:
    PlainTransformer(const Weights& weights, const at::Tensor& mask, std::int64_t heads, double dropout, bool training)
        : w_(weights), mask_(mask), heads_(heads), dropout_(dropout), training_(training) {}

    /// [N, B, D] each.
    at::Tensor attend(const std::string& name, const at::Tensor& query, const at::Tensor& key,
                      const at::Tensor& value) const {
        const auto weights = w_.at(name + ".in_proj_weight").chunk(3);
        const auto biases = w_.at(name + ".in_proj_bias").chunk(3);
        const std::int64_t tokens = query.size(0), batch = query.size(1), dim = query.size(2);
        const auto project = [&](const at::Tensor& x, std::size_t part) {  // → [B · heads, N, D / heads]
            return at::linear(x, weights[part], biases[part])
                .contiguous()
                .view({tokens, batch * heads_, dim / heads_})
                .transpose(0, 1);
        };
        const at::Tensor q = project(query, 0) / std::sqrt(static_cast<double>(dim / heads_));
        at::Tensor scores = at::baddbmm(mask_, q, project(key, 1).transpose(1, 2));
        scores = at::dropout(scores.softmax(-1), dropout_, training_);
        const at::Tensor mixed = at::bmm(scores, project(value, 2));
        return at::linear(mixed.transpose(0, 1).contiguous().view({tokens, batch, dim}),
                          w_.at(name + ".out_proj.weight"), w_.at(name + ".out_proj.bias"));
    }

    at::Tensor add_norm(const std::string& name, const at::Tensor& x, const at::Tensor& change) const {
        return layer_norm(name, x + at::dropout(change, dropout_, training_));
    }

    at::Tensor layer_norm(const std::string& name, const at::Tensor& x) const {
        return at::layer_norm(x, {x.size(2)}, w_.at(name + ".weight"), w_.at(name + ".bias"));
    }

    at::Tensor feed_forward(const std::string& name, const at::Tensor& x) const {
        const at::Tensor inner = at::relu(at::linear(x, w_.at(name + "linear1.weight"), w_.at(name + "linear1.bias")));
        return at::linear(at::dropout(inner, dropout_, training_), w_.at(name + "linear2.weight"),
                          w_.at(name + "linear2.bias"));
    }

private:
    const Weights& w_;
    const at::Tensor& mask_;
    std::int64_t heads_;
    double dropout_;
    bool training_;
};

at::Tensor positions(const Weights& w) {
    const at::Tensor rows = w.at("pos_embed.row_embed.weight"), columns = w.at("pos_embed.col_embed.weight");
    const std::int64_t grid = rows.size(0), half = rows.size(1);
    return at::cat({columns.unsqueeze(0).expand({grid, grid, half}), rows.unsqueeze(1).expand({grid, grid, half})}, 2)
        .flatten(0, 1);
}

}  // namespace

at::Tensor plain_encode(const EfficientNetConfig& config, const Weights& w, const at::Tensor& pixels) {
    const bool lite = config.hidden_act == "relu6";
    const auto act = [&](const at::Tensor& x) { return lite ? at::hardtanh(x, 0, 6) : at::silu(x); };
    at::Tensor x = convolve(pixels, w.at("embeddings.convolution.weight"), 2, 1);
    x = act(norm(w, "embeddings.batchnorm", x));
    std::size_t index = 0;
    for (const BlockSpec& spec : block_specs(config)) {
        const std::string name = text("encoder.blocks.", index++, ".");
        const at::Tensor input = x;
        if (spec.expand_ratio != 1)
            x = act(norm(w, name + "expansion.expand_bn", at::conv2d(x, w.at(name + "expansion.expand_conv.weight"))));
        x = convolve(x, w.at(name + "depthwise_conv.depthwise_conv.weight"), spec.stride, spec.expanded());
        x = act(norm(w, name + "depthwise_conv.depthwise_norm", x));
        if (!lite) x = x * gate(w, name + "squeeze_excite.", x);
        x = norm(w, name + "projection.project_bn", at::conv2d(x, w.at(name + "projection.project_conv.weight")));
        if (spec.residual) x = x + input;
    }
    return x;
}

at::Tensor plain_reconstruction(const ReconstructionConfig& config, const Weights& w, const at::Tensor& tokens,
                                const at::Tensor& mask, bool training) {
    const PlainTransformer t(w, mask, config.heads, config.dropout, training);
    const std::int64_t batch = tokens.size(0);
    const at::Tensor x = tokens.transpose(0, 1).contiguous();  // [N, B, C]
    const at::Tensor position = positions(w).unsqueeze(1).repeat({1, batch, 1});
    at::Tensor memory = at::linear(x, w.at("input_proj.weight"), w.at("input_proj.bias"));
    for (std::int64_t i = 0; i < config.encoder_layers; ++i) {
        const std::string name = text("transformer.encoder.layers.", i, ".");
        const at::Tensor placed = memory + position;
        memory = t.add_norm(name + "norm1", memory, t.attend(name + "self_attn", placed, placed, memory));
        memory = t.add_norm(name + "norm2", memory, t.feed_forward(name, memory));
    }
    at::Tensor out = memory;
    for (std::int64_t i = 0; i < config.decoder_layers; ++i) {
        const std::string name = text("transformer.decoder.layers.", i, ".");
        const at::Tensor query = w.at(name + "learned_embed.weight").unsqueeze(1).repeat({1, batch, 1});
        at::Tensor y = t.attend(name + "self_attn", query + position, memory + position, memory);
        y = t.add_norm(name + "norm1", query, y);
        y = t.add_norm(name + "norm2", y, t.attend(name + "multihead_attn", y + position, out + position, out));
        out = t.add_norm(name + "norm3", y, t.feed_forward(name, y));
    }
    out = t.layer_norm("transformer.decoder.norm", out);
    return at::linear(out, w.at("output_proj.weight"), w.at("output_proj.bias")).transpose(0, 1);
}

at::Tensor plain_semantic(const std::vector<std::int64_t>& channels, const Weights& w, const at::Tensor& tokens,
                          const at::Tensor& normal_texts, const at::Tensor& abnormal_texts) {
    std::vector<at::Tensor> layers;
    std::int64_t first = 0;
    for (std::size_t l = 0; l < channels.size(); ++l) {
        const std::string name = text("projections.", l);
        layers.push_back(
            at::linear(tokens.narrow(2, first, channels[l]), w.at(name + ".weight"), w.at(name + ".bias")));
        first += channels[l];
    }
    const at::Tensor projected = at::stack(layers).amax(0);
    const auto likeness = [&](const at::Tensor& texts) {
        return at::bmm(projected, (texts / texts.norm(2, {1}, true)).unsqueeze(2)).squeeze(2);
    };
    return likeness(abnormal_texts) - likeness(normal_texts);
}

at::Tensor plain_decode(const EfficientNetConfig& encoder, const FeatureLayout& layout, const DecoderConfig& config,
                        const Weights& w, const at::Tensor& latent, const at::Tensor& text_embedding, bool training) {
    const auto act = [&](const at::Tensor& x) {
        return encoder.hidden_act == "relu6" ? at::hardtanh(x, 0, 6) : at::silu(x);
    };
    const auto unit = [&](const std::string& name, const at::Tensor& x, std::int64_t groups) {
        const at::Tensor weight = w.at(name + ".weight");
        const at::Tensor y = at::conv2d(x, weight, {}, 1, weight.size(2) / 2, 1, groups);
        return at::batch_norm(y, w.at(name + ".norm.weight"), w.at(name + ".norm.bias"),
                              w.at(name + ".norm.running_mean"), w.at(name + ".norm.running_var"), training,
                              config.norm_momentum, encoder.batch_norm_eps, false);
    };
    const auto specs = block_specs(encoder);
    const auto sizes = map_sizes(encoder, layout.image_size);
    const auto limit = [&](std::int64_t size) {
        return config.resolution == "grid" ? std::min(size, layout.grid) : size;
    };
    const auto to_grid = [&](const at::Tensor& x) {
        return x.size(2) == layout.grid ? x : at::upsample_bilinear2d(x, {layout.grid, layout.grid}, true);
    };
    at::Tensor x =
        at::linear(at::cat({latent, text_embedding}, 1), w.at("decoder.seed.weight"), w.at("decoder.seed.bias"));
    const auto seed = static_cast<std::int64_t>(
        std::lround(std::sqrt(static_cast<double>(x.size(1)) / static_cast<double>(specs.back().out))));
    x = x.view({latent.size(0), specs.back().out, seed, seed});
    if (limit(sizes.back()) != seed) x = at::upsample_nearest2d(x, {limit(sizes.back()), limit(sizes.back())});
    std::vector<at::Tensor> maps(layout.taps.size());
    for (auto i = static_cast<std::int64_t>(specs.size()) - 1; i > layout.taps.front(); --i) {
        const BlockSpec& spec = specs[static_cast<std::size_t>(i)];
        const std::string name = text("decoder.blocks.", i, ".");
        const std::int64_t size = limit(sizes[static_cast<std::size_t>(i)]);
        at::Tensor y = spec.expand_ratio != 1 ? act(unit(name + "expand", x, 1)) : x;
        if (y.size(2) != size) y = at::upsample_nearest2d(y, {size, size});
        y = act(unit(name + "depthwise", y, y.size(1)));
        at::Tensor squeezed = at::adaptive_avg_pool2d(y, {1, 1});
        squeezed = act(at::conv2d(squeezed, w.at(name + "reduce.weight"), w.at(name + "reduce.bias")));
        y = y * at::conv2d(squeezed, w.at(name + "excite.weight"), w.at(name + "excite.bias")).sigmoid();
        y = unit(name + "project", y, 1);
        x = spec.residual ? y + x : y;
        const auto tap = std::find(layout.taps.begin(), layout.taps.end(), i - 1);
        if (tap != layout.taps.end()) maps[static_cast<std::size_t>(tap - layout.taps.begin())] = to_grid(x);
    }
    return at::cat(maps, 1);
}

Autocast::Autocast() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
}

Autocast::~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
}

PlainAdamW::PlainAdamW(const Weights& parameters) {
    for (const auto& [name, parameter] : parameters)
        if (parameter.requires_grad())
            states_.push_back({parameter, at::zeros_like(parameter), at::zeros_like(parameter)});
}

void PlainAdamW::step() {
    constexpr double rate = 1e-4, decay = 1e-4, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    const c10::NoGradGuard no_grad;
    ++steps_;
    const double correction1 = 1 - std::pow(beta1, steps_), correction2 = 1 - std::pow(beta2, steps_);
    for (State& s : states_) {
        at::Tensor& gradient = s.parameter.mutable_grad();
        if (!gradient.defined()) continue;
        s.parameter.mul_(1 - rate * decay);
        s.average.lerp_(gradient, 1 - beta1);
        s.square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
        const at::Tensor divisor = (s.square.sqrt() / std::sqrt(correction2)).add_(eps);
        s.parameter.addcdiv_(s.average, divisor, -rate / correction1);
        gradient.reset();
    }
}

}  // namespace ltad::bench
