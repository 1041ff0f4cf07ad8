#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/config/pretrain_config.h"
#include "ltad/core/json.h"

namespace ltad {

/// Pictures and what they show.
struct Pairs {
    at::Tensor pictures;  ///< [n, S, S, 3] uint8
    std::vector<std::string> captions;
};

/// Pairs to learn from or to measure with.
class PairSource {
public:
    virtual ~PairSource() = default;

    [[nodiscard]] virtual std::size_t size() const = 0;
    /// The pairs of these indices; generated ones are new in every epoch. Throws Error naming a picture that cannot be
    /// read.
    [[nodiscard]] virtual Pairs load(std::span<const std::size_t> indices, std::int64_t epoch) const = 0;
    /// What the pairs depend on, for checkpoints.
    [[nodiscard]] virtual json settings() const = 0;
};

/// The pairs that training sees, or those held out from it. Throws Error naming the list's file and line.
[[nodiscard]] std::unique_ptr<PairSource> open_pairs(const PretrainConfig& config, bool held_out);

}  // namespace ltad
