#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/config/config.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// The semantic anomaly detector: patch projections Φ_l into the text space and the comparison with the texts of the
/// normal and the abnormal state (eqs. 3 to 5).
class SemanticHead {
public:
    /// channels: of each tap. Adds "projections.<l>.*" or, for one projection of all taps, "projection.*"; with
    /// free texts also "texts.normal" and "texts.abnormal", [classes, d] each.
    SemanticHead(const SemanticConfig& config, const std::vector<std::int64_t>& channels, std::int64_t text_dim,
                 std::int64_t classes, Parameters& parameters);

    /// Texts t_n, t_a of all classes, [C, d] each; L2-normalised where the config says so. Not for free texts.
    void set_texts(const at::Tensor& normal, const at::Tensor& abnormal);

    /// tokens: [B, N, C_tot] → p̂: [B, N, d].
    [[nodiscard]] at::Tensor project(const at::Tensor& tokens) const;

    /// log S_sem / (1 − S_sem) = (t_a − t_n) · p̂ / τ. classes: [B] int64. Returns [B, N].
    [[nodiscard]] at::Tensor logits(const at::Tensor& tokens, const at::Tensor& classes) const;

private:
    /// t_a − t_n, [C, d].
    [[nodiscard]] at::Tensor contrast() const;

    SemanticConfig config_;
    std::vector<std::int64_t> channels_;
    std::vector<Linear> projections_;
    at::Tensor normal_, abnormal_;  ///< t_n and t_a, [C, d]
};

/// L_sem: binary cross entropy of the logits on pseudo-anomalies (1) and on normal tokens (0), the halves averaged
/// (eq. 8, with both terms); a scalar.
[[nodiscard]] at::Tensor semantic_loss(const at::Tensor& abnormal_logits, const at::Tensor& normal_logits);

}  // namespace ltad
