#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/weights.h"
#include "ltad/core/random.h"

namespace ltad {

/// Fills a new tensor; the stream depends on the seed and the parameter's name alone.
using Init = std::function<void(std::span<float>, Random&)>;

[[nodiscard]] Init init_constant(float value);
[[nodiscard]] Init init_uniform(double bound);  ///< [−bound, bound)
[[nodiscard]] Init init_normal(double deviation);
/// Glorot and Bengio 2010: bound √(6 / (fan_in + fan_out)).
[[nodiscard]] Init init_xavier_uniform(std::int64_t fan_in, std::int64_t fan_out);

/// The tensors of a trained module by name, in order of creation. Modules keep handles to the same tensors, so training
/// and loading change them in place.
class Parameters {
public:
    Parameters(std::uint64_t seed, at::Device device, at::ScalarType dtype = at::kFloat);

    /// A trained parameter.
    at::Tensor add(const std::string& name, const std::vector<std::int64_t>& shape, const Init& init);
    /// Saved with the module, but not trained (running statistics).
    at::Tensor add_buffer(const std::string& name, const std::vector<std::int64_t>& shape, const Init& init);

    [[nodiscard]] const std::vector<std::pair<std::string, at::Tensor>>& trained() const { return trained_; }
    [[nodiscard]] at::Device device() const { return device_; }

    /// All of them, parameters and buffers; handles, not copies.
    [[nodiscard]] Weights all() const;
    /// Copies values in. Throws Error naming `where` and every tensor that is missing, unexpected or misshapen.
    void load(const Weights& weights, const std::string& where);

private:
    at::Tensor make(const std::string& name, const std::vector<std::int64_t>& shape, const Init& init) const;

    std::uint64_t seed_;
    at::Device device_;
    at::ScalarType dtype_;
    std::vector<std::pair<std::string, at::Tensor>> trained_;
    std::vector<std::pair<std::string, at::Tensor>> buffers_;
};

/// y = x Wᵀ + b.
struct Linear {
    at::Tensor weight;  ///< [out, in]
    at::Tensor bias;    ///< [out]

    /// x: [..., in] → [..., out].
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// Adds name.weight and name.bias (zeros).
[[nodiscard]] Linear make_linear(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
                                 const Init& weight);

}  // namespace ltad
