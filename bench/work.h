#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace ltad::bench {

/// Does the work once.
using Step = std::function<void()>;

/// One way of doing a piece of work. `prepare` builds what it needs and gives the step; it is called after the number
/// of threads has been set. `result` computes something that all ways must agree on, or is empty.
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

/// Registers it; the program then measures every variant with every number of threads under
/// "work/variant/threads".
void add(Work work);

/// Runs f on construction; for registering at namespace scope.
struct Register {
    explicit Register(const std::function<void()>& f) { f(); }
};

}  // namespace ltad::bench
