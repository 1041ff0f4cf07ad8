#include "ltad/model/reconstruction.h"

#include <cstdlib>
#include <limits>

#include <ATen/ATen.h>

#include "ltad/core/error.h"

namespace ltad {

at::Tensor neighbor_mask(std::int64_t grid, std::int64_t size) {
    const std::int64_t reach = size / 2;
    at::Tensor mask = at::zeros({grid * grid, grid * grid});
    if (size == 0) return mask;
    auto cell = mask.accessor<float, 2>();
    for (std::int64_t i = 0; i < grid * grid; ++i)
        for (std::int64_t j = 0; j < grid * grid; ++j)
            if (std::abs(i / grid - j / grid) <= reach && std::abs(i % grid - j % grid) <= reach)
                cell[i][j] = -std::numeric_limits<float>::infinity();
    return mask;
}

Reconstruction::Norm Reconstruction::make_norm(Parameters& parameters, const std::string& name) const {
    return {parameters.add(name + ".weight", {config_.hidden_dim}, init_constant(1)),
            parameters.add(name + ".bias", {config_.hidden_dim}, init_constant(0))};
}

Linear Reconstruction::make_layer(Parameters& parameters, const std::string& name, std::int64_t in,
                                  std::int64_t out) const {
    return make_linear(parameters, name, in, out, init_xavier_uniform(in, out));
}

Reconstruction::Attention Reconstruction::make_attention(Parameters& parameters, const std::string& name) const {
    const std::int64_t dim = config_.hidden_dim;
    return {{parameters.add(name + ".in_proj_weight", {3 * dim, dim}, init_xavier_uniform(dim, 3 * dim)),
             parameters.add(name + ".in_proj_bias", {3 * dim}, init_constant(0))},
            make_layer(parameters, name + ".out_proj", dim, dim)};
}

Reconstruction::Reconstruction(const ReconstructionConfig& config, std::int64_t channels, std::int64_t grid,
                               Parameters& parameters)
    : config_(config), precision_(precision_of(config.precision)), grid_(grid) {
    if (config.neighbor_size >= grid)
        fail("reconstruction.neighbor_size: ", config.neighbor_size, " hides every token from the middle of a grid of ",
             grid);
    const std::int64_t dim = config.hidden_dim;
    const std::int64_t inner = config.feedforward_dim;
    // Embeddings start as the reference's do: positions uniform in [0, 1), queries standard normal.
    const Init unit_uniform = [](std::span<float> out, Random& random) {
        for (float& value : out) value = static_cast<float>(random.uniform());
    };
    rows_ = parameters.add("pos_embed.row_embed.weight", {grid, dim / 2}, unit_uniform);
    columns_ = parameters.add("pos_embed.col_embed.weight", {grid, dim / 2}, unit_uniform);
    for (std::int64_t i = 0; i < config.encoder_layers; ++i) {
        const std::string name = text("transformer.encoder.layers.", i, ".");
        encoder_.push_back({.self = make_attention(parameters, name + "self_attn"),
                            .inner = make_layer(parameters, name + "linear1", dim, inner),
                            .outer = make_layer(parameters, name + "linear2", inner, dim),
                            .norm1 = make_norm(parameters, name + "norm1"),
                            .norm2 = make_norm(parameters, name + "norm2")});
    }
    for (std::int64_t i = 0; i < config.decoder_layers; ++i) {
        const std::string name = text("transformer.decoder.layers.", i, ".");
        decoder_.push_back({.query = parameters.add(name + "learned_embed.weight", {grid * grid, dim}, init_normal(1)),
                            .self = make_attention(parameters, name + "self_attn"),
                            .cross = make_attention(parameters, name + "multihead_attn"),
                            .inner = make_layer(parameters, name + "linear1", dim, inner),
                            .outer = make_layer(parameters, name + "linear2", inner, dim),
                            .norm1 = make_norm(parameters, name + "norm1"),
                            .norm2 = make_norm(parameters, name + "norm2"),
                            .norm3 = make_norm(parameters, name + "norm3")});
    }
    final_norm_ = make_norm(parameters, "transformer.decoder.norm");
    input_ = make_layer(parameters, "input_proj", channels, dim);
    output_ = make_layer(parameters, "output_proj", dim, channels);
    mask_ = neighbor_mask(grid, config.neighbor_size).to(rows_.options().requires_grad(false));
}

at::Tensor Reconstruction::position_embedding() const {
    const std::int64_t half = config_.hidden_dim / 2;
    const at::Tensor columns = columns_.unsqueeze(0).expand({grid_, grid_, half});
    const at::Tensor rows = rows_.unsqueeze(1).expand({grid_, grid_, half});
    return at::cat({columns, rows}, -1).reshape({1, grid_ * grid_, config_.hidden_dim});
}

at::Tensor Reconstruction::project(const Linear& layer, const at::Tensor& x) const {
    return linear(x, layer.weight, layer.bias, precision_);
}

at::Tensor Reconstruction::attend(const Attention& attention, const at::Tensor& query, const at::Tensor& key,
                                  const at::Tensor& value, bool training) const {
    return project(attention.out, ltad::attention(query, key, value, attention.in, mask_, config_.heads,
                                                  config_.dropout, training, precision_));
}

at::Tensor Reconstruction::add_and_normalize(const at::Tensor& x, const at::Tensor& change, const Norm& norm,
                                             bool training) const {
    return add_layer_norm(x, change, norm.weight, norm.bias, config_.dropout, training);
}

at::Tensor Reconstruction::feed_forward(const at::Tensor& x, const Linear& inner, const Linear& outer,
                                        bool training) const {
    return project(outer, linear_relu_dropout(x, inner.weight, inner.bias, config_.dropout, training, precision_));
}

at::Tensor Reconstruction::run(const EncoderLayer& layer, const at::Tensor& x, const at::Tensor& position,
                               bool training) const {
    const at::Tensor placed = x + position;
    const at::Tensor mixed =
        add_and_normalize(x, attend(layer.self, placed, placed, x, training), layer.norm1, training);
    return add_and_normalize(mixed, feed_forward(mixed, layer.inner, layer.outer, training), layer.norm2, training);
}

at::Tensor Reconstruction::run(const DecoderLayer& layer, const at::Tensor& previous, const at::Tensor& memory,
                               const at::Tensor& position, bool training) const {
    const at::Tensor query = layer.query.unsqueeze(0);  // the same for all pictures: broadcast, not copied
    const at::Tensor first = add_and_normalize(
        query, attend(layer.self, query + position, memory + position, memory, training), layer.norm1, training);
    const at::Tensor second = add_and_normalize(
        first, attend(layer.cross, first + position, previous + position, previous, training), layer.norm2, training);
    return add_and_normalize(second, feed_forward(second, layer.inner, layer.outer, training), layer.norm3, training);
}

at::Tensor Reconstruction::forward(const at::Tensor& tokens, bool training) const {
    const at::Tensor position = position_embedding();
    at::Tensor memory = project(input_, tokens);
    for (const EncoderLayer& layer : encoder_) memory = run(layer, memory, position, training);
    at::Tensor out = memory;
    for (const DecoderLayer& layer : decoder_) out = run(layer, out, memory, position, training);
    return project(output_, add_and_normalize(out, {}, final_norm_, training));
}

}  // namespace ltad
