#pragma once

#include <filesystem>
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
    /// What each says, whatever the words: "a broken gear" and "a faulty gear" are one meaning. A list's are its
    /// captions.
    std::vector<std::string> meanings;
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
    /// Changes with any picture or caption; reads a list's pictures whole.
    [[nodiscard]] virtual std::string fingerprint() const { return settings().dump(); }
    /// A list and its pictures, held out or not; none where pairs are generated.
    [[nodiscard]] virtual std::vector<std::filesystem::path> files() const { return {}; }
};

enum class PairUse : std::uint8_t {
    training,
    new_pictures,  ///< of what training shows: generated pictures it does not, or a list's held-out pairs
    new_classes,   ///< generated pictures of classes and defects that training does not show
};

/// Throws Error naming the list's file and line, or for new classes of a list, which has none.
[[nodiscard]] std::unique_ptr<PairSource> open_pairs(const PretrainConfig& config, PairUse use);

}  // namespace ltad
