#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ltad/repro/format.h"

namespace ltad {

/// Figures 6 and 8 as SVG files, one for the image and one for the pixel AUROC: the ending of the file's name and its
/// content. Nothing for a table.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> draw_figure(const ReproTable& table,
                                                                           const CellGrid& cells);

}  // namespace ltad
