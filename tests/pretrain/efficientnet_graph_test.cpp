#include "pretrain/efficientnet_graph.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "support/golden.h"
#include "support/gradient_check.h"

namespace ltad::test {
namespace {

EfficientNetConfig golden_config() {
    return parse_efficientnet_config(read_json(golden_path("align_tiny/config.json"))["vision_config"], "tiny");
}

TEST(EfficientNetGraph, PoolsToTheReferencesEmbedding) {
    const EfficientNetConfig config = golden_config();
    const Weights weights = with_prefix(load_weights(golden_path("align_tiny/model.safetensors")), "vision_model.");
    const Weights expected = load_weights(golden_path("align_tiny/expected.safetensors"));
    const EfficientNetGraph graph(config, weights, running_norm(config, weights));
    for (const std::string size : {"56", "75"}) {
        const Weights reference = with_prefix(expected, "image" + size + ".");
        const at::Tensor pooled = graph.forward(reference.at("pixel_values")).mean({2, 3});
        EXPECT_CLOSE(pooled, reference.at("pooler_output")) << size;
    }
}

/// Three blocks of which the last has a residual connection; the second pads symmetrically. All tensors random.
struct SmallNet {
    EfficientNetConfig config;
    Weights weights;

    explicit SmallNet(at::ScalarType dtype, const std::string& activation = "swish") {
        config.width_coefficient = 0.25;
        config.depth_coefficient = 1;
        config.kernel_sizes = {3, 5};
        config.in_channels = {32, 16};
        config.out_channels = {16, 40};
        config.strides = {1, 2};
        config.num_block_repeats = {1, 2};
        config.expand_ratios = {1, 2};
        config.depthwise_padding = {1};
        config.hidden_act = activation;
        std::uint64_t seed = 40;
        for (const auto& [name, shape] : efficientnet_shapes(config)) {
            at::Tensor tensor = random_tensor(shape, ++seed, dtype) * 0.4;
            if (name.ends_with("running_var")) tensor = tensor.abs() + 0.3;
            weights[name] = tensor.contiguous();
        }
    }

    [[nodiscard]] at::Tensor forward(const at::Tensor& pixels) const {
        return EfficientNetGraph(config, weights, running_norm(config, weights)).forward(pixels);
    }
};

TEST(EfficientNetGraph, EqualsTheEncoderThatFoldsItsNorms) {
    for (const char* activation : {"swish", "relu6"}) {
        const SmallNet net(at::kFloat, activation);
        const at::Tensor pixels = random_tensor({2, 3, 18, 22}, 3);
        const auto encoder = ImageEncoder(net.config, net.weights, at::kCPU).forward(pixels, {2});
        EXPECT_CLOSE_WITHIN(net.forward(pixels), encoder.taps[0], 1e-5) << activation;
        EXPECT_CLOSE_WITHIN(net.forward(pixels).mean({2, 3}), encoder.pooled, 1e-5) << activation;
    }
}

TEST(EfficientNetGraph, GradientsMatchNumericalOnes) {
    SmallNet net(at::kDouble);
    std::vector<std::pair<std::string, at::Tensor>> inputs;
    for (auto& [name, tensor] : net.weights)
        if (name.find("running_") == std::string::npos) inputs.emplace_back(name, tensor.requires_grad_());
    at::Tensor pixels = random_tensor({2, 3, 10, 12}, 3, at::kDouble).requires_grad_();
    inputs.emplace_back("pixels", pixels);
    const at::Tensor weight = random_tensor({2, 16, 3, 3}, 4, at::kDouble);
    ASSERT_EQ(net.forward(pixels).sizes(), weight.sizes());
    check_gradients([&] { return (net.forward(pixels) * weight).sum(); }, inputs, 3);
}

TEST(EfficientNetGraph, NormsAreCalledWithTheirNamesInOrder) {
    const SmallNet net(at::kFloat);
    std::vector<std::string> names;
    const auto norm = [&](const at::Tensor& x, const std::string& name) {
        names.push_back(name);
        EXPECT_EQ(x.size(1), net.weights.at(name + ".weight").size(0)) << name;
        return x;
    };
    (void)EfficientNetGraph(net.config, net.weights, norm).forward(random_tensor({1, 3, 16, 16}, 1));
    EXPECT_THAT(names, ::testing::ElementsAre(
                           "embeddings.batchnorm", "encoder.blocks.0.depthwise_conv.depthwise_norm",
                           "encoder.blocks.0.projection.project_bn", "encoder.blocks.1.expansion.expand_bn",
                           "encoder.blocks.1.depthwise_conv.depthwise_norm", "encoder.blocks.1.projection.project_bn",
                           "encoder.blocks.2.expansion.expand_bn", "encoder.blocks.2.depthwise_conv.depthwise_norm",
                           "encoder.blocks.2.projection.project_bn"));
}

}  // namespace
}  // namespace ltad::test
