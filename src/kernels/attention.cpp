#include "ltad/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>

#include "ltad/kernels/buffer.h"
#include "ltad/kernels/gemm.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t lane = 16;  // rows of scores are padded to whole vectors; what is in the padding is never used

std::int64_t padded(std::int64_t n) { return (n + lane - 1) / lane * lane; }

/// `width` columns of s [n keys, ld] and mask alike: raw products → e^(s scale + mask − maximum of the query).
template <std::int64_t width>
LTAD_INLINE void exponentials_of_strip(float* __restrict s, const float* __restrict mask, std::int64_t n,
                                       std::int64_t ld, float scale, float* __restrict maxima, float* __restrict sums) {
    float most[width], sum[width];
    for (std::int64_t i = 0; i < width; ++i) {
        most[i] = -std::numeric_limits<float>::infinity();
        sum[i] = 0;
    }
    for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = 0; i < width; ++i) {
            const float score = s[j * ld + i] * scale + mask[j * ld + i];
            s[j * ld + i] = score;
            most[i] = most[i] < score ? score : most[i];
        }
    }
    for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = 0; i < width; ++i) {
            s[j * ld + i] = fast_exp(s[j * ld + i] - most[i]);
            sum[i] += s[j * ld + i];
        }
    }
    for (std::int64_t i = 0; i < width; ++i) {
        maxima[i] = most[i];
        sums[i] = sum[i];
    }
}

/// The same for all columns: 64 at a time, whose maxima and sums stay in registers, then 16.
LTAD_MULTIVERSION(void, exponentials,
                  (float* s, const float* mask, std::int64_t n, std::int64_t ld, float scale, float* maxima,
                   float* sums)) {
    constexpr std::int64_t wide = 4 * lane;
    std::int64_t i = 0;
    for (; i + wide <= ld; i += wide) exponentials_of_strip<wide>(s + i, mask + i, n, ld, scale, maxima + i, sums + i);
    for (; i < ld; i += lane) exponentials_of_strip<lane>(s + i, mask + i, n, ld, scale, maxima + i, sums + i);
}

/// s: raw products → probabilities, from the saved logarithms of the sums.
LTAD_MULTIVERSION(void, probabilities,
                  (float* __restrict s, const float* __restrict mask, std::int64_t n, std::int64_t ld, float scale,
                   const float* __restrict log_sums)) {
    for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t i = 0; i < ld; ++i)
            s[j * ld + i] = fast_exp(s[j * ld + i] * scale + mask[j * ld + i] - log_sums[i]);
}

/// p → p f; g → p (g f − δ) scale, the gradient of the raw products; f = 1 where there are no factors.
LTAD_MULTIVERSION(void, through_softmax,
                  (float* __restrict p, float* __restrict g, const float* __restrict factors, std::int64_t n,
                   std::int64_t ld, float scale, const float* __restrict delta)) {
    for (std::int64_t j = 0; j < n; ++j) {
        float* const p_row = p + j * ld;
        float* const g_row = g + j * ld;
        if (factors == nullptr) {
            for (std::int64_t i = 0; i < ld; ++i) g_row[i] = p_row[i] * (g_row[i] - delta[i]) * scale;
            continue;
        }
        const float* const f = factors + j * ld;
        for (std::int64_t i = 0; i < ld; ++i) {
            g_row[i] = p_row[i] * (g_row[i] * f[i] - delta[i]) * scale;
            p_row[i] *= f[i];
        }
    }
}

/// x: [rows, ld], column i divided by divisor[i].
LTAD_MULTIVERSION(void, divide_columns,
                  (float* __restrict x, std::int64_t rows, std::int64_t ld, const float* __restrict divisor)) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < ld; ++i) x[r * ld + i] /= divisor[i];
}

/// delta[i] = Σ_d a_t[d, i] b_t[d, i].
LTAD_MULTIVERSION(void, dot_columns,
                  (const float* __restrict a_t, const float* __restrict b_t, std::int64_t rows, std::int64_t ld,
                   float* __restrict delta)) {
    std::fill(delta, delta + ld, 0.0f);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < ld; ++i) delta[i] += a_t[r * ld + i] * b_t[r * ld + i];
}

/// A thread's buffers, rows padded: three score matrices [n, ld], three of a head transposed [d, ld], two rows [ld].
class Scratch {
public:
    explicit Scratch(const AttentionShape& shape)
        : ld_(padded(shape.tokens)),
          square_(shape.tokens * ld_),
          narrow_(shape.head_dim * ld_),
          data_(make_buffer<float>(3 * square_ + 3 * narrow_ + 2 * ld_)) {}

    [[nodiscard]] float* scores(std::int64_t i) { return data_.get() + i * square_; }
    [[nodiscard]] float* head(std::int64_t i) { return data_.get() + 3 * square_ + i * narrow_; }
    [[nodiscard]] float* row(std::int64_t i) { return data_.get() + 3 * square_ + 3 * narrow_ + i * ld_; }

private:
    std::int64_t ld_;
    std::int64_t square_;
    std::int64_t narrow_;
    Buffer<float> data_;
};

template <typename T>
T* head_of(const HeadRows<T>& rows, const AttentionShape& shape, std::int64_t b, std::int64_t h) {
    return rows.data + b * rows.batch_stride + h * shape.head_dim;
}

/// Runs work(b, h, scratch, mask) for every head of every picture, by all threads; the mask comes with padded rows.
template <typename Work>
void for_heads(const AttentionShape& shape, const float* mask_t, const Work& work) {
    const std::int64_t n = shape.tokens;
    const std::int64_t ld = padded(n);
    std::vector<float> mask(static_cast<std::size_t>(n * ld));
    for (std::int64_t j = 0; j < n; ++j) std::copy_n(mask_t + j * n, n, mask.begin() + j * ld);
    at::parallel_for(0, shape.batch * shape.heads, 1, [&](std::int64_t begin, std::int64_t end) {
        Scratch scratch(shape);
        for (std::int64_t i = begin; i < end; ++i) work(i / shape.heads, i % shape.heads, scratch, mask.data());
    });
}

float scale_of(const AttentionShape& shape) {
    return static_cast<float>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
}

/// The first dropout factor of a head: each starts a group of its own.
std::int64_t first_factor(const AttentionShape& shape, std::int64_t b, std::int64_t h) {
    constexpr std::int64_t group = 128;
    return (b * shape.heads + h) * ((shape.tokens * padded(shape.tokens) + group - 1) / group * group);
}

}  // namespace

void attention_forward(const AttentionShape& shape, HeadRows<const float> q, HeadRows<const float> k,
                       HeadRows<const float> v, const float* mask_t, const DropoutMask& dropout, HeadRows<float> out,
                       float* log_sums) {
    const std::int64_t n = shape.tokens;
    const std::int64_t ld = padded(n);
    const std::int64_t d = shape.head_dim;
    for_heads(shape, mask_t, [&](std::int64_t b, std::int64_t h, Scratch& scratch, const float* mask) {
        float* const scores = scratch.scores(0);
        float* const maxima = scratch.row(0);
        float* const sums = scratch.row(1);
        transpose(head_of(q, shape, b, h), n, d, q.token_stride, scratch.head(0), ld);
        gemm(n, n, d, head_of(k, shape, b, h), k.token_stride, scratch.head(0), ld, scores, ld);
        exponentials(scores, mask, n, ld, scale_of(shape), maxima, sums);
        dropout.apply(scores, first_factor(shape, b, h), n * ld);
        transpose(head_of(v, shape, b, h), n, d, v.token_stride, scratch.head(1), ld);
        gemm(d, n, n, scratch.head(1), ld, scores, ld, scratch.head(2), ld);
        divide_columns(scratch.head(2), d, ld, sums);
        transpose(scratch.head(2), d, n, ld, head_of(out, shape, b, h), out.token_stride);
        float* const logs = log_sums + (b * shape.heads + h) * n;
        for (std::int64_t i = 0; i < n; ++i) logs[i] = maxima[i] + std::log(sums[i]);
    });
}

void attention_backward(const AttentionShape& shape, HeadRows<const float> q, HeadRows<const float> k,
                        HeadRows<const float> v, const float* mask_t, const DropoutMask& dropout,
                        HeadRows<const float> out, const float* log_sums, HeadRows<const float> d_out,
                        HeadRows<float> d_q, HeadRows<float> d_k, HeadRows<float> d_v) {
    const std::int64_t n = shape.tokens;
    const std::int64_t ld = padded(n);
    const std::int64_t d = shape.head_dim;
    for_heads(shape, mask_t, [&](std::int64_t b, std::int64_t h, Scratch& scratch, const float* mask) {
        float* const p = scratch.scores(0);
        float* const g = scratch.scores(1);
        float* const delta = scratch.row(0);
        float* const logs = scratch.row(1);
        const float* const d_out_head = head_of(d_out, shape, b, h);
        // δ_i = Σ_j P_ij (∂L/∂P)_ij, which equals ∂L/∂o_i · o_i, dropout or not.
        transpose(d_out_head, n, d, d_out.token_stride, scratch.head(0), ld);
        transpose(head_of(out, shape, b, h), n, d, out.token_stride, scratch.head(1), ld);
        dot_columns(scratch.head(0), scratch.head(1), d, ld, delta);
        gemm(n, n, d, head_of(v, shape, b, h), v.token_stride, scratch.head(0), ld, g, ld);

        transpose(head_of(q, shape, b, h), n, d, q.token_stride, scratch.head(0), ld);
        gemm(n, n, d, head_of(k, shape, b, h), k.token_stride, scratch.head(0), ld, p, ld);
        std::copy_n(log_sums + (b * shape.heads + h) * n, n, logs);
        probabilities(p, mask, n, ld, scale_of(shape), logs);
        if (dropout.active()) dropout.factors(scratch.scores(2), first_factor(shape, b, h), n * ld);
        through_softmax(p, g, dropout.active() ? scratch.scores(2) : nullptr, n, ld, scale_of(shape), delta);

        gemm(n, d, n, p, ld, d_out_head, d_out.token_stride, head_of(d_v, shape, b, h), d_v.token_stride);
        gemm(n, d, n, g, ld, head_of(q, shape, b, h), q.token_stride, head_of(d_k, shape, b, h), d_k.token_stride);
        transpose(head_of(k, shape, b, h), n, d, k.token_stride, scratch.head(0), ld);
        gemm(d, n, n, scratch.head(0), ld, g, ld, scratch.head(1), ld);
        transpose(scratch.head(1), d, n, ld, head_of(d_q, shape, b, h), d_q.token_stride);
    });
}

}  // namespace ltad
