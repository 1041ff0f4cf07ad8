#pragma once

#include <span>
#include <string>
#include <vector>

#include "ltad/report/chart.h"

namespace ltad {

/// A straight or logarithmic axis from values to positions.
struct Scale {
    ChartRange range;
    double from = 0;  ///< where range.low is drawn
    double to = 1;
    bool log = false;

    [[nodiscard]] double operator()(double value) const;
};

/// The range of the finite values; around a single value where they are all equal, 0 to 1 where there is none.
[[nodiscard]] ChartRange range_of(std::span<const double> values, bool log = false);

/// The range widened outwards to ticks that are as far apart as nice_ticks(low, high, count).
[[nodiscard]] ChartRange widened(const ChartRange& range, int count);

/// `nice_ticks`, or on a logarithmic axis 1, 2 and 5 times powers of ten, or the powers alone where those are many.
[[nodiscard]] std::vector<double> ticks_of(const ChartRange& range, bool log, int count);

/// The ticks' words, all with the same number of decimals.
[[nodiscard]] std::vector<std::string> tick_labels(const std::vector<double>& ticks);

}  // namespace ltad
