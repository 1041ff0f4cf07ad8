#include "ltad/model/layers.h"

#include <cmath>
#include <optional>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ltad/kernels/attention.h"
#include "ltad/kernels/gemm.h"
#include "ltad/kernels/layer_norm.h"
#include "ltad/kernels/multiversion.h"
#include "ltad/model/dropout.h"

namespace ltad {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool has_kernels(const at::Tensor& x, const at::Tensor& weight) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
}

const float* data(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
float* out(const at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

std::int64_t rows_of(const at::Tensor& x) { return x.numel() / x.size(-1); }

at::Tensor empty_like_but(const at::Tensor& x, std::int64_t last) {
    auto shape = x.sizes().vec();
    shape.back() = last;
    return at::empty(shape, x.options());
}

void save(AutogradContext* context, const DropoutMask& mask) {
    context->saved_data["dropout_key"] = static_cast<std::int64_t>(mask.key());
    context->saved_data["dropout_p"] = mask.p();
}

DropoutMask saved_mask(AutogradContext* context) {
    return {static_cast<std::uint64_t>(context->saved_data["dropout_key"].toInt()),
            context->saved_data["dropout_p"].toDouble()};
}

void save(AutogradContext* context, Precision precision) {
    context->saved_data["bfloat16"] = precision == Precision::bfloat16;
}

Precision saved_precision(AutogradContext* context) {
    return context->saved_data["bfloat16"].toBool() ? Precision::bfloat16 : Precision::float32;
}

LTAD_MULTIVERSION(void, add_bias,
                  (float* __restrict y, std::int64_t rows, std::int64_t n, const float* __restrict bias)) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < n; ++i) y[r * n + i] += bias[i];
}

LTAD_MULTIVERSION(void, add_bias_and_cut,
                  (float* __restrict y, std::int64_t rows, std::int64_t n, const float* __restrict bias)) {
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < n; ++i) {
            const float value = y[r * n + i] + bias[i];
            y[r * n + i] = value < 0 ? 0 : value;  // NaN stays
        }
    }
}

/// d = d_y where y = dropout(relu(z)) let z through, times what dropout did.
LTAD_MULTIVERSION(void, through_relu,
                  (const float* __restrict d_y, const float* __restrict y, std::int64_t n, float kept,
                   float* __restrict d)) {
    for (std::int64_t i = 0; i < n; ++i) d[i] = y[i] > 0 ? d_y[i] * kept : 0;
}

/// Gradients of x Wᵀ + b. d_y: [rows, out].
void linear_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& d_y, const at::Tensor& d_x,
                     const at::Tensor& d_weight, const at::Tensor& d_bias, Precision precision) {
    const std::int64_t rows = rows_of(x), in = weight.size(1), n = weight.size(0);
    multiply_transposed(data(d_y), n, n, data(x), in, in, rows, out(d_weight), precision);
    sum_rows(data(d_y), rows, n, n, out(d_bias));
    if (d_x.defined()) multiply_rows(data(d_y), n, rows, Panels::of(data(weight), n, in, precision), out(d_x), in);
}

class LinearFunction : public torch::autograd::Function<LinearFunction> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                              const at::Tensor& bias, Precision precision) {
        const at::Tensor rows = x.contiguous();
        const std::int64_t n = weight.size(0), in = weight.size(1);
        const at::Tensor y = empty_like_but(rows, n);
        multiply_rows(
            data(rows), in, rows_of(rows), Panels::transposed(data(weight), n, in, precision), out(y), n,
            [&](std::int64_t first, std::int64_t count) { add_bias(out(y) + first * n, count, n, data(bias)); });
        context->save_for_backward({rows, weight});
        save(context, precision);
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor d_x = context->needs_input_grad(0) ? at::empty_like(saved[0]) : at::Tensor();
        const at::Tensor d_weight = at::empty_like(saved[1]);
        const at::Tensor d_bias = at::empty({saved[1].size(0)}, saved[1].options());
        linear_backward(saved[0], saved[1], gradients[0].contiguous(), d_x, d_weight, d_bias, saved_precision(context));
        return {d_x, d_weight, d_bias, {}};
    }
};

class LinearReluDropoutFunction : public torch::autograd::Function<LinearReluDropoutFunction> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                              const at::Tensor& bias, const DropoutMask& mask, Precision precision) {
        const at::Tensor rows = x.contiguous();
        const std::int64_t n = weight.size(0), in = weight.size(1);
        const at::Tensor y = empty_like_but(rows, n);
        multiply_rows(data(rows), in, rows_of(rows), Panels::transposed(data(weight), n, in, precision), out(y), n,
                      [&](std::int64_t first, std::int64_t count) {
                          add_bias_and_cut(out(y) + first * n, count, n, data(bias));
                          mask.apply(out(y) + first * n, first * n, count * n);
                      });
        context->save_for_backward({rows, weight, y});
        context->saved_data["kept"] = static_cast<double>(mask.kept());
        save(context, precision);
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor d_y = gradients[0].contiguous();
        const at::Tensor d_z = at::empty_like(d_y);
        const std::int64_t n = saved[1].size(0);
        const auto kept = static_cast<float>(context->saved_data["kept"].toDouble());
        for_row_blocks(rows_of(d_y), [&](std::int64_t first, std::int64_t count) {
            through_relu(data(d_y) + first * n, data(saved[2]) + first * n, count * n, kept, out(d_z) + first * n);
        });
        const at::Tensor d_x = context->needs_input_grad(0) ? at::empty_like(saved[0]) : at::Tensor();
        const at::Tensor d_weight = at::empty_like(saved[1]);
        const at::Tensor d_bias = at::empty({n}, saved[1].options());
        linear_backward(saved[0], saved[1], d_z, d_x, d_weight, d_bias, saved_precision(context));
        return {d_x, d_weight, d_bias, {}, {}};
    }
};

class AddLayerNormFunction : public torch::autograd::Function<AddLayerNormFunction> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const std::optional<at::Tensor>& change,
                              const at::Tensor& weight, const at::Tensor& bias, const DropoutMask& mask,
                              bool will_learn) {
        const at::Tensor base = x.contiguous();
        const at::Tensor added = change ? change->contiguous() : at::Tensor();
        const at::Tensor y = at::empty_like(added.defined() ? added : base);
        const at::Tensor normalized = will_learn ? at::empty_like(y) : at::Tensor();
        const LayerNormShape shape{.rows = rows_of(y), .dim = y.size(-1), .x_rows = rows_of(base)};
        const at::Tensor inverse = at::empty({shape.rows}, y.options());
        add_layer_norm_forward(shape, data(base), added.defined() ? data(added) : nullptr, mask, data(weight),
                               data(bias), out(y), will_learn ? out(normalized) : nullptr, out(inverse));
        context->save_for_backward({normalized, inverse, weight});
        context->saved_data["x_shape"] = base.sizes();
        context->saved_data["has_change"] = added.defined();
        save(context, mask);
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor& normalized = saved[0];
        const DropoutMask mask = saved_mask(context);
        const auto x_shape = context->saved_data["x_shape"].toIntVector();
        const bool has_change = context->saved_data["has_change"].toBool();
        at::Tensor d_x = at::empty_like(normalized);
        // Without dropout the change's gradient is that of the sum itself.
        at::Tensor d_change = has_change && mask.active() ? at::empty_like(normalized) : at::Tensor();
        const at::Tensor d_weight = at::empty_like(saved[2]);
        const at::Tensor d_bias = at::empty_like(saved[2]);
        const std::int64_t rows = rows_of(normalized);
        add_layer_norm_backward({.rows = rows, .dim = normalized.size(-1), .x_rows = rows}, data(normalized),
                                data(saved[1]), mask, data(saved[2]), data(gradients[0].contiguous()), out(d_x),
                                d_change.defined() ? out(d_change) : nullptr, out(d_weight), out(d_bias));
        if (has_change && !mask.active()) d_change = d_x;
        if (!context->needs_input_grad(0))
            d_x = at::Tensor();
        else if (x_shape != normalized.sizes())
            d_x = d_x.sum(0, true);
        return {d_x, d_change, d_weight, d_bias, {}, {}};
    }
};

/// Where attention's projections of all pictures lie: q and k side by side when one product gives both.
struct Projected {
    at::Tensor q, k, v;  // [B or 1, N, D], rows may be strided
};

HeadRows<const float> rows_in(const at::Tensor& x) { return {data(x), x.size(0) == 1 ? 0 : x.stride(0), x.stride(1)}; }
HeadRows<float> rows_out(const at::Tensor& x) { return {out(x), x.stride(0), x.stride(1)}; }

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& query, const at::Tensor& key,
                              const at::Tensor& value, const at::Tensor& weight, const at::Tensor& bias,
                              const at::Tensor& mask, std::int64_t heads, const DropoutMask& dropout,
                              Precision precision) {
        const bool shared = key.is_same(query);
        const at::Tensor query_rows = query.contiguous();
        const at::Tensor key_rows = shared ? query_rows : key.contiguous();
        const at::Tensor value_rows = value.contiguous();
        const Projected p = project(query_rows, key_rows, value_rows, weight, bias, shared, precision);
        const AttentionShape shape = shape_of(value, heads);
        const at::Tensor mixed = at::empty_like(value_rows);
        const at::Tensor log_sums = at::empty({shape.batch, heads, shape.tokens}, value.options());
        const at::Tensor mask_t = mask.t().contiguous();
        attention_forward(shape, rows_in(p.q), rows_in(p.k), rows_in(p.v), data(mask_t), dropout, rows_out(mixed),
                          out(log_sums));
        context->save_for_backward({query_rows, key_rows, value_rows, weight, mask_t, p.q, p.k, p.v, mixed, log_sums});
        context->saved_data["heads"] = heads;
        context->saved_data["shared"] = shared;
        save(context, precision);
        save(context, dropout);
        return mixed;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const at::Tensor &query = saved[0], &key = saved[1], &value = saved[2], &weight = saved[3];
        const bool shared = context->saved_data["shared"].toBool();
        const AttentionShape shape = shape_of(value, context->saved_data["heads"].toInt());
        const std::int64_t dim = value.size(2);

        const at::Tensor both = shared ? empty_like_but(value, 2 * dim) : at::Tensor();
        at::Tensor d_q = shared ? both.narrow(2, 0, dim) : at::empty_like(value);
        const at::Tensor d_k = shared ? both.narrow(2, dim, dim) : at::empty_like(value);
        const at::Tensor d_v = at::empty_like(value);
        const at::Tensor d_mixed = gradients[0].contiguous();
        attention_backward(shape, rows_in(saved[5]), rows_in(saved[6]), rows_in(saved[7]), data(saved[4]),
                           saved_mask(context), rows_in(saved[8]), data(saved[9]), rows_in(d_mixed), rows_out(d_q),
                           rows_out(d_k), rows_out(d_v));
        if (query.size(0) != value.size(0)) d_q = d_q.sum(0, true);

        const at::Tensor d_weight = at::empty_like(weight), d_bias = at::empty({3 * dim}, weight.options());
        const auto part = [&](const at::Tensor& x, const at::Tensor& d_y, std::int64_t first, bool wanted) {
            const at::Tensor d_x = wanted ? at::empty_like(x) : at::Tensor();
            const std::int64_t n = d_y.size(2);
            linear_backward(x, weight.narrow(0, first, n), d_y, d_x, d_weight.narrow(0, first, n),
                            d_bias.narrow(0, first, n), saved_precision(context));
            return d_x;
        };
        at::Tensor d_query, d_key;
        if (shared) {
            d_query = part(query, both, 0, context->needs_input_grad(0) || context->needs_input_grad(1));
        } else {
            d_query = part(query, d_q, 0, context->needs_input_grad(0));
            d_key = part(key, d_k, dim, context->needs_input_grad(1));
        }
        const at::Tensor d_value = part(value, d_v, 2 * dim, context->needs_input_grad(2));
        return {d_query, d_key, d_value, d_weight, d_bias, {}, {}, {}, {}};
    }

private:
    static AttentionShape shape_of(const at::Tensor& value, std::int64_t heads) {
        return {.batch = value.size(0), .tokens = value.size(1), .heads = heads, .head_dim = value.size(2) / heads};
    }

    /// x Wᵀ + b with rows `first` … of the stacked weight.
    static at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t first,
                              std::int64_t n, Precision precision) {
        const std::int64_t dim = x.size(2);
        const at::Tensor y = empty_like_but(x, n);
        multiply_rows(
            data(x), dim, rows_of(x), Panels::transposed(data(weight) + first * dim, n, dim, precision), out(y), n,
            [&](std::int64_t row, std::int64_t count) { add_bias(out(y) + row * n, count, n, data(bias) + first); });
        return y;
    }

    static Projected project(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                             const at::Tensor& weight, const at::Tensor& bias, bool shared, Precision precision) {
        const std::int64_t dim = value.size(2);
        Projected p;
        if (shared) {
            const at::Tensor both = product(query, weight, bias, 0, 2 * dim, precision);
            p.q = both.narrow(2, 0, dim);
            p.k = both.narrow(2, dim, dim);
        } else {
            p.q = product(query, weight, bias, 0, dim, precision);
            p.k = product(key, weight, bias, dim, dim, precision);
        }
        p.v = product(value, weight, bias, 2 * dim, dim, precision);
        return p;
    }
};

/// The same in LibTorch's operators.
at::Tensor plain_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           const AttentionInput& input, const at::Tensor& mask, std::int64_t heads, double p,
                           bool training) {
    const std::int64_t dim = value.size(2);
    const std::int64_t tokens = value.size(1);
    const auto weights = input.weight.chunk(3);
    const auto biases = input.bias.chunk(3);
    const auto project = [&](const at::Tensor& x, std::size_t part) {  // [B or 1, N, D] → [B or 1, heads, N, D / heads]
        return at::linear(x, weights[part], biases[part]).view({x.size(0), tokens, heads, dim / heads}).transpose(1, 2);
    };
    const at::Tensor scaled = project(query, 0) / std::sqrt(static_cast<double>(dim / heads));
    const at::Tensor scores = at::matmul(scaled, project(key, 1).transpose(2, 3)) + mask;
    const at::Tensor mixed = at::matmul(apply_dropout(scores.softmax(-1), p, training), project(value, 2));
    return mixed.transpose(1, 2).reshape({mixed.size(0), tokens, dim});
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Precision precision) {
    if (!has_kernels(x, weight)) return at::linear(x, weight, bias);
    return LinearFunction::apply(x, weight, bias, precision);
}

at::Tensor linear_relu_dropout(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double p,
                               bool training, Precision precision) {
    if (!has_kernels(x, weight)) return apply_dropout(at::relu(at::linear(x, weight, bias)), p, training);
    return LinearReluDropoutFunction::apply(x, weight, bias, draw_dropout(p, training), precision);
}

at::Tensor add_layer_norm(const at::Tensor& x, const at::Tensor& change, const at::Tensor& weight,
                          const at::Tensor& bias, double p, bool training) {
    if (!has_kernels(x, weight)) {
        const at::Tensor sum = change.defined() ? x + apply_dropout(change, p, training) : x;
        return at::layer_norm(sum, {sum.size(-1)}, weight, bias);
    }
    const std::optional<at::Tensor> added = change.defined() ? std::optional(change) : std::nullopt;
    return AddLayerNormFunction::apply(x, added, weight, bias, draw_dropout(added ? p : 0, training),
                                       c10::GradMode::is_enabled());
}

at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     const AttentionInput& input, const at::Tensor& mask, std::int64_t heads, double p, bool training,
                     Precision precision) {
    if (!has_kernels(value, input.weight)) return plain_attention(query, key, value, input, mask, heads, p, training);
    return AttentionFunction::apply(query, key, value, input.weight, input.bias, mask, heads, draw_dropout(p, training),
                                    precision);
}

}  // namespace ltad
