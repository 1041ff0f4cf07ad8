#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/config/config.h"
#include "ltad/model/layers.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// [G², G²]: −∞ where token j lies in the size × size neighbourhood of token i (itself included), else 0
/// (UniAD, neighbour masked attention). Size 0 gives zeros.
[[nodiscard]] at::Tensor neighbor_mask(std::int64_t grid, std::int64_t size);

/// The reconstruction module Π: UniAD's transformer (You et al., NeurIPS 2022), with the parameter names of its
/// official implementation, so that those weights load.
class Reconstruction {
public:
    Reconstruction(const ReconstructionConfig& config, std::int64_t channels, std::int64_t grid,
                   Parameters& parameters);

    /// tokens: [B, G², C] → their reconstruction, the same shape. `training` turns dropout on; it draws from LibTorch's
    /// default generator.
    [[nodiscard]] at::Tensor forward(const at::Tensor& tokens, bool training) const;

private:
    struct Norm {
        at::Tensor weight, bias;
    };
    struct Attention {
        AttentionInput in;
        Linear out;
    };
    struct EncoderLayer {
        Attention self;
        Linear inner, outer;
        Norm norm1, norm2;
    };
    struct DecoderLayer {
        at::Tensor query;  // [G², D]
        Attention self, cross;
        Linear inner, outer;
        Norm norm1, norm2, norm3;
    };

    Norm make_norm(Parameters& parameters, const std::string& name) const;
    Attention make_attention(Parameters& parameters, const std::string& name) const;
    Linear make_layer(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out) const;

    [[nodiscard]] at::Tensor position_embedding() const;
    [[nodiscard]] at::Tensor project(const Linear& layer, const at::Tensor& x) const;
    [[nodiscard]] at::Tensor attend(const Attention& attention, const at::Tensor& query, const at::Tensor& key,
                                    const at::Tensor& value, bool training) const;
    [[nodiscard]] at::Tensor add_and_normalize(const at::Tensor& x, const at::Tensor& change, const Norm& norm,
                                               bool training) const;
    [[nodiscard]] at::Tensor feed_forward(const at::Tensor& x, const Linear& inner, const Linear& outer,
                                          bool training) const;
    [[nodiscard]] at::Tensor run(const EncoderLayer& layer, const at::Tensor& x, const at::Tensor& position,
                                 bool training) const;
    [[nodiscard]] at::Tensor run(const DecoderLayer& layer, const at::Tensor& previous, const at::Tensor& memory,
                                 const at::Tensor& position, bool training) const;

    ReconstructionConfig config_;
    Precision precision_;
    std::int64_t grid_;
    at::Tensor mask_;
    at::Tensor rows_, columns_;  // [G, D / 2] each
    std::vector<EncoderLayer> encoder_;
    std::vector<DecoderLayer> decoder_;
    Norm final_norm_;
    Linear input_, output_;
};

}  // namespace ltad
