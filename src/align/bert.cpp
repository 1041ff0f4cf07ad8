#include "ltad/align/bert.h"

#include <cmath>

#include <ATen/ATen.h>

#include "ltad/core/error.h"
#include "read_key.h"

namespace ltad {
BertConfig parse_bert_config(const json& config, const std::string& where) {
    BertConfig c;
    read_key(config, "vocab_size", c.vocab_size, where);
    read_key(config, "hidden_size", c.hidden_size, where);
    read_key(config, "num_hidden_layers", c.num_hidden_layers, where);
    read_key(config, "num_attention_heads", c.num_attention_heads, where);
    read_key(config, "intermediate_size", c.intermediate_size, where);
    read_key(config, "hidden_act", c.hidden_act, where);
    (void)parse_activation(c.hidden_act, where);
    read_key(config, "max_position_embeddings", c.max_position_embeddings, where);
    read_key(config, "type_vocab_size", c.type_vocab_size, where);
    read_key(config, "layer_norm_eps", c.layer_norm_eps, where);
    for (const auto size : {c.vocab_size, c.hidden_size, c.num_attention_heads, c.intermediate_size,
                            c.max_position_embeddings, c.type_vocab_size})
        if (size < 1 || size > 10'000'000) fail(where, ": a size is outside 1 to 10000000");
    if (c.num_hidden_layers < 1 || c.num_hidden_layers > 1000) fail(where, ": num_hidden_layers: outside 1 to 1000");
    if (c.hidden_size % c.num_attention_heads != 0)
        fail(where, ": hidden_size ", c.hidden_size, " is not divisible by num_attention_heads ",
             c.num_attention_heads);
    if (config.contains("position_embedding_type") && config["position_embedding_type"] != "absolute")
        fail(where, ": position_embedding_type: only \"absolute\" is supported");
    return c;
}

Shapes bert_shapes(const BertConfig& c) {
    const std::int64_t h = c.hidden_size;
    Shapes shapes;
    const auto affine = [&](const std::string& name, std::int64_t out, std::int64_t in) {
        shapes[name + ".weight"] = {out, in};
        shapes[name + ".bias"] = {out};
    };
    const auto norm = [&](const std::string& name) { shapes[name + ".weight"] = shapes[name + ".bias"] = {h}; };
    shapes["embeddings.word_embeddings.weight"] = {c.vocab_size, h};
    shapes["embeddings.position_embeddings.weight"] = {c.max_position_embeddings, h};
    shapes["embeddings.token_type_embeddings.weight"] = {c.type_vocab_size, h};
    norm("embeddings.LayerNorm");
    for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) {
        const std::string layer = text("encoder.layer.", i, ".");
        for (const char* part : {"query", "key", "value"}) affine(layer + "attention.self." + part, h, h);
        affine(layer + "attention.output.dense", h, h);
        norm(layer + "attention.output.LayerNorm");
        affine(layer + "intermediate.dense", c.intermediate_size, h);
        affine(layer + "output.dense", h, c.intermediate_size);
        norm(layer + "output.LayerNorm");
    }
    affine("pooler.dense", h, h);  // in every checkpoint, though ALIGN's text features do not pass through it
    return shapes;
}

TextEncoder::TextEncoder(const BertConfig& config, const Weights& weights, at::Tensor projection_weight,
                         at::Tensor projection_bias, at::Device device, at::ScalarType dtype)
    : config_(config), activation_(parse_activation(config.hidden_act, "text_config")) {
    const auto get = [&](const std::string& name) { return weights.at(name).to(device, dtype); };
    const auto affine = [&](const std::string& name) { return Affine{get(name + ".weight"), get(name + ".bias")}; };
    words_ = get("embeddings.word_embeddings.weight");
    positions_ = get("embeddings.position_embeddings.weight");
    token_type_ = get("embeddings.token_type_embeddings.weight")[0];
    embedding_norm_ = affine("embeddings.LayerNorm");
    for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
        const std::string name = text("encoder.layer.", i, ".");
        layers_.push_back({affine(name + "attention.self.query"), affine(name + "attention.self.key"),
                           affine(name + "attention.self.value"), affine(name + "attention.output.dense"),
                           affine(name + "attention.output.LayerNorm"), affine(name + "intermediate.dense"),
                           affine(name + "output.dense"), affine(name + "output.LayerNorm")});
    }
    projection_ = {projection_weight.to(device, dtype), projection_bias.to(device, dtype)};
}

at::Tensor TextEncoder::word_embeddings(const at::Tensor& ids) const {
    return at::embedding(words_, ids.to(words_.device()));
}

at::Tensor TextEncoder::normalize(const at::Tensor& x, const Affine& norm) const {
    return at::layer_norm(x, {config_.hidden_size}, norm.weight, norm.bias, config_.layer_norm_eps);
}

at::Tensor TextEncoder::run_layer(const Layer& layer, const at::Tensor& x, const at::Tensor& bias) const {
    const std::int64_t batch = x.size(0);
    const std::int64_t length = x.size(1);
    const std::int64_t heads = config_.num_attention_heads;
    const std::int64_t head_dim = config_.hidden_size / heads;
    const auto project = [&](const Affine& part) {
        return at::linear(x, part.weight, part.bias).view({batch, length, heads, head_dim}).transpose(1, 2);
    };
    at::Tensor scores =
        at::matmul(project(layer.query), project(layer.key).transpose(2, 3)) / std::sqrt(static_cast<double>(head_dim));
    if (bias.defined()) scores = scores + bias;
    at::Tensor mixed = at::matmul(scores.softmax(-1), project(layer.value));
    mixed = mixed.transpose(1, 2).reshape({batch, length, config_.hidden_size});
    const at::Tensor attended = normalize(
        at::linear(mixed, layer.attention_output.weight, layer.attention_output.bias) + x, layer.attention_norm);
    const at::Tensor inner =
        activate(activation_, at::linear(attended, layer.intermediate.weight, layer.intermediate.bias));
    return normalize(at::linear(inner, layer.output.weight, layer.output.bias) + attended, layer.output_norm);
}

std::vector<at::Tensor> TextEncoder::hidden_states(const at::Tensor& embeddings, const at::Tensor& mask) const {
    const std::int64_t length = embeddings.size(1);
    if (length > config_.max_position_embeddings)
        fail("a text of ", length, " tokens was given; the text encoder takes at most ",
             config_.max_position_embeddings);
    at::Tensor bias;
    if (mask.defined()) {
        // A finite stand-in for −∞, so that a row of padding alone gives no NaN.
        const at::Tensor hidden = mask.to(embeddings.device()).eq(0).view({mask.size(0), 1, 1, length});
        bias = hidden.to(embeddings.scalar_type()) * -1e30;
    }
    std::vector<at::Tensor> states{
        normalize(embeddings + token_type_ + positions_.slice(0, 0, length), embedding_norm_)};
    for (const Layer& layer : layers_) states.push_back(run_layer(layer, states.back(), bias));
    return states;
}

at::Tensor TextEncoder::forward(const at::Tensor& embeddings, const at::Tensor& mask) const {
    return at::linear(hidden_states(embeddings, mask).back().select(1, 0), projection_.weight, projection_.bias);
}

}  // namespace ltad
