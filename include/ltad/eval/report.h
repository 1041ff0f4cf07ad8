#pragma once

#include <filesystem>

#include "ltad/detect/detector.h"
#include "ltad/eval/results.h"
#include "ltad/report/page.h"

namespace ltad {

/// What the page about an evaluated run shows: figures and curves from the results, pictures scored once more for the
/// gallery, what the learned names are near to, how the training went. Measures the run's thresholds where they are
/// missing.
[[nodiscard]] Report make_report(Run& run, const Detector& detector, const Results& results);

/// The page's name in its folder.
constexpr const char* report_page = "index.html";

/// Writes <folder>/index.html.
void write_report(Run& run, const Detector& detector, const Results& results, const std::filesystem::path& folder);

}  // namespace ltad
