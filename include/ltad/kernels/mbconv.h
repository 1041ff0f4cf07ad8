#pragma once

#include <cstdint>
#include <functional>

#include "ltad/kernels/gemm.h"

namespace ltad {

// EfficientNet's block (inverted residual with squeeze-excite) in inference, on the CPU, for maps laid out [N, H, W,
// C]. Two passes: the first expands and convolves 64 channels at a time, so that the expanded map never leaves the
// cache; the second gates and projects rows. An image's results do not depend on the others in its batch, nor on
// threads.

/// What follows a convolution.
enum class Rectifier { relu, relu6, swish };

/// A 1 × 1 convolution's weight [n, k], packed in panels of 64 outputs as the products read them.
class PointwiseWeight {
public:
    static constexpr std::int64_t width = 64;

    PointwiseWeight() = default;
    PointwiseWeight(const float* weight, std::int64_t n, std::int64_t k, Precision precision);

    [[nodiscard]] std::int64_t inputs() const { return k_; }
    [[nodiscard]] std::int64_t outputs() const { return n_; }
    [[nodiscard]] std::int64_t panels() const { return (n_ + width - 1) / width; }
    [[nodiscard]] std::int64_t columns(std::int64_t panel) const;
    [[nodiscard]] Precision precision() const { return precision_; }

    /// c [m, columns(panel)] = a [m, count] W[first of the panel …, first_input … + count]ᵀ, or += with `accumulate`.
    /// The float32 and the bfloat16 form: a as to_bfloat16 gives it, first_input even.
    void multiply(std::int64_t panel, std::int64_t first_input, std::int64_t count, std::int64_t m, const float* a,
                  std::int64_t lda, float* c, std::int64_t ldc, bool accumulate) const;
    void multiply(std::int64_t panel, std::int64_t first_input, std::int64_t count, std::int64_t m,
                  const std::uint32_t* a, float* c, std::int64_t ldc, bool accumulate) const;

private:
    std::int64_t n_ = 0;
    std::int64_t k_ = 0;
    Precision precision_ = Precision::float32;
    Buffer<float> floats_;         // panel after panel, [k, columns]
    Buffer<std::uint32_t> pairs_;  // the same in bfloat16, two rows interleaved
};

/// A depthwise convolution's weight [channels, k, k] and bias [channels], packed 16 channels at a time.
struct DepthwiseWeight {
    DepthwiseWeight() = default;
    DepthwiseWeight(const float* weight, const float* bias, std::int64_t channels, std::int64_t kernel);

    std::int64_t channels = 0;
    std::int64_t kernel = 0;
    Buffer<float> taps;    ///< [channels / 16, k · k, 16], zeros beyond the last channel
    Buffer<float> biases;  ///< [channels / 16, 16]
};

/// The maps before and after a depthwise convolution.
struct MapShape {
    std::int64_t batch = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t kernel = 0;
    std::int64_t stride = 0;  ///< 1 or 2
    std::int64_t before = 0;  ///< zeros above and left; kernel / 2 below and right

    [[nodiscard]] std::int64_t out_height() const { return (height + before + kernel / 2 - kernel) / stride + 1; }
    [[nodiscard]] std::int64_t out_width() const { return (width + before + kernel / 2 - kernel) / stride + 1; }
};

/// y = act(depthwise(act(x Wᵀ + b))) for x [N, H, W, in], y [N, H', W', E]; means [N, E] of y over each map. Without
/// `expand` (null) the depthwise convolution reads x itself, in = E.
void expand_depthwise(const MapShape& shape, const float* x, const PointwiseWeight* expand, const float* expand_bias,
                      const DepthwiseWeight& depthwise, Rectifier rectifier, float* y, float* means);

/// gates [N, E] = σ(W₂ act(W₁ means + b₁) + b₂); W₁: [S, E], W₂: [E, S].
void squeeze_excite(std::int64_t batch, const float* means, const PointwiseWeight& reduce, const float* reduce_bias,
                    const PointwiseWeight& excite, const float* excite_bias, Rectifier rectifier, float* gates);

/// out [N · area, C] = (y · gates of its image) Wᵀ + bias (+ residual); y: [N · area, E]; gates: [N, E] or null for
/// ones; residual: [N · area, C] or null.
void project(std::int64_t batch, std::int64_t area, const float* y, const float* gates, const PointwiseWeight& weight,
             const float* bias, const float* residual, float* out);

/// out [N, H', W', C] = act(3 × 3 convolution of stride 2 + bias) of pixels [N, H, W, 3]; weight: [C, 3 · 3 · 3], its
/// inputs in the order row, column, channel.
void stem(const MapShape& shape, const float* pixels, const PointwiseWeight& weight, const float* bias,
          Rectifier rectifier, float* out);

}  // namespace ltad
