#pragma once

#include <filesystem>
#include <optional>

#include "ltad/core/json.h"
#include "ltad/repro/plan.h"

namespace ltad {

/// The finished parts below a folder of runs, by key, so that a run takes over what another one has trained:
/// <root>/parts.json, written whole after each part. Several processes may add to it.
class PartIndex {
public:
    explicit PartIndex(const std::filesystem::path& root) : file_(root / "parts.json") {}

    /// Empty where there is none, or none any more.
    [[nodiscard]] std::optional<std::filesystem::path> find(const PlannedPart& part) const;
    void add(const PlannedPart& part, const std::filesystem::path& file) const;

private:
    /// Key → file, relative to the root. Without those of a damaged file, of which it warns.
    [[nodiscard]] json read() const;

    std::filesystem::path file_;
};

}  // namespace ltad
