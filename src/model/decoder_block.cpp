#include "ltad/model/decoder_block.h"

#include <array>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "decoder_block_kernels.h"

namespace ltad {
namespace {

/// He et al. 2015 with the fan counted per group: the plain fan-out makes a depthwise convolution's output so small
/// that the norm's eps swallows it.
Init init_convolution(std::int64_t out, std::int64_t kernel, std::int64_t groups) {
    return init_normal(std::sqrt(2.0 / static_cast<double>(kernel * kernel * out / groups)));
}

DecoderBlock::Unit make_unit(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                             std::int64_t groups, bool batch_norm, Parameters& parameters) {
    DecoderBlock::Unit unit;
    unit.weight =
        parameters.add(name + ".weight", {out, in / groups, kernel, kernel}, init_convolution(out, kernel, groups));
    unit.scale = parameters.add(name + ".norm.weight", {out}, init_constant(1));
    unit.shift = parameters.add(name + ".norm.bias", {out}, init_constant(0));
    if (batch_norm) {
        unit.running_mean = parameters.add_buffer(name + ".norm.running_mean", {out}, init_constant(0));
        unit.running_var = parameters.add_buffer(name + ".norm.running_var", {out}, init_constant(1));
    }
    unit.groups = groups;
    return unit;
}

}  // namespace

DecoderBlock::DecoderBlock(const BlockSpec& mirrored, std::int64_t size, Activation activation, const NormOptions& norm,
                           const std::string& name, Parameters& parameters) {
    const std::int64_t in = mirrored.out;
    const std::int64_t middle = in * mirrored.expand_ratio;
    const std::int64_t squeeze = mirrored.squeeze;
    parts_.expands = mirrored.expand_ratio != 1;
    parts_.residual = mirrored.residual;
    parts_.size = size;
    parts_.activation = activation;
    parts_.norm = norm;
    if (parts_.expands) parts_.expand = make_unit(name + "expand", in, middle, 1, 1, norm.batch, parameters);
    parts_.depthwise = make_unit(name + "depthwise", middle, middle, mirrored.kernel, middle, norm.batch, parameters);
    parts_.reduce_weight =
        parameters.add(name + "reduce.weight", {squeeze, middle, 1, 1}, init_convolution(squeeze, 1, 1));
    parts_.reduce_bias = parameters.add(name + "reduce.bias", {squeeze}, init_constant(0));
    parts_.excite_weight =
        parameters.add(name + "excite.weight", {middle, squeeze, 1, 1}, init_convolution(middle, 1, 1));
    parts_.excite_bias = parameters.add(name + "excite.bias", {middle}, init_constant(0));
    parts_.project = make_unit(name + "project", middle, mirrored.in, 1, 1, norm.batch, parameters);
}

void DecoderBlock::start_at(const at::Tensor& mean, const at::Tensor& deviation) const {
    const c10::NoGradGuard no_grad;
    parts_.project.shift.copy_(mean);
    parts_.project.scale.copy_(deviation);
}

at::Tensor DecoderBlock::forward(const at::Tensor& x, bool training) const {
    return has_kernels(x, training) ? forward_on_kernels(parts_, x, training) : plain_forward(x, training);
}

bool DecoderBlock::has_kernels(const at::Tensor& x, bool training) const {
    const at::Tensor& weight = parts_.depthwise.weight;
    const bool known_type = x.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
    const bool known_shape = parts_.expands && weight.size(2) % 2 == 1 && x.size(2) == x.size(3) &&
                             x.size(2) <= parts_.size && x.size(0) > 0;
    const bool learns = training && x.size(0) * x.size(2) * x.size(3) > 1;
    const bool evaluates = !training && !c10::GradMode::is_enabled();
    return known_type && rectifier_of(parts_.activation) && known_shape && parts_.norm.batch && (learns || evaluates);
}

at::Tensor DecoderBlock::plain(const Unit& unit, const at::Tensor& x, bool training) const {
    const NormOptions& norm = parts_.norm;
    const std::array<std::int64_t, 1> one{1}, half{unit.weight.size(2) / 2};
    const at::Tensor y = at::conv2d(x, unit.weight, {}, one, half, one, unit.groups);
    if (!norm.batch) return at::group_norm(y, std::gcd(y.size(1), std::int64_t{8}), unit.scale, unit.shift, norm.eps);
    // One value per channel has no variance; its estimate would be NaN and stay so.
    const bool learn = training && y.size(0) * y.size(2) * y.size(3) > 1;
    return at::batch_norm(y, unit.scale, unit.shift, unit.running_mean, unit.running_var, learn, norm.momentum,
                          norm.eps, false);
}

at::Tensor DecoderBlock::plain_forward(const at::Tensor& x, bool training) const {
    const Parts& p = parts_;
    at::Tensor y = p.expands ? activate(p.activation, plain(p.expand, x, training)) : x;
    if (y.size(2) != p.size) y = at::upsample_nearest2d(y, {p.size, p.size});
    y = activate(p.activation, plain(p.depthwise, y, training));
    const at::Tensor squeezed = at::conv2d(y.mean({2, 3}, true), p.reduce_weight, p.reduce_bias);
    y = y * at::conv2d(activate(p.activation, squeezed), p.excite_weight, p.excite_bias).sigmoid();
    y = plain(p.project, y, training);
    return p.residual ? y + x : y;
}

}  // namespace ltad
