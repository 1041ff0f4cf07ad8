#pragma once

#include "ltad/detect/detector.h"

namespace ltad {

/// Throws UsageError where the config asks for scores that the data set or the encoder cannot give, trained or not.
void check_scoring(const Run& run);

/// LTAD's trained modules. `only`: "reconstruction", "semantic", or empty for both and their sum.
[[nodiscard]] std::unique_ptr<Detector> load_ltad(const Run& run, const std::string& only);

}  // namespace ltad
