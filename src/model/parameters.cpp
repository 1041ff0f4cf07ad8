#include "ltad/model/parameters.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/layers.h"

namespace ltad {

Init init_constant(float value) {
    return [value](std::span<float> out, Random&) { std::fill(out.begin(), out.end(), value); };
}

Init init_uniform(double bound) {
    return [bound](std::span<float> out, Random& random) {
        for (float& value : out) value = static_cast<float>(random.uniform(-bound, bound));
    };
}

Init init_normal(double deviation) {
    return [deviation](std::span<float> out, Random& random) {
        random.fill_normal(out);
        for (float& value : out) value *= static_cast<float>(deviation);
    };
}

Init init_xavier_uniform(std::int64_t fan_in, std::int64_t fan_out) {
    return init_uniform(std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

Parameters::Parameters(std::uint64_t seed, at::Device device, at::ScalarType dtype)
    : seed_(seed), device_(device), dtype_(dtype) {}

at::Tensor Parameters::make(const std::string& name, const std::vector<std::int64_t>& shape, const Init& init) const {
    at::Tensor values = at::empty(shape, at::kFloat);
    Random random(RandomUse::init, {seed_, random_key(name)});
    init({values.mutable_data_ptr<float>(), static_cast<std::size_t>(values.numel())}, random);
    return values.to(device_, dtype_);
}

at::Tensor Parameters::add(const std::string& name, const std::vector<std::int64_t>& shape, const Init& init) {
    at::Tensor tensor = make(name, shape, init);
    tensor.set_requires_grad(true);
    trained_.emplace_back(name, tensor);
    return tensor;
}

at::Tensor Parameters::add_buffer(const std::string& name, const std::vector<std::int64_t>& shape, const Init& init) {
    return buffers_.emplace_back(name, make(name, shape, init)).second;
}

Weights Parameters::all() const {
    Weights weights(trained_.begin(), trained_.end());
    weights.insert(buffers_.begin(), buffers_.end());
    return weights;
}

void Parameters::load(const Weights& weights, const std::string& where) {
    const Weights own = all();
    Shapes expected;
    for (const auto& [name, tensor] : own) expected[name] = tensor.sizes().vec();
    check_weights(weights, expected, where);
    const c10::NoGradGuard no_grad;
    for (const auto& [name, tensor] : own) tensor.copy_(weights.at(name));
}

at::Tensor Linear::operator()(const at::Tensor& x) const { return linear(x, weight, bias); }

Linear make_linear(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
                   const Init& weight) {
    return {parameters.add(name + ".weight", {out, in}, weight),
            parameters.add(name + ".bias", {out}, init_constant(0))};
}

}  // namespace ltad
