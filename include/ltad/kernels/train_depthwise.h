#pragma once

#include <cstdint>
#include <vector>

#include "ltad/kernels/train_norm.h"

namespace ltad {

/// Square maps, channels-last; nearest upsampling from in_size to size (at least in_size), then a convolution of an odd
/// kernel with padding kernel / 2.
struct DepthwiseShape {
    std::int64_t batch = 0;
    std::int64_t channels = 0;
    std::int64_t in_size = 0;
    std::int64_t size = 0;
    std::int64_t kernel = 0;
};

/// x before its norm and activation, which are applied as it is read.
struct NormedInput {
    const float* x = nullptr;
    ChannelNorm norm;
    Rectifier f = Rectifier::relu;
};

/// The gradient of the convolution's output y, computed as it is read: z = norm(y), a = f(z), and a's gradient is
/// d_gated gate + d_mean (squeeze-excite's two ways).
struct GatedGradient {
    const float* y = nullptr;
    ChannelNorm norm;
    ChannelNormGradient through_norm;
    Rectifier f = Rectifier::relu;
    const float* d_gated = nullptr;  ///< [batch · size², channels]
    const float* gate = nullptr;     ///< [batch, channels]
    const float* d_mean = nullptr;   ///< [batch, channels]
};

/// y = depthwise(upsample(f(norm(x)))) on the CPU in float32, 32 channels of a picture at a time, so that what is
/// between memory and memory stays in the cache; and its gradient.
class Depthwise {
public:
    explicit Depthwise(const DepthwiseShape& shape);

    /// Blocks of the work, as BatchStatistics and BlockSums count them: bands of pictures.
    [[nodiscard]] std::int64_t blocks() const { return shape_.batch * bands_; }
    /// Rows of y in each block.
    [[nodiscard]] std::vector<std::int64_t> rows_of_blocks() const;

    /// weight: [channels, kernel²]; y: [batch · size², channels]. `statistics` of y may be null.
    void forward(const NormedInput& input, const float* weight, float* y, BatchStatistics* statistics) const;

    /// d_z: gradient of norm(x), [batch · in_size², channels]; kinds 0 and 1 of `sums`: Σ d_z and Σ d_z (x − mean).
    void backward(const NormedInput& input, const float* weight, const GatedGradient& gradient, float* d_z,
                  float* d_weight, BlockSums& sums) const;

private:
    struct Place;
    class Work;

    template <typename Job>
    void for_places(const Job& job) const;

    DepthwiseShape shape_;
    std::vector<std::int64_t> source_;    // of each row (and column): the input's row that upsampling takes
    std::vector<std::int64_t> band_in_;   // first input row of each band, and the end
    std::vector<std::int64_t> band_out_;  // first output row of each band, and the end
    std::int64_t bands_ = 0;
};

}  // namespace ltad
