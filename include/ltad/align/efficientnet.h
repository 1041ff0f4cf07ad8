#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/activation.h"
#include "ltad/align/weights.h"
#include "ltad/core/json.h"
#include "ltad/kernels/gemm.h"

namespace ltad {

/// The keys of transformers' AlignVisionConfig and EfficientNetConfig that shape the network, with their defaults.
struct EfficientNetConfig {
    std::int64_t num_channels = 3;
    double width_coefficient = 2.0;
    double depth_coefficient = 3.1;
    std::int64_t depth_divisor = 8;
    std::vector<std::int64_t> kernel_sizes = {3, 3, 5, 3, 5, 5, 3};
    std::vector<std::int64_t> in_channels = {32, 16, 24, 40, 80, 112, 192};
    std::vector<std::int64_t> out_channels = {16, 24, 40, 80, 112, 192, 320};
    std::vector<std::int64_t> depthwise_padding = {};
    std::vector<std::int64_t> strides = {1, 2, 2, 2, 1, 2, 1};
    std::vector<std::int64_t> num_block_repeats = {1, 2, 2, 3, 3, 4, 1};
    std::vector<std::int64_t> expand_ratios = {1, 6, 6, 6, 6, 6, 6};
    double squeeze_expansion_ratio = 0.25;
    std::string hidden_act = "swish";
    double batch_norm_eps = 0.001;
};

/// One inverted-residual block (MBConv with squeeze-excite).
struct BlockSpec {
    std::int64_t stage = 0;
    std::int64_t in = 0;
    std::int64_t out = 0;
    std::int64_t kernel = 0;
    std::int64_t stride = 0;
    std::int64_t expand_ratio = 0;
    std::int64_t squeeze = 0;        ///< channels between the two squeeze-excite convolutions
    bool asymmetric_padding = true;  ///< of the stride-2 depthwise convolution: one pixel less above and left
    bool residual = false;

    [[nodiscard]] std::int64_t expanded() const { return in * expand_ratio; }
};

/// Reads the keys above; a key that is not there keeps its default. Throws Error naming `where` and the key.
[[nodiscard]] EfficientNetConfig parse_efficientnet_config(const json& config, const std::string& where);

/// The blocks in order, after width and depth scaling.
[[nodiscard]] std::vector<BlockSpec> block_specs(const EfficientNetConfig& config);
/// Channels of the stem.
[[nodiscard]] std::int64_t stem_channels(const EfficientNetConfig& config);
/// Side lengths of the maps for a square picture: [0] the stem's output, [i + 1] block i's.
[[nodiscard]] std::vector<std::int64_t> map_sizes(const EfficientNetConfig& config, std::int64_t image_size);
/// The "auto" taps: the last blocks of stages 1, 2, 3 and 5, counted from 1; {3, 10, 17, 37} in ALIGN's B7.
/// Throws Error when the network has fewer than five stages.
[[nodiscard]] std::vector<std::int64_t> auto_taps(const EfficientNetConfig& config);

/// Names and shapes of all tensors, as transformers' AlignVisionModel names them (without "vision_model.").
[[nodiscard]] Shapes efficientnet_shapes(const EfficientNetConfig& config);

class FusedEfficientNet;

/// ALIGN's image encoder E, frozen, in inference: batch norms are folded into the convolutions. On the CPU it runs on
/// kernels of its own (kernels/mbconv.h) where they know the activation, else on LibTorch's operators.
class ImageEncoder {
public:
    struct Output {
        std::vector<at::Tensor> taps;  ///< one per asked block, [N, C_l, H_l, W_l]
        at::Tensor pooled;             ///< mean of the last block's map, [N, C_last]
    };

    /// A convolution with its batch norm folded in.
    struct Convolution {
        at::Tensor weight;  ///< [O, C / groups, k, k], float32
        at::Tensor bias;    ///< [O]
    };
    struct Block {
        BlockSpec spec;
        Convolution expand, depthwise, reduce, excite, project;
        bool gated = true;  ///< false where squeeze-excite lets everything through, as in EfficientNet-Lite
    };

    /// `weights` as efficientnet_shapes lists them (checked by the caller). With bfloat16 the 1 × 1 convolutions'
    /// factors are rounded; throws Error where the device or activation has no such kernel.
    ImageEncoder(const EfficientNetConfig& config, const Weights& weights, at::Device device,
                 Precision precision = Precision::float32);
    ~ImageEncoder();

    /// pixels: [N, 3, H, W], preprocessed. `taps`: block indices, increasing; -1 asks for the stem's output.
    [[nodiscard]] Output forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const;

    [[nodiscard]] std::int64_t embedding_dim() const { return embedding_dim_; }

private:
    [[nodiscard]] at::Tensor run_block(const Block& block, const at::Tensor& input) const;
    [[nodiscard]] Output plain_forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const;

    Activation activation_;
    std::int64_t embedding_dim_ = 0;
    std::int64_t block_count_ = 0;
    std::unique_ptr<const FusedEfficientNet> fused_;  // or else:
    Convolution stem_;
    std::vector<Block> blocks_;
};

}  // namespace ltad
