#pragma once

#include <cstdint>

namespace ltad {

// A linear layer on a few rows (a batch of vectors) on the CPU in float32, by all threads: reading or writing the
// weight is all the time it takes, so nothing is copied or rearranged but the rows. A result does not depend on the
// number of threads.

/// y [rows, n] = x [rows, k] weightᵀ + bias; weight: [n, k]; bias: [n], or null for none.
void multiply_few_rows(const float* x, std::int64_t rows, std::int64_t k, const float* weight, std::int64_t n,
                       const float* bias, float* y);

/// Gradients with respect to weight [n, k] (d_yᵀ x) and bias [n], written.
void few_rows_weight_gradient(const float* x, std::int64_t rows, std::int64_t k, const float* d_y, std::int64_t n,
                              float* d_weight, float* d_bias);

/// Gradient with respect to x: d_x [rows, k] = d_y [rows, n] weight.
void few_rows_input_gradient(const float* d_y, std::int64_t rows, std::int64_t n, const float* weight, std::int64_t k,
                             float* d_x);

}  // namespace ltad
