#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "ltad/core/random.h"

namespace ltad::test {

/// Compares the gradient of a scalar function with central differences in double, on a random subset of the coordinates
/// of each input. The inputs are double leaves that require gradients; `function` reads them through its own handles.
inline void check_gradients(const std::function<at::Tensor()>& function,
                            const std::vector<std::pair<std::string, at::Tensor>>& inputs, int coordinates = 6,
                            double tolerance = 1e-6, double step = 1e-5) {
    for (const auto& [name, input] : inputs) {
        ASSERT_EQ(input.scalar_type(), at::kDouble) << name;
        ASSERT_TRUE(input.requires_grad() && input.is_contiguous()) << name;
        input.mutable_grad().reset();
    }
    function().backward();
    const c10::NoGradGuard no_grad;
    for (const auto& [name, input] : inputs) {
        ASSERT_TRUE(input.grad().defined()) << name << " gets no gradient";
        const at::Tensor gradient = input.grad().contiguous();
        // What central differences cannot resolve is relative to the largest slope of this input.
        const double scale = std::max(1e-2, gradient.abs().max().item<double>());
        auto* const value = input.mutable_data_ptr<double>();
        Random random(RandomUse::test, {random_key(name)});
        for (int k = 0; k < coordinates; ++k) {
            const auto at = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(input.numel())));
            const double kept = value[at];
            value[at] = kept + step;
            const double above = function().item<double>();
            value[at] = kept - step;
            const double below = function().item<double>();
            value[at] = kept;
            EXPECT_NEAR(gradient.const_data_ptr<double>()[at], (above - below) / (2 * step), tolerance * scale)
                << name << " at " << at;
        }
    }
}

}  // namespace ltad::test
