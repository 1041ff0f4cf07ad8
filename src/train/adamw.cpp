#include "ltad/train/adamw.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace ltad {

AdamW::AdamW(const Parameters& parameters, AdamWOptions options) : options_(options) {
    for (const auto& [name, parameter] : parameters.trained()) {
        names_.push_back(name);
        parameters_.push_back(parameter);
        averages_.push_back(at::zeros_like(parameter.detach()));
        squares_.push_back(at::zeros_like(parameter.detach()));
        steps_.push_back(at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(parameter.device())));
    }
}

void AdamW::step(double rate) {
    const c10::NoGradGuard no_grad;
    std::vector<at::Tensor> parameters, gradients, averages, squares, steps;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        at::Tensor& gradient = parameters_[i].mutable_grad();
        if (!gradient.defined()) continue;
        parameters.push_back(parameters_[i]);
        // The fused kernel wants all its arguments laid out alike; convolutions give channels-last gradients.
        gradients.push_back(gradient.contiguous(parameters_[i].suggest_memory_format()));
        averages.push_back(averages_[i]);
        squares.push_back(squares_[i]);
        steps.push_back(steps_[i]);
        gradient.reset();
    }
    if (parameters.empty()) return;
    clip(gradients);
    at::_foreach_add_(steps, 1);
    at::_fused_adamw_(parameters, gradients, averages, squares, {}, steps, options_.learning_rate * rate,
                      options_.beta1, options_.beta2, options_.weight_decay, options_.eps, false, false);
}

void AdamW::clip(const std::vector<at::Tensor>& gradients) const {
    if (options_.clip_norm <= 0) return;
    const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
    // The small number is PyTorch's (clip_grad_norm_).
    if (norm > options_.clip_norm) at::_foreach_mul_(gradients, options_.clip_norm / (norm + 1e-6));
}

Weights AdamW::state() const {
    Weights state;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        state[names_[i] + ".exp_avg"] = averages_[i];
        state[names_[i] + ".exp_avg_sq"] = squares_[i];
        state[names_[i] + ".step"] = steps_[i];
    }
    return state;
}

void AdamW::load(const Weights& loaded, const std::string& where) {
    const Weights own = state();
    Shapes expected;
    for (const auto& [name, tensor] : own) expected[name] = tensor.sizes().vec();
    check_weights(loaded, expected, where);
    const c10::NoGradGuard no_grad;
    for (const auto& [name, tensor] : own) tensor.copy_(loaded.at(name));
}

}  // namespace ltad
