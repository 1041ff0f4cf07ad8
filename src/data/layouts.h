#pragma once

#include "ltad/data/dataset.h"

namespace ltad {

/// One function for each layout; `list_dataset` checks and sorts what they find.
[[nodiscard]] Dataset list_mvtec(const DatasetConfig& config);
[[nodiscard]] Dataset list_visa(const DatasetConfig& config);
[[nodiscard]] Dataset list_dagm(const DatasetConfig& config);
[[nodiscard]] Dataset list_jsonl(const DatasetConfig& config);

/// Names of the folders in a folder, sorted; hidden ones left out.
[[nodiscard]] std::vector<std::string> folders_in(const std::filesystem::path& folder);
/// Names of the pictures in a folder (by extension), sorted; hidden ones left out. Empty where there is no such folder.
[[nodiscard]] std::vector<std::string> pictures_in(const std::filesystem::path& folder);

}  // namespace ltad
