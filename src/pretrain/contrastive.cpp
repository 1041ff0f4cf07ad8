#include "ltad/pretrain/contrastive.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "efficientnet_graph.h"
#include "ltad/core/error.h"
#include "updates.h"

namespace ltad {
namespace {

constexpr const char* temperature_name = "log_temperature";

/// Running statistics are not trained, nor a squeeze-excite that only stands for there being none.
bool is_trained(const std::string& name, const Weights& weights) {
    if (name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked")) return false;
    const std::size_t gate = name.find("squeeze_excite.");
    if (gate == std::string::npos) return true;
    return weights.at(name.substr(0, gate) + "squeeze_excite.expand.weight").any().item<bool>();
}

}  // namespace

at::Tensor unit_rows(const at::Tensor& x) { return x / x.norm(2, {1}, true).clamp_min(1e-12); }

at::Tensor contrastive_loss(const at::Tensor& image, const at::Tensor& text, const at::Tensor& caption,
                            const at::Tensor& temperature, double label_smoothing) {
    const at::Tensor logits = at::matmul(unit_rows(image), unit_rows(text).t()) / temperature;
    const at::Tensor image_to_text =
        at::cross_entropy_loss(logits, caption, {}, at::Reduction::Mean, -100, label_smoothing);
    const at::Tensor shown = at::one_hot(caption, text.size(0)).t().to(logits.scalar_type());  // [U, B]
    const at::Tensor target =
        shown / shown.sum(1, true) * (1 - label_smoothing) + label_smoothing / static_cast<double>(image.size(0));
    const at::Tensor text_to_image = -(target * logits.t().log_softmax(1)).sum(1).mean();
    return (image_to_text + text_to_image) / 2;
}

ContrastiveModel::ContrastiveModel(const ContrastiveConfig& config, const std::filesystem::path& directory,
                                   std::uint64_t seed, at::Device device)
    : source_(directory, device),
      weights_(read_model_weights(directory)),
      parameters_(seed, device),
      device_(device),
      image_frozen_(config.image_tower == "frozen"),
      text_frozen_(config.text_tower == "frozen") {
    (void)source_.text();  // an image-only backbone is refused here
    for (auto& [name, tensor] : weights_)
        if (tensor.is_floating_point()) tensor = tensor.to(device, at::kFloat);
    add_copy("text_projection.weight");
    add_copy("text_projection.bias");
    log_temperature_ =
        parameters_.add(temperature_name, {}, init_constant(static_cast<float>(std::log(config.temperature))));
    if (config.text_tower == "low_rank") add_low_rank(config.rank);
    for (const auto& [name, tensor] : weights_) {
        const bool text = name.starts_with("text_model.") && !name.starts_with("text_model.pooler.");
        const bool image = name.starts_with("vision_model.");
        if ((text && config.text_tower == "trained" && is_trained(name, weights_)) ||
            (image && !image_frozen_ && is_trained(name, weights_)))
            add_copy(name);
    }
}

void ContrastiveModel::add_copy(const std::string& name) {
    const at::Tensor start = weights_.at(name).to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor parameter = parameters_.add(name, start.sizes().vec(), [&](std::span<float> out, Random&) {
        std::copy_n(start.const_data_ptr<float>(), out.size(), out.begin());
    });
    weights_.insert_or_assign(name, parameter);
}

void ContrastiveModel::add_low_rank(std::int64_t rank) {
    std::vector<std::string> targets;
    for (const auto& [name, tensor] : weights_)
        if (name.starts_with("text_model.encoder.layer.") && name.ends_with(".weight") && tensor.dim() == 2)
            targets.push_back(name);
    for (const std::string& name : targets) {
        const auto shape = weights_.at(name).sizes();
        const double deviation = 1 / std::sqrt(static_cast<double>(shape[1]));
        parameters_.add(name + down_suffix, {rank, shape[1]}, init_normal(deviation));
        parameters_.add(name + up_suffix, {shape[0], rank}, init_constant(0));
    }
}

Weights ContrastiveModel::current(const std::string& prefix) const {
    Weights factors;
    for (const auto& [name, tensor] : parameters_.trained())
        if (name.starts_with(prefix) && (name.ends_with(down_suffix) || name.ends_with(up_suffix)))
            factors[name] = tensor;
    Weights tower;
    for (const auto& [name, tensor] : weights_)
        if (name.starts_with(prefix)) tower[name] = tensor;
    return with_prefix(apply_updates(tower, factors, source_.directory().string()), prefix);
}

at::Tensor ContrastiveModel::embed_pictures(const at::Tensor& pictures) const {
    const at::Tensor pixels = source_.preprocess(pictures);
    if (image_frozen_) return source_.image().forward(pixels, {}).pooled;
    const Weights weights = current("vision_model.");
    const EfficientNetConfig& config = source_.config().vision;
    return EfficientNetGraph(config, weights, running_norm(config, weights)).forward(pixels).mean({2, 3});
}

at::Tensor ContrastiveModel::text_states(const std::vector<std::string>& texts) const {
    std::vector<std::vector<std::int64_t>> ids;
    std::size_t length = 1;
    for (const std::string& text : texts) {
        std::vector<std::int64_t> encoded = source_.tokenizer().encode(text);
        const auto longest = static_cast<std::size_t>(source_.text().max_length());
        if (encoded.size() > longest) {
            encoded.resize(longest);
            encoded.back() = source_.tokenizer().sep();
        }
        length = std::max(length, encoded.size());
        ids.push_back(std::move(encoded));
    }
    const auto shape = {static_cast<std::int64_t>(texts.size()), static_cast<std::int64_t>(length)};
    at::Tensor tokens = at::full(shape, source_.tokenizer().pad(), at::kLong);
    at::Tensor mask = at::zeros(shape);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto count = static_cast<std::int64_t>(ids[i].size());
        const auto row = static_cast<std::int64_t>(i);
        tokens[row].slice(0, 0, count).copy_(at::tensor(ids[i]));
        mask[row].slice(0, 0, count).fill_(1);
    }
    const auto run = [&](const TextEncoder& encoder) {
        return encoder.hidden_states(encoder.word_embeddings(tokens), mask).back().select(1, 0);
    };
    if (text_frozen_) return run(source_.text());
    return run({*source_.config().text, current("text_model."), weights_.at("text_projection.weight"),
                weights_.at("text_projection.bias"), device_});
}

at::Tensor ContrastiveModel::project(const at::Tensor& states) const {
    return at::linear(states, weights_.at("text_projection.weight"), weights_.at("text_projection.bias"));
}

at::Tensor ContrastiveModel::embed_texts(const std::vector<std::string>& texts) const {
    const c10::NoGradGuard no_grad;
    constexpr std::size_t batch = 128;
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < texts.size(); i += batch) {
        const auto first = texts.begin() + static_cast<std::ptrdiff_t>(i);
        const auto last = texts.begin() + static_cast<std::ptrdiff_t>(std::min(texts.size(), i + batch));
        parts.push_back(project(text_states({first, last})));
    }
    return at::cat(parts);
}

at::Tensor ContrastiveModel::temperature() const { return log_temperature_.exp(); }

Weights ContrastiveModel::updates() const {
    Weights changed;
    for (const auto& [name, tensor] : parameters_.trained()) changed[name] = tensor.detach();
    changed.erase(temperature_name);
    changed["temperature"] = temperature().detach();
    return changed;
}

}  // namespace ltad
