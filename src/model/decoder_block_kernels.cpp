#include "decoder_block_kernels.h"

#include <cmath>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ltad/kernels/few_rows.h"
#include "ltad/kernels/gemm.h"
#include "ltad/kernels/train_depthwise.h"
#include "ltad/kernels/train_gate.h"
#include "ltad/kernels/train_norm.h"
#include "ltad/kernels/train_product.h"

namespace ltad {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t product_rows = 128;  // of a block of the first product

const float* data(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }
float* out(const at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

at::Tensor empty_maps(const at::Tensor& like, std::int64_t batch, std::int64_t channels, std::int64_t size) {
    return at::empty({batch, channels, size, size}, like.options(), at::MemoryFormat::ChannelsLast);
}

at::Tensor activation_backward(Activation activation, const at::Tensor& d, const at::Tensor& z) {
    if (activation == Activation::swish) return at::silu_backward(d, z);
    return activation == Activation::relu6 ? at::hardtanh_backward(d, z, 0, 6) : at::threshold_backward(d, z, 0);
}

/// The norm in a tensor of its mean, inverse, scale and shift, [4, channels].
ChannelNorm channel_norm(const at::Tensor& norm) {
    const std::int64_t channels = norm.size(1);
    const float* const first = data(norm);
    return {first, first + channels, first + 2 * channels, first + 3 * channels};
}

/// With the batch's statistics, which the running ones take up; without `statistics`, with the running ones.
at::Tensor make_norm(const DecoderBlock::Unit& unit, const NormOptions& options, const BatchStatistics* statistics,
                     std::int64_t values) {
    const std::int64_t channels = unit.scale.size(0);
    const at::Tensor norm = at::empty({4, channels}, unit.scale.options());
    float *const mean = out(norm), *const inverse = mean + channels, *const scale = inverse + channels,
                 *const shift = scale + channels;
    float *const running_mean = out(unit.running_mean), *const running_var = out(unit.running_var);
    const float *const gamma = data(unit.scale), *const beta = data(unit.shift);
    const double momentum = options.momentum;
    const double unbiased = static_cast<double>(values) / static_cast<double>(values - 1);
    if (statistics != nullptr) statistics->finish(mean, inverse);
    for (std::int64_t c = 0; c < channels; ++c) {
        double variance = inverse[c];
        if (statistics == nullptr) {
            mean[c] = running_mean[c];
            variance = running_var[c];
        } else {
            running_mean[c] = static_cast<float>(momentum * mean[c] + (1 - momentum) * running_mean[c]);
            running_var[c] = static_cast<float>(momentum * unbiased * variance + (1 - momentum) * running_var[c]);
        }
        inverse[c] = static_cast<float>(1 / std::sqrt(variance + options.eps));
        scale[c] = gamma[c] * inverse[c];
        shift[c] = beta[c] - scale[c] * mean[c];
    }
    return norm;
}

/// What forward leaves for backward: of maps, the results of the three convolutions before their norms.
struct Pass {
    at::Tensor x;
    at::Tensor expanded, expand_norm;
    at::Tensor convolved, depthwise_norm;
    at::Tensor mean, squeezed, gate;
    at::Tensor projected, project_norm;
    at::Tensor expand_weight, depthwise_weight, reduce_weight, excite_weight, project_weight;
    bool residual = false;
    Activation activation = Activation::swish;

    [[nodiscard]] std::int64_t batch() const { return x.size(0); }
    [[nodiscard]] std::int64_t in() const { return x.size(1); }
    [[nodiscard]] std::int64_t middle() const { return depthwise_weight.size(0); }
    [[nodiscard]] std::int64_t squeeze() const { return reduce_weight.size(0); }
    [[nodiscard]] std::int64_t out_channels() const { return project_weight.size(0); }
    [[nodiscard]] std::int64_t in_pixels() const { return x.size(2) * x.size(3); }
    [[nodiscard]] std::int64_t pixels() const { return convolved.size(2) * convolved.size(3); }
    [[nodiscard]] DepthwiseShape depthwise() const {
        return {.batch = batch(),
                .channels = middle(),
                .in_size = x.size(2),
                .size = convolved.size(2),
                .kernel = depthwise_weight.size(2)};
    }
    [[nodiscard]] NormedInput normed_expanded() const {
        return {data(expanded), channel_norm(expand_norm), *rectifier_of(activation)};
    }
    [[nodiscard]] NormedInput normed_convolved() const {
        return {data(convolved), channel_norm(depthwise_norm), *rectifier_of(activation)};
    }
    [[nodiscard]] MapBlocks in_blocks() const { return {batch(), in_pixels(), product_rows}; }
    [[nodiscard]] MapBlocks out_blocks() const { return gate_blocks(batch(), pixels(), middle()); }
};

void expand(const DecoderBlock::Parts& block, bool training, Pass& pass) {
    const std::int64_t in = pass.in(), middle = pass.middle();
    pass.expanded = empty_maps(pass.x, pass.batch(), middle, pass.x.size(2));
    const MapBlocks blocks = pass.in_blocks();
    BatchStatistics statistics(blocks.all_rows(), middle);
    const Panels weight = Panels::transposed(data(pass.expand_weight), middle, in);
    const float* const x = data(pass.x);
    float* const y = out(pass.expanded);
    blocks.run([&](std::int64_t i) {
        const std::int64_t first = blocks.first(i);
        weight.multiply(blocks.rows(i), x + first * in, in, y + first * middle, middle);
        if (training) statistics.add(i, y + first * middle, middle, 0, middle);
    });
    pass.expand_norm =
        make_norm(block.expand, block.norm, training ? &statistics : nullptr, pass.batch() * pass.in_pixels());
}

void convolve(const DecoderBlock::Parts& block, bool training, Pass& pass) {
    pass.convolved = empty_maps(pass.x, pass.batch(), pass.middle(), block.size);
    const Depthwise depthwise(pass.depthwise());
    BatchStatistics statistics(depthwise.rows_of_blocks(), pass.middle());
    depthwise.forward(pass.normed_expanded(), data(pass.depthwise_weight), out(pass.convolved),
                      training ? &statistics : nullptr);
    pass.depthwise_norm =
        make_norm(block.depthwise, block.norm, training ? &statistics : nullptr, pass.batch() * pass.pixels());
}

void squeeze_and_excite(const DecoderBlock::Parts& block, Pass& pass) {
    const std::int64_t batch = pass.batch(), middle = pass.middle(), squeeze = pass.squeeze();
    pass.mean = at::empty({batch, middle}, pass.x.options());
    mean_of_maps(pass.normed_convolved(), batch, pass.pixels(), middle, out(pass.mean));
    pass.squeezed = at::empty({batch, squeeze}, pass.x.options());
    multiply_few_rows(data(pass.mean), batch, middle, data(pass.reduce_weight), squeeze, data(block.reduce_bias),
                      out(pass.squeezed));
    pass.gate = at::empty({batch, middle}, pass.x.options());
    multiply_few_rows(data(activate(pass.activation, pass.squeezed)), batch, squeeze, data(pass.excite_weight), middle,
                      data(block.excite_bias), out(pass.gate));
    pass.gate.sigmoid_();
}

at::Tensor project(const DecoderBlock::Parts& block, bool training, Pass& pass) {
    const std::int64_t middle = pass.middle(), n = pass.out_channels();
    pass.projected = empty_maps(pass.x, pass.batch(), n, block.size);
    const MapBlocks blocks = pass.out_blocks();
    BatchStatistics statistics(blocks.all_rows(), n);
    gated_product(pass.normed_convolved(), data(pass.gate), Panels::transposed(data(pass.project_weight), n, middle),
                  blocks, out(pass.projected), training ? &statistics : nullptr);
    const std::int64_t rows = pass.batch() * pass.pixels();
    pass.project_norm = make_norm(block.project, block.norm, training ? &statistics : nullptr, rows);
    const at::Tensor y = at::empty_like(pass.projected);
    normalize_rows(data(pass.projected), rows, n, channel_norm(pass.project_norm),
                   block.residual ? data(pass.x) : nullptr, out(y));
    return y;
}

std::pair<at::Tensor, Pass> run(const DecoderBlock::Parts& block, const at::Tensor& x, bool training) {
    Pass pass;
    pass.x = x.contiguous(at::MemoryFormat::ChannelsLast);
    pass.residual = block.residual;
    pass.activation = block.activation;
    pass.expand_weight = block.expand.weight;
    pass.depthwise_weight = block.depthwise.weight;
    pass.reduce_weight = block.reduce_weight;
    pass.excite_weight = block.excite_weight;
    pass.project_weight = block.project.weight;
    expand(block, training, pass);
    convolve(block, training, pass);
    squeeze_and_excite(block, pass);
    at::Tensor y = project(block, training, pass);
    return {y, pass};
}

/// The steps of backward, in reverse order of forward's. Each gives the gradients of its own parameters.
class Backward {
public:
    explicit Backward(const Pass& pass) : pass_(pass) {}

    variable_list run(const at::Tensor& d_y) {
        project(d_y);
        gate();
        convolve();
        expand();
        if (pass_.residual) d_x_.add_(d_y);
        return {d_x_,
                d_expand_,
                d_expand_scale_,
                d_expand_shift_,
                d_depthwise_,
                d_depthwise_scale_,
                d_depthwise_shift_,
                d_reduce_,
                d_reduce_bias_,
                d_excite_,
                d_excite_bias_,
                d_project_,
                d_project_scale_,
                d_project_shift_};
    }

private:
    static at::Tensor like(const at::Tensor& x) { return at::empty_like(x, x.options(), at::MemoryFormat::Contiguous); }
    [[nodiscard]] at::Tensor vector(std::int64_t size) const { return at::empty({size}, pass_.x.options()); }

    /// d_y → d_gated, and the sums that gate() and convolve() need.
    void project(const at::Tensor& d_y) {
        const std::int64_t middle = pass_.middle(), n = pass_.out_channels();
        const std::int64_t rows = pass_.batch() * pass_.pixels();
        const ChannelNorm norm = channel_norm(pass_.project_norm);
        BlockSums norm_sums(blocks_.count(), 2, n);
        sum_norm_gradient(blocks_, n, data(d_y), data(pass_.projected), norm, norm_sums);
        d_project_scale_ = vector(n);
        d_project_shift_ = vector(n);
        const ChannelNormGradient through_norm = norm_gradient(norm, rows, norm_sums.total(0), norm_sums.total(1),
                                                               out(d_project_scale_), out(d_project_shift_));
        const at::Tensor d_projected = at::empty_like(pass_.projected);
        for_row_blocks(rows, [&](std::int64_t first, std::int64_t count) {
            apply_norm_gradient(through_norm, data(d_y) + first * n, data(pass_.projected) + first * n, count, n,
                                out(d_projected) + first * n);
        });
        d_gated_ = at::empty_like(pass_.convolved);
        d_project_ = like(pass_.project_weight);
        gated_product_backward(pass_.normed_convolved(), data(pass_.gate), data(pass_.project_weight), n, middle,
                               blocks_, data(d_projected), out(d_gated_), out(d_project_), sums_);
    }

    /// Through squeeze-excite: the gradient of the mean.
    void gate() {
        const std::int64_t batch = pass_.batch(), middle = pass_.middle(), squeeze = pass_.squeeze();
        at::Tensor d_gate = at::empty_like(pass_.gate);
        gate_gradient(sums_, blocks_, batch, middle, out(d_gate));
        d_gate = at::sigmoid_backward(d_gate, pass_.gate);
        d_excite_ = like(pass_.excite_weight);
        d_excite_bias_ = vector(middle);
        few_rows_weight_gradient(data(activate(pass_.activation, pass_.squeezed)), batch, squeeze, data(d_gate), middle,
                                 out(d_excite_), out(d_excite_bias_));
        at::Tensor d_squeezed = at::empty_like(pass_.squeezed);
        few_rows_input_gradient(data(d_gate), batch, middle, data(pass_.excite_weight), squeeze, out(d_squeezed));
        d_squeezed = activation_backward(pass_.activation, d_squeezed, pass_.squeezed);
        d_reduce_ = like(pass_.reduce_weight);
        d_reduce_bias_ = vector(squeeze);
        few_rows_weight_gradient(data(pass_.mean), batch, middle, data(d_squeezed), squeeze, out(d_reduce_),
                                 out(d_reduce_bias_));
        d_mean_ = at::empty_like(pass_.mean);
        few_rows_input_gradient(data(d_squeezed), batch, squeeze, data(pass_.reduce_weight), middle, out(d_mean_));
        d_mean_.div_(static_cast<double>(pass_.pixels()));  // of every pixel
    }

    /// d_gated and d_mean → the gradient of expanded, normalized.
    void convolve() {
        const std::int64_t batch = pass_.batch(), middle = pass_.middle();
        const NormedInput convolved = pass_.normed_convolved(), expanded = pass_.normed_expanded();
        d_depthwise_scale_ = vector(middle);
        d_depthwise_shift_ = vector(middle);
        const GatedGradient gradient{
            .y = convolved.x,
            .norm = convolved.norm,
            .through_norm =
                gated_norm_gradient(convolved.norm, sums_, blocks_, batch, batch * pass_.pixels(), middle,
                                    data(pass_.gate), data(d_mean_), out(d_depthwise_scale_), out(d_depthwise_shift_)),
            .f = convolved.f,
            .d_gated = data(d_gated_),
            .gate = data(pass_.gate),
            .d_mean = data(d_mean_)};
        const Depthwise depthwise(pass_.depthwise());
        BlockSums norm_sums(depthwise.blocks(), 2, middle);
        d_expanded_ = at::empty_like(pass_.expanded);
        d_depthwise_ = like(pass_.depthwise_weight);
        depthwise.backward(expanded, data(pass_.depthwise_weight), gradient, out(d_expanded_), out(d_depthwise_),
                           norm_sums);
        d_gated_.reset();
        d_expand_scale_ = vector(middle);
        d_expand_shift_ = vector(middle);
        through_expand_norm_ = norm_gradient(expanded.norm, batch * pass_.in_pixels(), norm_sums.total(0),
                                             norm_sums.total(1), out(d_expand_scale_), out(d_expand_shift_));
    }

    void expand() {
        const std::int64_t in = pass_.in(), middle = pass_.middle();
        const Panels weight = Panels::of(data(pass_.expand_weight), middle, in);
        const MapBlocks blocks = pass_.in_blocks();
        d_x_ = at::empty_like(pass_.x);
        float *const d = out(d_expanded_), *const d_x = out(d_x_);
        blocks.run([&](std::int64_t i) {
            const std::int64_t first = blocks.first(i), rows = blocks.rows(i);
            float* const d_rows = d + first * middle;
            apply_norm_gradient(through_expand_norm_, d_rows, data(pass_.expanded) + first * middle, rows, middle,
                                d_rows);
            weight.multiply(rows, d_rows, middle, d_x + first * in, in);
        });
        d_expand_ = like(pass_.expand_weight);
        wide_weight_gradient(d, middle, data(pass_.x), in, pass_.batch() * pass_.in_pixels(), out(d_expand_));
    }

    const Pass& pass_;
    MapBlocks blocks_ = pass_.out_blocks();
    BlockSums sums_{blocks_.count(), gate_sum_kinds, pass_.middle()};
    at::Tensor d_gated_, d_mean_, d_expanded_, d_x_;
    ChannelNormGradient through_expand_norm_;
    at::Tensor d_expand_, d_expand_scale_, d_expand_shift_, d_depthwise_, d_depthwise_scale_, d_depthwise_shift_,
        d_reduce_, d_reduce_bias_, d_excite_, d_excite_bias_, d_project_, d_project_scale_, d_project_shift_;
};

class DecoderBlockFunction : public torch::autograd::Function<DecoderBlockFunction> {
public:
    /// `parameters`: in the order of Backward's gradients, for autograd to know them.
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, [[maybe_unused]] at::TensorList parameters,
                              const DecoderBlock::Parts& block) {
        auto [y, p] = run(block, x, true);
        context->save_for_backward({p.x, p.expanded, p.expand_norm, p.convolved, p.depthwise_norm, p.mean, p.squeezed,
                                    p.gate, p.projected, p.project_norm, p.expand_weight, p.depthwise_weight,
                                    p.reduce_weight, p.excite_weight, p.project_weight});
        context->saved_data["residual"] = p.residual;
        context->saved_data["activation"] = static_cast<std::int64_t>(p.activation);
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto s = context->get_saved_variables();
        const Pass pass{.x = s[0],
                        .expanded = s[1],
                        .expand_norm = s[2],
                        .convolved = s[3],
                        .depthwise_norm = s[4],
                        .mean = s[5],
                        .squeezed = s[6],
                        .gate = s[7],
                        .projected = s[8],
                        .project_norm = s[9],
                        .expand_weight = s[10],
                        .depthwise_weight = s[11],
                        .reduce_weight = s[12],
                        .excite_weight = s[13],
                        .project_weight = s[14],
                        .residual = context->saved_data["residual"].toBool(),
                        .activation = static_cast<Activation>(context->saved_data["activation"].toInt())};
        variable_list all = Backward(pass).run(gradients[0].contiguous(at::MemoryFormat::ChannelsLast));
        all.emplace_back();  // of the block
        return all;
    }
};

}  // namespace

at::Tensor forward_on_kernels(const DecoderBlock::Parts& block, const at::Tensor& x, bool training) {
    if (!training) return run(block, x, false).first;
    const std::vector<at::Tensor> parameters = {
        block.expand.weight,   block.expand.scale,  block.expand.shift, block.depthwise.weight, block.depthwise.scale,
        block.depthwise.shift, block.reduce_weight, block.reduce_bias,  block.excite_weight,    block.excite_bias,
        block.project.weight,  block.project.scale, block.project.shift};
    return DecoderBlockFunction::apply(x, at::TensorList(parameters), block);
}

}  // namespace ltad
