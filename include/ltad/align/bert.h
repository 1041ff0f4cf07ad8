#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/activation.h"
#include "ltad/align/weights.h"
#include "ltad/core/json.h"

namespace ltad {

/// The keys of transformers' AlignTextConfig (a BERT) that shape the network, with their defaults.
struct BertConfig {
    std::int64_t vocab_size = 30522;
    std::int64_t hidden_size = 768;
    std::int64_t num_hidden_layers = 12;
    std::int64_t num_attention_heads = 12;
    std::int64_t intermediate_size = 3072;
    std::string hidden_act = "gelu";
    std::int64_t max_position_embeddings = 512;
    std::int64_t type_vocab_size = 2;
    double layer_norm_eps = 1e-12;
};

/// Reads the keys above; a key that is not there keeps its default. Throws Error naming `where` and the key.
[[nodiscard]] BertConfig parse_bert_config(const json& config, const std::string& where);

/// Names and shapes of all tensors, as transformers' AlignTextModel names them (without "text_model.").
[[nodiscard]] Shapes bert_shapes(const BertConfig& config);

/// ALIGN's text encoder T, frozen and without dropout. Gradients pass through to the word embeddings it is given.
class TextEncoder {
public:
    /// `weights`: as bert_shapes lists them (checked by the caller); `projection`: weight [d, hidden] and bias [d].
    TextEncoder(const BertConfig& config, const Weights& weights, at::Tensor projection_weight,
                at::Tensor projection_bias, at::Device device, at::ScalarType dtype = at::kFloat);

    /// Word embeddings of ids: [...] int64 → [..., hidden].
    [[nodiscard]] at::Tensor word_embeddings(const at::Tensor& ids) const;

    /// embeddings: [N, S, hidden] of whole sequences, [CLS] first; mask: [N, S], 1 for a token, 0 for padding, or
    /// undefined for no padding. Returns text_projection(last_hidden_state[:, 0]), [N, d].
    [[nodiscard]] at::Tensor forward(const at::Tensor& embeddings, const at::Tensor& mask = {}) const;

    /// All hidden states: [0] the embedding layer's output, [i + 1] layer i's; each [N, S, hidden].
    [[nodiscard]] std::vector<at::Tensor> hidden_states(const at::Tensor& embeddings,
                                                        const at::Tensor& mask = {}) const;

    [[nodiscard]] std::int64_t hidden_size() const { return config_.hidden_size; }
    [[nodiscard]] std::int64_t text_dim() const { return projection_.weight.size(0); }
    [[nodiscard]] std::int64_t max_length() const { return config_.max_position_embeddings; }

private:
    struct Affine {  // a linear layer's or a layer norm's tensors
        at::Tensor weight, bias;
    };
    struct Layer {
        Affine query, key, value, attention_output, attention_norm, intermediate, output, output_norm;
    };

    [[nodiscard]] at::Tensor run_layer(const Layer& layer, const at::Tensor& x, const at::Tensor& bias) const;
    [[nodiscard]] at::Tensor normalize(const at::Tensor& x, const Affine& norm) const;

    BertConfig config_;
    Activation activation_;
    at::Tensor words_, positions_, token_type_;
    Affine embedding_norm_;
    std::vector<Layer> layers_;
    Affine projection_;
};

}  // namespace ltad
