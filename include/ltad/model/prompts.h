#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/align/align_model.h"
#include "ltad/config/config.h"
#include "ltad/model/parameters.h"

namespace ltad {

/// The learnable pseudo class names s_c and the texts made with them.
class Prompts {
public:
    /// Adds "prompts.names" [C, L, hidden], a parameter, or a buffer where config.learned is false. `init` of the
    /// config: "random", "class_name" (the class's own name) or any text; its tokens are repeated or cut to
    /// config.length. Where that is 0, a name has as many tokens as its text, L is the largest number, and T does not
    /// see the rows beyond. Throws UsageError when a text has no token, or the prompts do not fit the text encoder's
    /// length.
    Prompts(const PromptsConfig& config, const std::vector<std::string>& class_names, const AlignModel& encoder,
            Parameters& parameters);

    /// t_c = T([CLS] s_c [SEP]) for the classes asked: [K] int64 → [K, d].
    [[nodiscard]] at::Tensor names(const at::Tensor& classes) const;
    /// T([CLS] state s_c [SEP]) for all classes, such as state = "a broken"; of several states the mean: [C, d].
    [[nodiscard]] at::Tensor with_states(const std::vector<std::string>& states) const;
    /// For each token of a class's name the `count` entries of the vocabulary whose word embeddings are nearest to it,
    /// by cosine, the nearest first.
    [[nodiscard]] std::vector<std::vector<std::pair<std::string, double>>> nearest_words(std::int64_t class_index,
                                                                                         std::int64_t count) const;
    /// s_c: [C, L, hidden].
    [[nodiscard]] const at::Tensor& embeddings() const { return names_; }

private:
    [[nodiscard]] at::Tensor encode(const std::vector<std::int64_t>& prefix, const at::Tensor& classes) const;

    const TextEncoder& encoder_;
    const Tokenizer& tokenizer_;
    at::Tensor names_;
    at::Tensor lengths_;  ///< tokens of each name, [C]
};

}  // namespace ltad
