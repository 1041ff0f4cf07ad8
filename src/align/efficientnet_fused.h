#pragma once

#include <optional>
#include <vector>

#include "ltad/align/efficientnet.h"
#include "ltad/kernels/mbconv.h"

namespace ltad {

/// EfficientNet on the CPU with the kernels of kernels/mbconv.h.
class FusedEfficientNet {
public:
    /// The rectifier that the kernels call so, or nothing where they have none.
    [[nodiscard]] static std::optional<Rectifier> rectifier_of(Activation activation);

    FusedEfficientNet(const ImageEncoder::Convolution& stem, Rectifier rectifier, Precision precision);
    /// Blocks are added in order, so that no more than one is held unpacked.
    void add(const ImageEncoder::Block& block);

    [[nodiscard]] ImageEncoder::Output forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const;

private:
    struct Pointwise {
        PointwiseWeight weight;
        at::Tensor bias;
        [[nodiscard]] const float* bias_data() const { return bias.const_data_ptr<float>(); }
    };
    struct Block {
        BlockSpec spec;
        std::optional<Pointwise> expand;
        DepthwiseWeight depthwise;
        std::optional<Pointwise> reduce, excite;
        Pointwise project;
    };
    struct Run;

    [[nodiscard]] static Pointwise packed(const ImageEncoder::Convolution& convolution, Precision precision);
    void run_block(const Block& block, MapShape shape, const float* x, float* out, Run& run) const;

    Rectifier rectifier_;
    Precision precision_;
    Pointwise stem_;
    std::vector<Block> blocks_;
};

}  // namespace ltad
