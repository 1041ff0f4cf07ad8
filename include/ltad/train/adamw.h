#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/weights.h"
#include "ltad/model/parameters.h"

namespace ltad {

struct AdamWOptions {
    double learning_rate = 0;
    double weight_decay = 0;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    /// Gradients whose norm over all parameters is larger are scaled down to it; 0 for no limit.
    double clip_norm = 0;
};

/// AdamW (Loshchilov and Hutter 2019) over a module's trained parameters, with LibTorch's fused kernel. Its state is
/// keyed by parameter name.
class AdamW {
public:
    AdamW(const Parameters& parameters, AdamWOptions options);

    /// One update from the parameters' gradients, which are then dropped. A parameter without gradient stays.
    /// `rate`: what the learning rate is multiplied with.
    void step(double rate = 1);

    /// "<name>.exp_avg", "<name>.exp_avg_sq" and "<name>.step" of every parameter.
    [[nodiscard]] Weights state() const;
    /// Throws Error naming `where` and the tensors that do not fit.
    void load(const Weights& state, const std::string& where);

private:
    void clip(const std::vector<at::Tensor>& gradients) const;

    AdamWOptions options_;
    std::vector<std::string> names_;
    std::vector<at::Tensor> parameters_, averages_, squares_, steps_;
};

}  // namespace ltad
