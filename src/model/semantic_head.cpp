#include "ltad/model/semantic_head.h"

#include <cmath>
#include <numeric>

#include <ATen/ATen.h>

#include "ltad/core/error.h"
#include "ltad/model/max_projection.h"

namespace ltad {

SemanticHead::SemanticHead(const SemanticConfig& config, const std::vector<std::int64_t>& channels,
                           std::int64_t text_dim, std::int64_t classes, Parameters& parameters)
    : config_(config), channels_(channels) {
    const auto add = [&](const std::string& name, std::int64_t in) {
        projections_.push_back(make_linear(parameters, name, in, text_dim, init_xavier_uniform(in, text_dim)));
    };
    if (config.projection == "concatenated") {
        add("projection", std::accumulate(channels.begin(), channels.end(), std::int64_t{0}));
    } else {
        for (std::size_t l = 0; l < channels.size(); ++l) add(text("projections.", l), channels[l]);
    }
    if (config.text == "free") {
        const Init of_length_one = init_normal(1 / std::sqrt(static_cast<double>(text_dim)));
        normal_ = parameters.add("texts.normal", {classes, text_dim}, of_length_one);
        abnormal_ = parameters.add("texts.abnormal", {classes, text_dim}, of_length_one);
    }
}

void SemanticHead::set_texts(const at::Tensor& normal, const at::Tensor& abnormal) {
    normal_ = normal.detach();
    abnormal_ = abnormal.detach();
}

at::Tensor SemanticHead::contrast() const {
    const auto prepare = [&](const at::Tensor& texts) {
        return config_.normalize_text ? texts / texts.norm(2, {1}, true) : texts;
    };
    return prepare(abnormal_) - prepare(normal_);
}

at::Tensor SemanticHead::project(const at::Tensor& tokens) const {
    if (projections_.size() == 1) return projections_[0](tokens);
    const at::Tensor stacked = project_taps(tokens, projections_);
    return config_.pooling == "max" ? stacked.amax(0) : stacked.mean(0);
}

at::Tensor SemanticHead::logits(const at::Tensor& tokens, const at::Tensor& classes) const {
    const at::Tensor direction = contrast().index_select(0, classes) / config_.temperature;  // [B, d]
    const bool largest = config_.pooling == "max" && projections_.size() > 1;
    if (largest && !tokens.requires_grad() && !direction.requires_grad())
        return max_projection(tokens, projections_, direction);
    return at::bmm(project(tokens), direction.unsqueeze(2)).squeeze(2);
}

at::Tensor semantic_loss(const at::Tensor& abnormal_logits, const at::Tensor& normal_logits) {
    return 0.5 * (at::softplus(-abnormal_logits).mean() + at::softplus(normal_logits).mean());
}

}  // namespace ltad
