#include "ltad/kernels/attention.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad {
namespace {

/// q, k and v side by side, q shared between the pictures or not, with a mask that is not symmetric.
struct Case {
    AttentionShape shape;
    bool shared_query = false;
    DropoutMask dropout = {};
    std::int64_t dim = shape.heads * shape.head_dim;
    at::Tensor qkv = test::random_tensor({shape.batch, shape.tokens, 3 * dim}, 1);
    at::Tensor query = test::random_tensor({1, shape.tokens, dim}, 2);
    at::Tensor d_out = test::random_tensor({shape.batch, shape.tokens, dim}, 3);
    at::Tensor mask = hidden();  // [query, key]

    at::Tensor hidden() const {
        at::Tensor mask_of = test::random_tensor({shape.tokens, shape.tokens}, 4).gt(0.5).to(at::kFloat);
        mask_of.diagonal().zero_();
        return at::where(mask_of.gt(0), -std::numeric_limits<float>::infinity(), 0.0f).contiguous();
    }
    at::Tensor part(std::int64_t i) const {
        return i == 0 && shared_query ? query.expand({shape.batch, shape.tokens, dim}) : qkv.narrow(2, i * dim, dim);
    }
    HeadRows<const float> rows(std::int64_t i) const {
        const at::Tensor x = part(i);
        return {x.const_data_ptr<float>(), x.stride(0), x.stride(1)};
    }
};

struct Result {
    at::Tensor out, d_q, d_k, d_v;
};

Result fast(const Case& c, int threads = 1) {
    at::set_num_threads(threads);
    Result r;
    for (at::Tensor* const t : {&r.out, &r.d_q, &r.d_k, &r.d_v}) *t = at::empty_like(c.d_out);
    const auto writable = [](at::Tensor& t) {
        return HeadRows<float>{t.mutable_data_ptr<float>(), t.stride(0), t.stride(1)};
    };
    const auto readable = [](const at::Tensor& t) {
        return HeadRows<const float>{t.const_data_ptr<float>(), t.stride(0), t.stride(1)};
    };
    const at::Tensor mask_t = c.mask.t().contiguous();
    at::Tensor log_sums = at::empty({c.shape.batch, c.shape.heads, c.shape.tokens});
    attention_forward(c.shape, c.rows(0), c.rows(1), c.rows(2), mask_t.const_data_ptr<float>(), c.dropout,
                      writable(r.out), log_sums.mutable_data_ptr<float>());
    attention_backward(c.shape, c.rows(0), c.rows(1), c.rows(2), mask_t.const_data_ptr<float>(), c.dropout,
                       readable(r.out), log_sums.const_data_ptr<float>(), readable(c.d_out), writable(r.d_q),
                       writable(r.d_k), writable(r.d_v));
    at::set_num_threads(1);
    return r;
}

/// The factors that the kernel uses, in [B, heads, query, key]: rows of keys are padded to 16, heads to 128.
at::Tensor factors_of(const Case& c) {
    const std::int64_t n = c.shape.tokens;
    const std::int64_t ld = (n + 15) / 16 * 16;
    const std::int64_t head = (n * ld + 127) / 128 * 128;
    at::Tensor all = at::ones({c.shape.batch * c.shape.heads, head});
    if (c.dropout.active()) c.dropout.factors(all.mutable_data_ptr<float>(), 0, all.numel());
    return all.narrow(1, 0, n * ld)
        .view({c.shape.batch, c.shape.heads, n, ld})
        .narrow(3, 0, n)
        .transpose(2, 3)
        .to(at::kDouble);
}

/// The definition, by autograd, in double.
Result plain(const Case& c) {
    const auto leaf = [&](std::int64_t i) { return c.part(i).to(at::kDouble).contiguous().set_requires_grad(true); };
    at::Tensor q = leaf(0), k = leaf(1), v = leaf(2);
    const auto heads = [&](const at::Tensor& x) {
        return x.view({c.shape.batch, c.shape.tokens, c.shape.heads, c.shape.head_dim}).transpose(1, 2);
    };
    const at::Tensor scores =
        at::matmul(heads(q), heads(k).transpose(2, 3)) / std::sqrt(static_cast<double>(c.shape.head_dim));
    const at::Tensor weights = (scores + c.mask.to(at::kDouble)).softmax(-1) * factors_of(c);
    const at::Tensor out = at::matmul(weights, heads(v)).transpose(1, 2).reshape(c.d_out.sizes());
    out.backward(c.d_out.to(at::kDouble));
    return {out.detach(), q.grad(), k.grad(), v.grad()};
}

const std::vector<Case> cases = {
    {.shape = {.batch = 2, .tokens = 16, .heads = 2, .head_dim = 4}},
    {.shape = {.batch = 1, .tokens = 1, .heads = 1, .head_dim = 1}},
    {.shape = {.batch = 3, .tokens = 49, .heads = 2, .head_dim = 8}, .dropout = DropoutMask(5, 0.3)},
    {.shape = {.batch = 2, .tokens = 70, .heads = 3, .head_dim = 5},
     .shared_query = true,
     .dropout = DropoutMask(9, 0.1)},
    {.shape = {.batch = 1, .tokens = 196, .heads = 1, .head_dim = 32}, .shared_query = true},
};

TEST(Attention, AgreesWithTheDefinitionAndItsGradients) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.shape.tokens);
        const Result actual = fast(c), expected = plain(c);
        EXPECT_CLOSE_WITHIN(actual.out, expected.out, 1e-5);
        EXPECT_CLOSE_WITHIN(actual.d_v, expected.d_v, 1e-5);
        if (c.shape.tokens == 1) {  // softmax of one score does not move
            EXPECT_LT(at::cat({actual.d_q, actual.d_k}).abs().max().item<float>(), 1e-6);
            continue;
        }
        EXPECT_CLOSE_WITHIN(actual.d_q, expected.d_q, 1e-5);
        EXPECT_CLOSE_WITHIN(actual.d_k, expected.d_k, 1e-5);
    }
}

TEST(Attention, LargeScoresDoNotOverflow) {
    Case c = cases[0];
    c.qkv.narrow(2, 0, 2 * c.dim).mul_(60);
    EXPECT_CLOSE_WITHIN(fast(c).out, plain(c).out, 1e-4);
}

TEST(Attention, DoesNotDependOnTheNumberOfThreads) {
    for (const Case& c : cases) {
        const Result one = fast(c, 1), three = fast(c, 3);
        EXPECT_TRUE(at::equal(one.out, three.out));
        EXPECT_TRUE(at::equal(one.d_q, three.d_q));
        EXPECT_TRUE(at::equal(one.d_k, three.d_k));
        EXPECT_TRUE(at::equal(one.d_v, three.d_v));
    }
}

}  // namespace
}  // namespace ltad
