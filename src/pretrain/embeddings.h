#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/pretrain/contrastive.h"
#include "pair_source.h"

namespace ltad {

/// A frozen image tower's view of all pairs.
struct PairEmbeddings {
    at::Tensor image;  ///< [N, d], on the CPU
    std::vector<std::string> captions;

    [[nodiscard]] at::Tensor rows(std::span<const std::size_t> indices) const;
};

/// Encodes every pair once and keeps the result in `file`; a file of the same encoder and pairs is read instead.
/// Throws Interrupted on Ctrl-C: nothing is kept then.
[[nodiscard]] PairEmbeddings embed_once(const PairSource& pairs, const ContrastiveModel& model,
                                        const std::filesystem::path& file);

}  // namespace ltad
