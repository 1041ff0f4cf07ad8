#pragma once

#include "ltad/config/config.h"
#include "ltad/data/sample.h"

namespace ltad {

/// Lists a data set of layout mvtec, visa, dagm or jsonl (DESIGN: datasets). Reads no picture, but checks that every
/// listed file and mask is there. Throws Error naming the file or folder: a missing root, no class at all, a class
/// without training pictures, a defective picture without its mask in a class that has masks.
[[nodiscard]] Dataset list_dataset(const DatasetConfig& config);

/// UniAD's list format, one JSON object a line: filename, label, label_name, clsname, maskname (defective with mask
/// only). Throws Error naming file and line.
[[nodiscard]] std::vector<Sample> read_sample_list(const std::filesystem::path& file);
/// The same lines, as text.
[[nodiscard]] std::string format_sample_list(const std::vector<Sample>& samples);

}  // namespace ltad
