#pragma once

#include <cstdint>

#include "ltad/kernels/buffer.h"
#include "ltad/kernels/pointwise.h"
#include "ltad/kernels/rectifier.h"

namespace ltad {

// EfficientNet's block (inverted residual with squeeze-excite) in inference, on the CPU. Maps are [N, H, W, C]. Two
// passes: the first expands and convolves 64 channels at a time, so that the expanded map never leaves the cache; the
// second gates and projects. By all threads; an image's results depend neither on them nor on the rest of the batch.

/// The maps before and after a convolution of k × k pixels.
struct MapShape {
    std::int64_t batch = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t kernel = 0;
    std::int64_t stride = 0;
    std::int64_t before = 0;  ///< zeros above and left; kernel / 2 of them below and right

    [[nodiscard]] std::int64_t out_height() const { return (height + before + kernel / 2 - kernel) / stride + 1; }
    [[nodiscard]] std::int64_t out_width() const { return (width + before + kernel / 2 - kernel) / stride + 1; }
    [[nodiscard]] std::int64_t area() const { return height * width; }
    [[nodiscard]] std::int64_t out_area() const { return out_height() * out_width(); }
};

/// A frozen depthwise convolution's weight [channels, k, k] and bias [channels], packed 16 channels at a time.
struct FrozenDepthwise {
    FrozenDepthwise() = default;
    FrozenDepthwise(const float* weight, const float* bias, std::int64_t channels, std::int64_t kernel);

    std::int64_t channels = 0;
    std::int64_t kernel = 0;
    Buffer<float> taps;    ///< [⌈channels / 16⌉, k · k, 16], zeros beyond the last channel
    Buffer<float> biases;  ///< [⌈channels / 16⌉, 16]
};

/// What passes between the two passes lies in planes of 16 channels, [N, ⌈E / 16⌉, H', W', 16]: its floats, for one
/// block of E channels.
[[nodiscard]] std::int64_t planes_size(const MapShape& shape, std::int64_t channels);

/// y = f(depthwise(f(x Wᵀ + b))) for x [N, H, W, in], y in planes; means [N, E] of y over each map. Without `expand`
/// (null) the depthwise convolution reads x itself, in = E.
void expand_depthwise(const MapShape& shape, const float* x, const FrozenPointwise* expand,
                      const FrozenDepthwise& depthwise, Rectifier f, float* y, float* means);

/// gates [N, E] = σ(W₂ f(W₁ means + b₁) + b₂); W₁: [S, E], W₂: [E, S], both in float32.
void squeeze_excite(std::int64_t batch, const float* means, const FrozenPointwise& reduce,
                    const FrozenPointwise& excite, Rectifier f, float* gates);

/// out [N · area, C] = (y · gates of its image) Wᵀ + bias (+ residual); y in planes; gates: [N, E] or null for ones;
/// residual: [N · area, C] or null.
void project(std::int64_t batch, std::int64_t area, const float* y, const float* gates,
             const FrozenPointwise& projection, const float* residual, float* out);

/// out [N, H', W', C] = f(convolution of pixels [N, H, W, 3] + bias): the network's first layer. Weight: [C, k · k ·
/// 3], its inputs by row, column, colour, in float32.
void stem(const MapShape& shape, const float* pixels, const FrozenPointwise& convolution, Rectifier f, float* out);

}  // namespace ltad
