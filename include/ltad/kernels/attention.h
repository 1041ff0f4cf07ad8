#pragma once

#include <cstdint>

#include "ltad/kernels/dropout.h"

namespace ltad {

// Multi-head attention on the CPU in float32: softmax(q kᵀ / √d + mask), dropout, times v, head by head in the cache.
// The N × N scores are kept transposed (a row for each key), so that softmax runs along whole vectors; backward
// computes them again rather than reading them from memory.

struct AttentionShape {
    std::int64_t batch = 0;
    std::int64_t tokens = 0;
    std::int64_t heads = 0;
    std::int64_t head_dim = 0;
};

/// Rows of a token's heads, [heads · head_dim] each: token n of picture b is at data + b · batch_stride + n ·
/// token_stride. A batch stride of 0 shares one set of tokens between all pictures.
template <typename T>
struct HeadRows {
    T* data = nullptr;
    std::int64_t batch_stride = 0;
    std::int64_t token_stride = 0;
};

/// mask_t: [tokens, tokens], added to the scores, 0 or −∞, row = key, column = query; no query may have all keys
/// masked. log_sums: [batch, heads, tokens], for backward.
void attention_forward(const AttentionShape& shape, HeadRows<const float> q, HeadRows<const float> k,
                       HeadRows<const float> v, const float* mask_t, const DropoutMask& dropout, HeadRows<float> out,
                       float* log_sums);

/// Gradients with respect to q, k and v (written, one for each picture even where q is shared).
void attention_backward(const AttentionShape& shape, HeadRows<const float> q, HeadRows<const float> k,
                        HeadRows<const float> v, const float* mask_t, const DropoutMask& dropout,
                        HeadRows<const float> out, const float* log_sums, HeadRows<const float> d_out,
                        HeadRows<float> d_q, HeadRows<float> d_k, HeadRows<float> d_v);

}  // namespace ltad
