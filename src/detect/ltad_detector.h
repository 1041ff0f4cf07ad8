#pragma once

#include "ltad/detect/detector.h"

namespace ltad {

/// LTAD's trained modules. `only`: "reconstruction", "semantic", or empty for both and their sum.
[[nodiscard]] std::unique_ptr<Detector> load_ltad(const Run& run, const std::string& only);

}  // namespace ltad
