// Encoding pictures: the image encoder alone, and decoding with resizing.
#include <cmath>
#include <map>
#include <memory>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <opencv2/imgcodecs.hpp>

#include "ltad/data/image.h"
#include "ltad/features/extract.h"
#include "plain.h"
#include "work.h"

namespace ltad::bench {
namespace {

constexpr std::int64_t batch = 8;

EfficientNetConfig network(double width, double depth, const std::string& activation) {
    EfficientNetConfig config;
    config.width_coefficient = width;
    config.depth_coefficient = depth;
    config.hidden_act = activation;
    return config;
}

/// Weights that keep activations at one scale; gates of EfficientNet-Lite are open, as ltad-pretrain import writes
/// them.
Weights weights_of(const EfficientNetConfig& config) {
    Weights weights;
    for (const auto& [name, shape] : efficientnet_shapes(config)) {
        const bool open_gate = config.hidden_act == "relu6" && name.find("squeeze_excite.expand") != std::string::npos;
        if (open_gate)
            weights[name] = at::full(shape, name.ends_with("bias") ? 30.0f : 0.0f);
        else if (shape.size() == 4)
            weights[name] = at::randn(shape) * std::sqrt(2.0 / static_cast<double>(shape[1] * shape[2] * shape[3]));
        else
            weights[name] = name.ends_with("bias") || name.ends_with("mean") ? at::zeros(shape) : at::ones(shape);
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

/// In bfloat16 where PyTorch's autocast says so.
class Autocast {
public:
    Autocast() {
        at::autocast::set_autocast_enabled(at::kCPU, true);
        at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    }
    ~Autocast() {
        at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(at::kCPU, false);
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;
};

Work encoding(const std::string& name, const EfficientNetConfig& config, std::int64_t size) {
    const auto shared = [config] {
        static std::map<std::pair<double, std::string>, Weights> made;  // the same for all variants and threads
        Weights& weights = made[{config.width_coefficient, config.hidden_act}];
        if (weights.empty()) weights = weights_of(config);
        return weights;
    };
    const auto plain = [=](at::MemoryFormat layout) {
        return [=] {
            Weights weights = shared();
            for (auto& [key, tensor] : weights)
                if (tensor.dim() == 4) tensor = tensor.contiguous(layout);
            return [=, pixels = pictures(batch, size).contiguous(layout)] {
                const c10::NoGradGuard no_grad;
                (void)plain_encode(config, weights, pixels);
            };
        };
    };
    const auto ours = [=] {
        const auto encoder = std::make_shared<ImageEncoder>(config, shared(), at::kCPU);
        return [=, pixels = pictures(batch, size)] { (void)encoder->forward(pixels, {3}); };
    };
    const auto cast = [=] {
        const Step step = plain(at::MemoryFormat::ChannelsLast)();
        return [=] {
            const Autocast autocast;
            step();
        };
    };
    const auto plain_result = [=] {
        const c10::NoGradGuard no_grad;
        return plain_encode(config, shared(), pictures(2, size)).mean({2, 3});
    };
    const auto our_result = [=] {
        return ImageEncoder(config, shared(), at::kCPU).forward(pictures(2, size), {3}).pooled;
    };
    return {.name = name,
            .unit = "images",
            .items = batch,
            .flops = flops_of(config, size),
            .variants = {{"plain", plain(at::MemoryFormat::Contiguous), plain_result},
                         {"plain, channels last", plain(at::MemoryFormat::ChannelsLast), {}},
                         {"plain, bfloat16 autocast", cast, {}},
                         {"ours", ours, our_result}}};
}

/// A 1024 × 1024 PNG of soft noise, as an inspection camera gives it.
std::string png() {
    at::manual_seed(1);
    const at::Tensor soft = at::upsample_bicubic2d(at::rand({1, 3, 128, 128}) * 255, {1024, 1024}, false);
    const at::Tensor pixels = soft.clamp(0, 255)[0].permute({1, 2, 0}).to(at::kByte).contiguous();
    std::vector<unsigned char> bytes;
    cv::imencode(".png", cv::Mat(1024, 1024, CV_8UC3, pixels.data_ptr()), bytes);
    return {bytes.begin(), bytes.end()};
}

at::Tensor plain_picture(const std::string& bytes) {
    const std::vector<unsigned char> buffer(bytes.begin(), bytes.end());
    const cv::Mat bgr = cv::imdecode(buffer, cv::IMREAD_COLOR);
    const at::Tensor pixels = at::from_blob(bgr.data, {bgr.rows, bgr.cols, 3}, at::kByte).flip({2});
    const at::Tensor planes = pixels.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat);
    return at::_upsample_bilinear2d_aa(planes, {224, 224}, false).round().clamp(0, 255)[0].permute({1, 2, 0});
}

const Register encoders([] {
    add(encoding("encode B7, 224", network(2.0, 3.1, "swish"), 224));
    add(encoding("encode B0, 224", network(1.0, 1.0, "swish"), 224));
    add(encoding("encode Lite0, 224", network(1.0, 1.0, "relu6"), 224));
    const std::string bytes = png();
    const auto ours = [=] { return picture_tensor(decode_image(bytes, "picture"), 224).to(at::kFloat); };
    add({.name = "decode and resize, 1024 to 224",
         .unit = "images",
         .variants = {{"plain", [=] { return [=] { (void)plain_picture(bytes); }; },
                       [=] { return plain_picture(bytes); }},
                      {"ours", [=] { return [=] { (void)ours(); }; }, ours, 1.01 / 255}},
         .threads = {1}});
});

}  // namespace
}  // namespace ltad::bench
