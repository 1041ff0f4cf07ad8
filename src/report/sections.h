#pragma once

#include <cstddef>
#include <string>

#include "ltad/report/page.h"

namespace ltad {

/// The parts of the report's page, without their headings; each is empty where the report has nothing to show in it.

[[nodiscard]] std::string results_section(const Report& report);
[[nodiscard]] std::string tail_section(const Report& report);
[[nodiscard]] std::string roc_section(const Report& report);
[[nodiscard]] std::string histogram_section(const Report& report);
/// Of the first score: what the training pictures' thresholds find and what they raise false alarms for.
[[nodiscard]] std::string verdicts(const Report& report);
[[nodiscard]] std::string gallery_section(const Report& report, std::size_t picture_bytes);
[[nodiscard]] std::string names_section(const Report& report);
[[nodiscard]] std::string training_section(const Report& report);

/// "87.00" for 0.87; "n/a" for none.
[[nodiscard]] std::string percentage(const std::optional<double>& value);

/// A folded part.
[[nodiscard]] std::string folded(std::string_view summary, std::string_view content);

/// A table that scrolls sideways where it does not fit, reachable by keyboard.
[[nodiscard]] std::string scrolling(std::string_view name, std::string_view table);

}  // namespace ltad
