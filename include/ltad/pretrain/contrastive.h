#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/align_model.h"
#include "ltad/config/pretrain_config.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// Rows scaled to length 1.
[[nodiscard]] at::Tensor unit_rows(const at::Tensor& x);

/// ALIGN's loss (Jia et al. 2021, eqs. 1 and 2), the two directions averaged as transformers does: softmax cross
/// entropy over cosines / temperature. image: [B, d]; text: [U, d], the batch's distinct captions; caption: [B] int64,
/// which of them is each picture's. A caption shared by several pictures has them all as equal targets: ALIGN would
/// call them wrong answers to each other, which with captions as short as "a broken gear" they are not. Scalar.
[[nodiscard]] at::Tensor contrastive_loss(const at::Tensor& image, const at::Tensor& text, const at::Tensor& caption,
                                          const at::Tensor& temperature, double label_smoothing);

/// A model directory's two towers, what is trained of them as parameters under AlignModel's names.
class ContrastiveModel {
public:
    /// Throws Error naming the file, also for a model without text encoder.
    ContrastiveModel(const ContrastiveConfig& config, const std::filesystem::path& directory, std::uint64_t seed,
                     at::Device device);

    [[nodiscard]] Parameters& parameters() { return parameters_; }
    [[nodiscard]] const AlignModel& source() const { return source_; }
    [[nodiscard]] bool image_frozen() const { return image_frozen_; }
    [[nodiscard]] bool text_frozen() const { return text_frozen_; }

    /// [N, S, S, 3] uint8 → [N, d], not normalised.
    [[nodiscard]] at::Tensor embed_pictures(const at::Tensor& pictures) const;
    /// The last layer's [CLS] state of each text, [N, hidden]; texts longer than the encoder takes are cut.
    [[nodiscard]] at::Tensor text_states(const std::vector<std::string>& texts) const;
    /// [N, hidden] → [N, d].
    [[nodiscard]] at::Tensor project(const at::Tensor& states) const;
    /// `project(text_states(texts))` without gradients, in batches.
    [[nodiscard]] at::Tensor embed_texts(const std::vector<std::string>& texts) const;
    [[nodiscard]] at::Tensor temperature() const;

    /// What training changed, as model updates: replaced tensors and low-rank factors (detached handles).
    [[nodiscard]] Weights updates() const;

private:
    void add_copy(const std::string& name);
    void add_low_rank(std::int64_t rank);
    /// The tensors below a prefix, with the parameters in place of their start values and low-rank products added.
    [[nodiscard]] Weights current(const std::string& prefix) const;

    AlignModel source_;
    Weights weights_;
    Parameters parameters_;
    at::Device device_;
    bool image_frozen_;
    bool text_frozen_;
    at::Tensor log_temperature_;
};

}  // namespace ltad
