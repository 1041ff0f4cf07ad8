#pragma once

#include "folders.h"
#include "ltad/data/dataset.h"

namespace ltad {

/// One function for each layout; `list_dataset` checks and sorts what they find. What lies there and is not used goes
/// to `passed_over`.
[[nodiscard]] Dataset list_mvtec(const DatasetConfig& config, PassedOver& passed_over);
[[nodiscard]] Dataset list_visa(const DatasetConfig& config, PassedOver& passed_over);
[[nodiscard]] Dataset list_dagm(const DatasetConfig& config, PassedOver& passed_over);
[[nodiscard]] Dataset list_jsonl(const DatasetConfig& config);

/// A path as a list has it, in the one spelling that names its file: "./a//b.png" is "a/b.png". Throws Error naming
/// `where` when it is absolute or climbs out of the data set by "..".
[[nodiscard]] std::string listed_path(const std::string& path, const std::string& where);

/// The files of the samples of a class: pictures and masks.
[[nodiscard]] std::set<std::string> files_of_class(const Dataset& dataset, const std::string& class_name);

/// That the file's ending is not a picture's, in words for `PassedOver`; empty where it is.
[[nodiscard]] std::string reason_of_ending(const std::string& name);

}  // namespace ltad
