#include <algorithm>
#include <cmath>

#include "ltad/align/efficientnet.h"
#include "ltad/core/error.h"
#include "read_key.h"

namespace ltad {
namespace {

/// Channels after width scaling, as transformers' round_filters.
std::int64_t scale_width(const EfficientNetConfig& config, std::int64_t channels) {
    const double scaled = static_cast<double>(channels) * config.width_coefficient;
    const std::int64_t divisor = config.depth_divisor;
    const auto half_up = static_cast<std::int64_t>(scaled + static_cast<double>(divisor) / 2);
    std::int64_t rounded = std::max(divisor, half_up / divisor * divisor);
    if (static_cast<double>(rounded) < 0.9 * scaled) rounded += divisor;
    return rounded;
}

void check(const EfficientNetConfig& c, const std::string& where) {
    const std::size_t stages = c.kernel_sizes.size();
    for (const auto* list : {&c.in_channels, &c.out_channels, &c.strides, &c.num_block_repeats, &c.expand_ratios}) {
        if (list->size() != stages || stages == 0)
            fail(where,
                 ": kernel_sizes, in_channels, out_channels, strides, num_block_repeats and expand_ratios must "
                 "have one entry for each stage");
        if (*std::min_element(list->begin(), list->end()) < 1 || *std::max_element(list->begin(), list->end()) > 65536)
            fail(where, ": a stage has a channel count, stride, repeat or expand ratio outside 1 to 65536");
    }
    for (const auto kernel : c.kernel_sizes)
        if (kernel < 1 || kernel % 2 == 0 || kernel > 63) fail(where, ": kernel_sizes: ", kernel, " is not odd");
    for (const auto stride : c.strides)
        if (stride > 2) fail(where, ": strides: ", stride, " is not 1 or 2");
    if (!(c.width_coefficient > 0 && c.width_coefficient < 100 && c.depth_coefficient > 0 && c.depth_coefficient < 100))
        fail(where, ": width_coefficient and depth_coefficient must be above 0 and below 100");
    if (c.depth_divisor < 1 || c.depth_divisor > 65536 || c.num_channels != 3)
        fail(where, ": depth_divisor must be from 1 to 65536, num_channels 3");
    if (!(c.squeeze_expansion_ratio > 0 && c.squeeze_expansion_ratio <= 100))
        fail(where, ": squeeze_expansion_ratio must be above 0 and at most 100");
    if (!(c.batch_norm_eps >= 0 && c.batch_norm_eps < 1)) fail(where, ": batch_norm_eps must be from 0 to below 1");
}

}  // namespace

EfficientNetConfig parse_efficientnet_config(const json& config, const std::string& where) {
    EfficientNetConfig c;
    read_key(config, "num_channels", c.num_channels, where);
    read_key(config, "width_coefficient", c.width_coefficient, where);
    read_key(config, "depth_coefficient", c.depth_coefficient, where);
    read_key(config, "depth_divisor", c.depth_divisor, where);
    read_key(config, "kernel_sizes", c.kernel_sizes, where);
    read_key(config, "in_channels", c.in_channels, where);
    read_key(config, "out_channels", c.out_channels, where);
    read_key(config, "depthwise_padding", c.depthwise_padding, where);
    read_key(config, "strides", c.strides, where);
    read_key(config, "num_block_repeats", c.num_block_repeats, where);
    read_key(config, "expand_ratios", c.expand_ratios, where);
    read_key(config, "squeeze_expansion_ratio", c.squeeze_expansion_ratio, where);
    read_key(config, "hidden_act", c.hidden_act, where);
    (void)parse_activation(c.hidden_act, where);
    read_key(config, "batch_norm_eps", c.batch_norm_eps, where);
    std::string pooling = "mean";
    read_key(config, "pooling_type", pooling, where);
    if (pooling != "mean") fail(where, ": pooling_type: only \"mean\" is supported, found \"", pooling, "\"");
    check(c, where);
    return c;
}

std::int64_t stem_channels(const EfficientNetConfig& config) { return scale_width(config, 32); }

std::vector<BlockSpec> block_specs(const EfficientNetConfig& config) {
    std::vector<BlockSpec> blocks;
    for (std::size_t stage = 0; stage < config.kernel_sizes.size(); ++stage) {
        const std::int64_t in = scale_width(config, config.in_channels[stage]);
        const std::int64_t out = scale_width(config, config.out_channels[stage]);
        const auto repeats = static_cast<std::int64_t>(
            std::ceil(config.depth_coefficient * static_cast<double>(config.num_block_repeats[stage])));
        for (std::int64_t j = 0; j < repeats; ++j) {
            BlockSpec block;
            block.stage = static_cast<std::int64_t>(stage);
            block.in = j == 0 ? in : out;
            block.out = out;
            block.kernel = config.kernel_sizes[stage];
            block.stride = j == 0 ? config.strides[stage] : 1;
            block.expand_ratio = config.expand_ratios[stage];
            const double squeeze = static_cast<double>(block.in) * config.squeeze_expansion_ratio;
            block.squeeze = std::max<std::int64_t>(1, static_cast<std::int64_t>(squeeze));
            const auto index = static_cast<std::int64_t>(blocks.size());
            const auto& symmetric = config.depthwise_padding;
            block.asymmetric_padding = std::find(symmetric.begin(), symmetric.end(), index) == symmetric.end();
            block.residual = j > 0;
            blocks.push_back(block);
        }
    }
    return blocks;
}

std::vector<std::int64_t> map_sizes(const EfficientNetConfig& config, std::int64_t image_size) {
    std::vector<std::int64_t> sizes{(image_size + 1 - 3) / 2 + 1};
    for (const BlockSpec& block : block_specs(config)) {
        const std::int64_t size = sizes.back();
        const std::int64_t padding = block.kernel - (block.asymmetric_padding ? 2 : 1);
        sizes.push_back(block.stride == 1 ? size : (size + padding - block.kernel) / 2 + 1);
    }
    return sizes;
}

std::vector<std::int64_t> auto_taps(const EfficientNetConfig& config) {
    std::vector<std::int64_t> last_of_stage(config.kernel_sizes.size(), -1);
    const auto blocks = block_specs(config);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        last_of_stage[static_cast<std::size_t>(blocks[i].stage)] = static_cast<std::int64_t>(i);
    if (last_of_stage.size() < 5)
        fail("encoder.taps: \"auto\" needs an image encoder of at least five stages, this one has ",
             last_of_stage.size(), "; give block indices instead");
    return {last_of_stage[0], last_of_stage[1], last_of_stage[2], last_of_stage[4]};
}

Shapes efficientnet_shapes(const EfficientNetConfig& config) {
    Shapes shapes;
    const auto norm = [&](const std::string& name, std::int64_t channels) {
        for (const char* part : {"weight", "bias", "running_mean", "running_var"})
            shapes[name + "." + part] = {channels};
    };
    shapes["embeddings.convolution.weight"] = {stem_channels(config), config.num_channels, 3, 3};
    norm("embeddings.batchnorm", stem_channels(config));
    const auto blocks = block_specs(config);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const BlockSpec& b = blocks[i];
        const std::string name = text("encoder.blocks.", i, ".");
        if (b.expand_ratio != 1) {
            shapes[name + "expansion.expand_conv.weight"] = {b.expanded(), b.in, 1, 1};
            norm(name + "expansion.expand_bn", b.expanded());
        }
        shapes[name + "depthwise_conv.depthwise_conv.weight"] = {b.expanded(), 1, b.kernel, b.kernel};
        norm(name + "depthwise_conv.depthwise_norm", b.expanded());
        shapes[name + "squeeze_excite.reduce.weight"] = {b.squeeze, b.expanded(), 1, 1};
        shapes[name + "squeeze_excite.reduce.bias"] = {b.squeeze};
        shapes[name + "squeeze_excite.expand.weight"] = {b.expanded(), b.squeeze, 1, 1};
        shapes[name + "squeeze_excite.expand.bias"] = {b.expanded()};
        shapes[name + "projection.project_conv.weight"] = {b.out, b.expanded(), 1, 1};
        norm(name + "projection.project_bn", b.out);
    }
    return shapes;
}

}  // namespace ltad
