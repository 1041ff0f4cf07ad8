#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/align_model.h"
#include "ltad/config/config.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// The learnable pseudo class names s_c and the texts made with them.
class Prompts {
public:
    /// Adds "prompts.names" [C, length, hidden], a parameter, or a buffer where config.learned is false. `init` of the
    /// config: "random", "class_name" (the class's own name, its tokens repeated or cut to the length) or any text
    /// (likewise). Throws UsageError when a text has no token, or the prompts do not fit the text encoder's length.
    Prompts(const PromptsConfig& config, const std::vector<std::string>& class_names, const AlignModel& encoder,
            Parameters& parameters);

    /// t_c = T([CLS] s_c [SEP]) for the classes asked: [K] int64 → [K, d].
    [[nodiscard]] at::Tensor names(const at::Tensor& classes) const;
    /// T([CLS] state s_c [SEP]) for all classes, such as state = "a broken": [C, d].
    [[nodiscard]] at::Tensor with_state(const std::string& state) const;
    /// s_c: [C, length, hidden].
    [[nodiscard]] const at::Tensor& embeddings() const { return names_; }

private:
    [[nodiscard]] at::Tensor encode(const std::vector<std::int64_t>& prefix, const at::Tensor& names) const;

    const TextEncoder& encoder_;
    const Tokenizer& tokenizer_;
    at::Tensor names_;
};

}  // namespace ltad
