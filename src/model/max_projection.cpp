#include "ltad/model/max_projection.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ltad/kernels/max_projection.h"

namespace ltad {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ProjectedTokens inputs(const at::Tensor& tokens, const at::Tensor& direction) {
    return {.tokens = tokens.const_data_ptr<float>(),
            .pictures = tokens.size(0),
            .per_picture = tokens.size(1),
            .channels = tokens.size(2),
            .direction = direction.const_data_ptr<float>(),
            .dim = direction.size(1)};
}

/// `projections`: W_0, b_0, W_1, b_1, …
class MaxProjectionFunction : public torch::autograd::Function<MaxProjectionFunction> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& tokens, const at::Tensor& direction,
                              at::TensorList projections) {
        std::vector<TapProjection> taps;
        std::vector<std::int64_t> widths;
        for (std::size_t l = 0; l < projections.size(); l += 2) {
            const at::Tensor& weight = projections[l];
            widths.push_back(weight.size(1));
            taps.push_back({Panels::transposed(weight.const_data_ptr<float>(), weight.size(0), weight.size(1)),
                            projections[l + 1].const_data_ptr<float>()});
        }
        const at::Tensor x = tokens.contiguous(), towards = direction.contiguous();
        at::Tensor logits = at::empty({x.size(0), x.size(1)}, x.options());
        at::Tensor winner = at::empty({x.size(0), x.size(1), towards.size(1)}, x.options().dtype(at::kByte));
        max_projection_forward(inputs(x, towards), taps, logits.mutable_data_ptr<float>(),
                               winner.mutable_data_ptr<std::uint8_t>());
        context->save_for_backward({x, towards, winner});
        context->saved_data["widths"] = widths;
        return logits;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const ProjectedTokens in = inputs(saved[0], saved[1]);
        const at::Tensor d_logits = gradients[0].contiguous();
        variable_list results(2);  // none for the tokens and the direction
        std::int64_t first = 0, tap = 0;
        for (const std::int64_t width : context->saved_data["widths"].toIntVector()) {
            at::Tensor d_weight = at::empty({in.dim, width}, saved[0].options());
            at::Tensor d_bias = at::empty({in.dim}, saved[0].options());
            max_projection_backward(in, saved[2].const_data_ptr<std::uint8_t>(), d_logits.const_data_ptr<float>(),
                                    tap++, first, width, d_weight.mutable_data_ptr<float>(),
                                    d_bias.mutable_data_ptr<float>());
            results.push_back(d_weight);
            results.push_back(d_bias);
            first += width;
        }
        return results;
    }
};

}  // namespace

at::Tensor project_taps(const at::Tensor& tokens, const std::vector<Linear>& projections) {
    std::vector<at::Tensor> taps;
    std::int64_t first = 0;
    for (const Linear& projection : projections) {
        const std::int64_t width = projection.weight.size(1);
        taps.push_back(projection(tokens.narrow(2, first, width)));
        first += width;
    }
    return at::stack(taps);
}

at::Tensor max_projection(const at::Tensor& tokens, const std::vector<Linear>& projections,
                          const at::Tensor& direction) {
    if (!tokens.device().is_cpu() || tokens.scalar_type() != at::kFloat)
        return at::bmm(project_taps(tokens, projections).amax(0), direction.unsqueeze(2)).squeeze(2);
    std::vector<at::Tensor> list;
    for (const Linear& projection : projections) {
        list.push_back(projection.weight);
        list.push_back(projection.bias);
    }
    return MaxProjectionFunction::apply(tokens, direction, at::TensorList(list));
}

}  // namespace ltad
