#include "ltad/align/activation.h"

#include <ATen/ATen.h>

#include "ltad/core/error.h"

namespace ltad {

Activation parse_activation(const std::string& name, const std::string& where) {
    if (name == "swish" || name == "silu") return Activation::swish;
    if (name == "relu") return Activation::relu;
    if (name == "relu6") return Activation::relu6;
    if (name == "gelu") return Activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    fail(where, ": hidden_act '", name, "' is not known (swish, silu, relu, relu6, gelu, gelu_new, gelu_pytorch_tanh)");
}

std::optional<Rectifier> rectifier_of(Activation activation) {
    if (activation == Activation::relu) return Rectifier::relu;
    if (activation == Activation::relu6) return Rectifier::relu6;
    if (activation == Activation::swish) return Rectifier::swish;
    return std::nullopt;
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
    switch (activation) {
        case Activation::relu:
            return at::relu(x);
        case Activation::relu6:
            return at::relu6(x);
        case Activation::swish:
            return at::silu(x);
        case Activation::gelu:
            return at::gelu(x);
        case Activation::gelu_tanh:
            return at::gelu(x, "tanh");
    }
    return x;
}

at::Tensor activate_in_place(Activation activation, at::Tensor x) {
    switch (activation) {
        case Activation::relu:
            return at::relu_(x);
        case Activation::relu6:
            return at::relu6_(x);
        case Activation::swish:
            return at::silu_(x);
        case Activation::gelu:
            return at::gelu_(x);
        case Activation::gelu_tanh:
            return at::gelu_(x, "tanh");
    }
    return x;
}

}  // namespace ltad
