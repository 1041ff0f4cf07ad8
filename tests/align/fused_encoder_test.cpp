// The image encoder's kernels against the same arithmetic in LibTorch's operators.
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "ltad/align/efficientnet.h"
#include "ltad/core/error.h"
#include "support/golden.h"

namespace ltad {
namespace {

EfficientNetConfig small_network(const std::string& activation) {
    EfficientNetConfig config;
    config.width_coefficient = 0.6;  // channels that are no multiples of 16
    config.depth_coefficient = 0.5;
    config.hidden_act = activation;
    return config;
}

Weights weights_of(const EfficientNetConfig& config) {
    Weights weights;
    for (const auto& [name, shape] : efficientnet_shapes(config)) {
        const at::Tensor x = test::random_tensor(shape, random_key(name));
        if (shape.size() == 4)
            weights[name] = x * std::sqrt(2.0 / static_cast<double>(shape[1] * shape[2] * shape[3]));
        else
            weights[name] =
                name.ends_with("running_var") ? x.square() + 0.5 : x * 0.2 + (name.ends_with("weight") ? 1 : 0);
    }
    return weights;
}

at::Tensor plain_convolution(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride, std::int64_t groups) {
    const std::int64_t half = weight.size(2) / 2, before = stride == 2 ? half - 1 : half;
    const std::array<std::int64_t, 1> strides{stride}, none{0}, one{1};
    return at::conv2d(at::constant_pad_nd(x, {before, half, before, half}), weight, {}, strides, none, one, groups);
}

/// In double, norms not folded.
at::Tensor plain(const EfficientNetConfig& config, const Weights& weights, const at::Tensor& pixels) {
    const auto w = [&](const std::string& name) { return weights.at(name).to(at::kDouble); };
    const auto norm = [&](const std::string& name, const at::Tensor& x) {
        return at::batch_norm(x, w(name + ".weight"), w(name + ".bias"), w(name + ".running_mean"),
                              w(name + ".running_var"), false, 0, config.batch_norm_eps, false);
    };
    const auto act = [&](const at::Tensor& x) {
        return config.hidden_act == "swish"  ? at::silu(x)
               : config.hidden_act == "relu" ? at::relu(x)
                                             : at::hardtanh(x, 0, 6);
    };
    at::Tensor x = plain_convolution(pixels.to(at::kDouble), w("embeddings.convolution.weight"), 2, 1);
    x = act(norm("embeddings.batchnorm", x));
    std::size_t index = 0;
    for (const BlockSpec& spec : block_specs(config)) {
        const std::string name = text("encoder.blocks.", index++, ".");
        const at::Tensor input = x;
        if (spec.expand_ratio != 1)
            x = act(norm(name + "expansion.expand_bn", at::conv2d(x, w(name + "expansion.expand_conv.weight"))));
        x = plain_convolution(x, w(name + "depthwise_conv.depthwise_conv.weight"), spec.stride, spec.expanded());
        x = act(norm(name + "depthwise_conv.depthwise_norm", x));
        const std::string gate = name + "squeeze_excite.";
        const at::Tensor squeezed =
            act(at::conv2d(x.mean({2, 3}, true), w(gate + "reduce.weight"), w(gate + "reduce.bias")));
        x = x * at::conv2d(squeezed, w(gate + "expand.weight"), w(gate + "expand.bias")).sigmoid();
        x = norm(name + "projection.project_bn", at::conv2d(x, w(name + "projection.project_conv.weight")));
        if (spec.residual) x = x + input;
    }
    return x;
}

TEST(FusedEncoder, AgreesWithTheOperators) {
    for (const char* activation : {"swish", "relu", "relu6"}) {
        const EfficientNetConfig config = small_network(activation);
        const Weights weights = weights_of(config);
        const ImageEncoder encoder(config, weights, at::kCPU);
        for (const auto& [height, width] : {std::pair(64, 64), {33, 71}, {96, 40}, {130, 130}}) {
            const at::Tensor pixels = test::random_tensor({2, 3, height, width}, 5);
            const auto last = static_cast<std::int64_t>(block_specs(config).size()) - 1;
            const auto found = encoder.forward(pixels, {last});
            const at::Tensor expected = plain(config, weights, pixels);
            EXPECT_CLOSE_WITHIN(found.taps[0], expected, 1e-5) << activation << ' ' << height << 'x' << width;
            EXPECT_CLOSE_WITHIN(found.pooled, expected.mean({2, 3}), 1e-5);
        }
    }
}

TEST(FusedEncoder, ImagesDoNotDependOnTheirBatchNorOnThreads) {
    const EfficientNetConfig config = small_network("swish");
    const ImageEncoder encoder(config, weights_of(config), at::kCPU);
    const at::Tensor pixels = test::random_tensor({5, 3, 96, 96}, 5);
    const auto together = encoder.forward(pixels, {-1, 1, 4});
    at::set_num_threads(3);
    const auto by_threads = encoder.forward(pixels, {-1, 1, 4});
    at::set_num_threads(1);
    EXPECT_TRUE(at::equal(by_threads.pooled, together.pooled));
    for (std::int64_t i = 0; i < 5; ++i) {
        const auto alone = encoder.forward(pixels.narrow(0, i, 1), {-1, 1, 4});
        EXPECT_TRUE(at::equal(alone.pooled, together.pooled.narrow(0, i, 1))) << i;
        for (std::size_t t = 0; t < 3; ++t) {
            EXPECT_TRUE(at::equal(alone.taps[t], together.taps[t].narrow(0, i, 1))) << i << ' ' << t;
            EXPECT_TRUE(at::equal(by_threads.taps[t], together.taps[t])) << t;
        }
    }
}

TEST(FusedEncoder, Bfloat16ComesClose) {
    if (!has_bfloat16()) GTEST_SKIP() << "this processor has no bfloat16 products";
    const EfficientNetConfig config = small_network("swish");
    const Weights weights = weights_of(config);
    const at::Tensor pixels = test::random_tensor({2, 3, 64, 64}, 5);
    const at::Tensor exact = ImageEncoder(config, weights, at::kCPU).forward(pixels, {}).pooled;
    const at::Tensor rough = ImageEncoder(config, weights, at::kCPU, Precision::bfloat16).forward(pixels, {}).pooled;
    EXPECT_CLOSE_WITHIN(rough, exact, 0.05);
    EXPECT_FALSE(at::equal(rough, exact));
}

TEST(FusedEncoder, Bfloat16NeedsAKernelForTheActivation) {
    const EfficientNetConfig config = small_network("gelu");
    const Weights weights = weights_of(config);
    EXPECT_NO_THROW(ImageEncoder(config, weights, at::kCPU));
    EXPECT_THROW(ImageEncoder(config, weights, at::kCPU, Precision::bfloat16), Error);
}

}  // namespace
}  // namespace ltad
