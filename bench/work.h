#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace ltad::bench {

/// Does the work once.
using Step = std::function<void()>;

/// One way of doing a piece of work. `prepare` builds what it needs and gives the step. `result` computes something
/// that all ways must agree on, or is empty.
struct Variant {
    std::string name;  ///< "ours" or "plain …"
    std::function<Step()> prepare;
    std::function<at::Tensor()> result;
    double tolerance = 1e-4;  ///< of the result, relative to the largest value
};

/// A piece of work, and the ways of doing it that are compared.
struct Work {
    std::string name;
    std::string unit;  ///< what is counted, e.g. "images"
    double items = 1;  ///< in a step
    double flops = 0;  ///< for an item; 0 where the arithmetic is not the point
    std::vector<Variant> variants;
    std::vector<int> threads = {1, 2};
};

// The works of each area, in the source of that name.
[[nodiscard]] std::vector<Work> peak_works();
[[nodiscard]] std::vector<Work> encode_works();
[[nodiscard]] std::vector<Work> pictures_works();
[[nodiscard]] std::vector<Work> phase1_works();
[[nodiscard]] std::vector<Work> phase2_works();
[[nodiscard]] std::vector<Work> score_works();
[[nodiscard]] std::vector<Work> auroc_works();
[[nodiscard]] std::vector<Work> store_works();
[[nodiscard]] std::vector<Work> startup_works();

}  // namespace ltad::bench
