#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/efficientnet.h"
#include "ltad/align/feature_layout.h"
#include "ltad/config/config.h"
#include "ltad/model/decoder_block.h"
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

    /// latent ẑ: [B, d_z]; text t_c: [B, d], d = 0 for a decoder without text. Returns [B, C_tot, G, G], in the layout
    /// of real features. `training` uses the batch's statistics and updates the running ones (batch norm only).
    [[nodiscard]] at::Tensor forward(const at::Tensor& latent, const at::Tensor& text, bool training) const;

private:
    struct Stage {
        DecoderBlock block;
        std::int64_t emits = -1;  ///< the tap whose map it gives, or −1
    };

    [[nodiscard]] at::Tensor to_grid(const at::Tensor& map) const;

    DecoderConfig config_;
    std::int64_t grid_;
    std::int64_t seed_channels_;
    std::int64_t seed_map_size_;          ///< side of the encoder's last map
    std::vector<std::int64_t> channels_;  ///< of each tap
    bool seed_is_tap_ = false;
    Linear seed_;
    std::vector<Stage> stages_;
};

}  // namespace ltad
