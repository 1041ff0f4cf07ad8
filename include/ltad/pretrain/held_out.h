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

class PairSource;

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

/// Recall among groups of up to 100 pairs of different meanings, the mean over full groups. image, text: [N, d], rows
/// belonging together.
[[nodiscard]] Recall recall_at_1(const at::Tensor& image, const at::Tensor& text,
                                 const std::vector<std::string>& meanings);

struct HeldOutMeasures {
    Recall new_pictures;  ///< pictures that training does not show
    /// For generated pairs: of classes and with defects that training does not show.
    std::optional<Recall> new_classes;
    std::vector<ZeroShot> zero_shot;  ///< of the new classes

    [[nodiscard]] std::optional<double> mean_auroc() const;
    [[nodiscard]] json to_json() const;
};

/// Measures on pictures that training does not see. A frozen image tower encodes them once.
class HeldOut {
public:
    explicit HeldOut(const PretrainConfig& config);
    [[nodiscard]] HeldOutMeasures measure(const ContrastiveModel& model);

private:
    struct Embedded {
        at::Tensor image;  ///< [N, d]
        std::vector<std::string> captions;
        std::vector<std::string> meanings;
    };
    [[nodiscard]] static Embedded embed_pairs(const ContrastiveModel& model, const PairSource& source);
    [[nodiscard]] static Recall recall_of(const ContrastiveModel& model, const Embedded& pairs);
    /// Good ones first, then as many broken ones.
    [[nodiscard]] at::Tensor embed_class(const ContrastiveModel& model, std::size_t subject) const;
    void embed(const ContrastiveModel& model);

    PretrainConfig config_;
    std::vector<std::string> subjects_;
    bool embedded_ = false;
    Embedded new_pictures_;
    std::optional<Embedded> new_classes_;
    std::vector<at::Tensor> classes_;
};

}  // namespace ltad
