#pragma once

#include <cstdint>

#include "ltad/kernels/buffer.h"
#include "ltad/kernels/gemm.h"

namespace ltad {

/// A frozen 1 × 1 convolution (or linear layer): weight [n, k], packed in panels of 64 outputs as products read them,
/// and bias [n]. Panels serves whole matrices; here the caller takes one panel, or some of its inputs, at a time.
class FrozenPointwise {
public:
    static constexpr std::int64_t width = 64;

    FrozenPointwise() = default;
    FrozenPointwise(const float* weight, const float* bias, std::int64_t n, std::int64_t k, Precision precision);

    [[nodiscard]] std::int64_t inputs() const { return k_; }
    [[nodiscard]] std::int64_t outputs() const { return n_; }
    [[nodiscard]] std::int64_t panels() const { return (n_ + width - 1) / width; }
    /// Outputs of a panel: 64, of the last one perhaps fewer.
    [[nodiscard]] std::int64_t columns(std::int64_t panel) const;
    /// Of a panel's outputs; zeros follow up to a multiple of 16.
    [[nodiscard]] const float* bias(std::int64_t panel = 0) const { return bias_.get() + panel * width; }
    [[nodiscard]] Precision precision() const { return precision_; }

    /// Some inputs of one panel.
    struct Part {
        std::int64_t panel = 0;
        std::int64_t first = 0;  ///< input; even in bfloat16
        std::int64_t count = 0;  ///< inputs
    };
    /// c [m, columns] = a [m, count] Wᵀ of that part, or += with `accumulate`; on the calling thread. In float32:
    void multiply(const Part& part, std::int64_t m, const float* a, std::int64_t lda, float* c, std::int64_t ldc,
                  bool accumulate = false) const;
    /// In bfloat16, a as to_bfloat16 gives it:
    void multiply(const Part& part, std::int64_t m, const std::uint32_t* a, float* c, std::int64_t ldc,
                  bool accumulate = false) const;

private:
    std::int64_t n_ = 0;
    std::int64_t k_ = 0;
    Precision precision_ = Precision::float32;
    Buffer<float> bias_;
    Buffer<float> floats_;         ///< panel after panel, [k, columns]; or
    Buffer<std::uint32_t> pairs_;  ///< the same in bfloat16, two rows interleaved
};

}  // namespace ltad
