#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/config/pretrain_config.h"
#include "ltad/core/json.h"
#include "ltad/pretrain/contrastive.h"

namespace ltad {

/// How well pictures and texts find each other.
struct Recall {
    std::int64_t candidates = 0;  ///< texts (and pictures) to choose among
    double image_to_text = 0;     ///< share of pictures whose own text comes first
    double text_to_image = 0;
};

/// "a broken X" against "a X" for one class: AUROC of the difference of the two cosines.
struct ZeroShot {
    std::string name;
    double auroc = 0;
};

/// Recall among groups of up to 100 pairs with different captions, the mean over full groups. image, text: [N, d], rows
/// belonging together.
[[nodiscard]] Recall recall_at_1(const at::Tensor& image, const at::Tensor& text,
                                 const std::vector<std::string>& captions);

struct HeldOutMeasures {
    Recall recall;
    std::vector<ZeroShot> zero_shot;  ///< empty for pairs of the user's own

    [[nodiscard]] std::optional<double> mean_auroc() const;
    [[nodiscard]] json to_json() const;
};

/// Pictures that training does not see: of classes and with defects that the training side of the generator does not
/// have, or a list's held-out pairs. A frozen image tower encodes them once.
class HeldOut {
public:
    explicit HeldOut(const PretrainConfig& config);
    [[nodiscard]] HeldOutMeasures measure(const ContrastiveModel& model);

private:
    struct Embedded {
        at::Tensor image;  ///< [N, d]
        std::vector<std::string> captions;
    };
    [[nodiscard]] Embedded embed_pairs(const ContrastiveModel& model) const;
    /// Good ones first, then as many broken ones.
    [[nodiscard]] at::Tensor embed_class(const ContrastiveModel& model, std::size_t subject) const;
    void embed(const ContrastiveModel& model);

    PretrainConfig config_;
    std::vector<std::string> subjects_;
    std::optional<Embedded> pairs_;
    std::vector<at::Tensor> classes_;
};

}  // namespace ltad
