#pragma once

#include <filesystem>
#include <optional>

#include "ltad/core/json.h"
#include "ltad/repro/plan.h"

namespace ltad {

/// Where in its run's folder a finished part is.
[[nodiscard]] std::filesystem::path part_file(const PlannedRun& run, PartKind kind);

/// The finished parts below a folder of runs, by key, so that a run takes over what another one has trained:
/// <root>/parts.json, written whole after each part.
class PartIndex {
public:
    explicit PartIndex(std::filesystem::path root);

    /// Empty where there is none, or none any more.
    [[nodiscard]] std::optional<std::filesystem::path> find(const PlannedPart& part) const;
    void add(const PlannedPart& part, const std::filesystem::path& file);

private:
    std::filesystem::path file_;
    json parts_ = json::object();
};

}  // namespace ltad
