// The image encoder alone.
#include <cmath>
#include <map>
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "modules.h"
#include "work.h"

namespace ltad::bench {
namespace {

/// Weights that keep activations at one scale; in larger ones rounding grows until no two renderings agree. Gates of
/// EfficientNet-Lite are open, as ltad-pretrain import writes them.
Weights weights_of(const EfficientNetConfig& config) {
    at::manual_seed(1);
    Weights weights;
    for (const auto& [name, shape] : efficientnet_shapes(config)) {
        const auto has = [&name = name](const char* part) { return name.find(part) != std::string::npos; };
        if (config.hidden_act == "relu6" && has("squeeze_excite.expand")) {
            weights[name] = at::full(shape, has("bias") ? 30.0f : 0.0f);
        } else if (shape.size() == 4) {
            const double gain = has("project_conv") || has("squeeze_excite") ? 1 : 2;  // 2 before an activation
            weights[name] = at::randn(shape) * std::sqrt(gain / static_cast<double>(shape[1] * shape[2] * shape[3]));
        } else {
            weights[name] = 0.1 * at::randn(shape) + (has("bias") || has("mean") ? 0.0 : 1.0);
        }
    }
    return weights;
}

/// Multiplications and additions of all convolutions, for a square picture.
double flops_of(const EfficientNetConfig& config, std::int64_t image_size) {
    const auto sizes = map_sizes(config, image_size);
    const auto area = [&](std::size_t i) { return static_cast<double>(sizes[i] * sizes[i]); };
    double products = area(0) * 27.0 * static_cast<double>(stem_channels(config));
    std::size_t i = 0;
    for (const BlockSpec& spec : block_specs(config)) {
        const auto middle = static_cast<double>(spec.expanded());
        if (spec.expand_ratio != 1) products += area(i) * static_cast<double>(spec.in) * middle;
        products += area(i + 1) * middle * static_cast<double>(spec.kernel * spec.kernel + spec.out);
        products += 2 * middle * static_cast<double>(spec.squeeze);
        ++i;
    }
    return 2 * products;
}

at::Tensor pictures(std::int64_t count, std::int64_t size) {
    at::manual_seed(1);
    return at::randn({count, 3, size, size});
}

/// The same for all variants.
std::shared_ptr<const Weights> shared_weights(const EfficientNetConfig& config) {
    static std::map<std::pair<double, std::string>, std::shared_ptr<const Weights>> made;
    auto& weights = made[{config.width_coefficient, config.hidden_act}];
    if (weights == nullptr) weights = std::make_shared<const Weights>(weights_of(config));
    return weights;
}

Step plain_step(const EfficientNetConfig& config, const at::Tensor& pixels, at::MemoryFormat layout) {
    Weights weights = *shared_weights(config);
    for (auto& [key, tensor] : weights)
        if (tensor.dim() == 4) tensor = tensor.contiguous(layout);
    return [=, arranged = pixels.contiguous(layout)] {
        const c10::NoGradGuard no_grad;
        (void)plain_encode(config, weights, arranged);
    };
}

Step our_step(const EfficientNetConfig& config, const at::Tensor& pixels, Precision precision) {
    const auto encoder = std::make_shared<ImageEncoder>(config, *shared_weights(config), at::kCPU, precision);
    return [=] { (void)encoder->forward(pixels, auto_taps(config)); };
}

at::Tensor plain_result(const EfficientNetConfig& config, std::int64_t size) {
    const c10::NoGradGuard no_grad;
    return plain_encode(config, *shared_weights(config), pictures(2, size)).mean({2, 3});
}

at::Tensor our_result(const EfficientNetConfig& config, std::int64_t size, Precision precision) {
    return ImageEncoder(config, *shared_weights(config), at::kCPU, precision).forward(pictures(2, size), {3}).pooled;
}

Work encoding(const std::string& name, const EfficientNetConfig& config, std::int64_t size, std::int64_t batch) {
    const auto plain = [=](at::MemoryFormat layout) {
        return [=] { return plain_step(config, pictures(batch, size), layout); };
    };
    return {.name = name,
            .unit = "images",
            .items = static_cast<double>(batch),
            .flops = flops_of(config, size),
            .variants = {{"plain", plain(at::MemoryFormat::Contiguous), [=] { return plain_result(config, size); }},
                         {"plain, channels last", plain(at::MemoryFormat::ChannelsLast), {}},
                         {"ours", [=] { return our_step(config, pictures(batch, size), Precision::float32); },
                          [=] { return our_result(config, size, Precision::float32); }}}};
}

Work encoding_in_bfloat16(const std::string& name, const EfficientNetConfig& config, std::int64_t size) {
    const auto cast = [=] {
        const Step step = plain_step(config, pictures(batch_size, size), at::MemoryFormat::ChannelsLast);
        return [=] {
            const Autocast autocast;
            step();
        };
    };
    return {.name = name,
            .unit = "images",
            .items = batch_size,
            .flops = flops_of(config, size),
            .variants = {{"plain, channels last, autocast", cast, [=] { return plain_result(config, size); }},
                         {"ours", [=] { return our_step(config, pictures(batch_size, size), Precision::bfloat16); },
                          [=] { return our_result(config, size, Precision::bfloat16); }, 0.03}}};
}

}  // namespace

std::vector<Work> encode_works() {
    const EfficientNetConfig large = b7().encoder;
    Work pictures_of_448 = encoding("encode B7, 448", large, 448, 2);
    pictures_of_448.threads = {2};
    return {encoding("encode B7, 224", large, 224, batch_size),
            encoding_in_bfloat16("encode B7, 224, bfloat16", large, 224), pictures_of_448,
            encoding("encode B0, 224", efficientnet(1.0, 1.0, "swish"), 224, batch_size),
            encoding("encode Lite0, 224", lite0().encoder, 224, batch_size)};
}

}  // namespace ltad::bench
