#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/efficientnet.h"
#include "ltad/align/feature_layout.h"
#include "ltad/config/config.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// The decoder D of the feature VAE: the image encoder run backwards. The same inverted-residual blocks in reverse
/// order, each with in and out exchanged, nearest upsampling where the encoder strides. Emits the tapped maps.
class Decoder {
public:
    /// The parameters' names start with "decoder.".
    Decoder(const DecoderConfig& config, const EfficientNetConfig& encoder, const FeatureLayout& layout,
            std::int64_t text_dim, Parameters& parameters);

    /// Lets every tapped map start with the mean and deviation of the real one: scale and shift of the norms that emit
    /// them. Without it, training spends thousands of steps of learning rate 1e-4 on moving them there.
    /// mean, deviation: of each channel over the training tokens, [C_tot].
    void start_at(const at::Tensor& mean, const at::Tensor& deviation);

    /// latent ẑ: [B, d_z]; text t_c: [B, d]. Returns [B, C_tot, G, G], in the layout of real features. `training` uses
    /// the batch's statistics and updates the running ones (batch norm only).
    [[nodiscard]] at::Tensor forward(const at::Tensor& latent, const at::Tensor& text, bool training) const;

private:
    /// A convolution and the norm behind it.
    struct Unit {
        at::Tensor weight, scale, shift, running_mean, running_var;
        std::int64_t groups = 1;
    };
    struct Block {
        bool expands = false;
        bool residual = false;
        std::int64_t size = 0;    ///< side of the map it gives
        std::int64_t emits = -1;  ///< the tap whose map it gives, or −1
        Unit expand, depthwise, project;
        at::Tensor reduce_weight, reduce_bias, excite_weight, excite_bias;
    };

    Block make_block(const BlockSpec& mirrored, const std::string& name, Parameters& parameters) const;
    Unit make_unit(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t groups,
                   Parameters& parameters) const;
    [[nodiscard]] at::Tensor run(const Unit& unit, const at::Tensor& x, bool training) const;
    [[nodiscard]] at::Tensor run(const Block& block, const at::Tensor& x, bool training) const;
    [[nodiscard]] at::Tensor to_grid(const at::Tensor& map) const;

    DecoderConfig config_;
    Activation activation_;
    double norm_eps_;
    std::int64_t grid_;
    std::int64_t seed_channels_;
    std::int64_t seed_map_size_;          ///< side of the encoder's last map
    std::vector<std::int64_t> channels_;  ///< of each tap
    bool seed_is_tap_ = false;
    Linear seed_;
    std::vector<Block> blocks_;
};

}  // namespace ltad
