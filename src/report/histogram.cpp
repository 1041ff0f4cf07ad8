#include <algorithm>
#include <cmath>
#include <utility>

#include "ltad/core/error.h"
#include "ltad/report/chart.h"
#include "scale.h"
#include "svg.h"

namespace ltad {
namespace {

/// Shares of the finite values in `bins` equal parts of the range; nothing for no values.
std::vector<double> shares(const std::vector<double>& values, const ChartRange& range, int bins) {
    std::vector<double> result(static_cast<std::size_t>(bins), 0.0);
    double count = 0;
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        const double position = (value - range.low) / (range.high - range.low) * bins;
        ++result[static_cast<std::size_t>(std::clamp(position, 0.0, bins - 1.0))];
        ++count;
    }
    for (double& share : result) share /= std::max(count, 1.0);
    return result;
}

ChartRange scores_range(const HistogramChart& chart) {
    std::vector<double> all = chart.good;
    all.insert(all.end(), chart.defective.begin(), chart.defective.end());
    if (chart.threshold) all.push_back(*chart.threshold);
    return range_of(all);
}

struct PlacedLabel {
    double middle = 0;
    std::string words;
};

/// As many ticks as have room for their labels side by side, moved inside where they reach over the edge.
std::vector<PlacedLabel> ticks_with_room(const ChartRange& range, const Scale& x, double width) {
    for (int count = std::max(2, static_cast<int>(width / 40));; --count) {
        const auto ticks = nice_ticks(range.low, range.high, count);
        const auto labels = tick_labels(ticks);
        std::vector<PlacedLabel> placed;
        bool fits = true;
        for (std::size_t i = 0; i < ticks.size(); ++i) {
            const double half = text_width(labels[i]) / 2;
            placed.push_back({std::clamp(x(ticks[i]), half, width - half), labels[i]});
            if (i > 0)
                fits = fits && placed[i].middle - placed[i - 1].middle > half + text_width(labels[i - 1]) / 2 + 4;
        }
        if (fits || count == 1) return placed;
    }
}

}  // namespace

std::string draw(const HistogramChart& chart) {
    if (chart.bins < 1) fail("histogram \"", chart.title, "\": it needs at least one bin, not ", chart.bins);
    Svg svg(chart.width, chart.height, chart.title, chart.description);
    const double width = chart.width;
    const double room = width - (chart.note.empty() ? 0 : text_width(chart.note) + 8);
    svg.label(0, 11, Anchor::start, Paint::ink, chart.title, true, bold_characters_in(room));
    svg.label(width, 11, Anchor::end, Paint::soft, chart.note);

    const ChartRange range = scores_range(chart);
    const auto good = shares(chart.good, range, chart.bins);
    const auto defective = shares(chart.defective, range, chart.bins);
    const double most = std::max(
        {1e-9, *std::max_element(good.begin(), good.end()), *std::max_element(defective.begin(), defective.end())});
    // The counts have rows of their own above and below the bars.
    const double top = 2 * text_height + 6;
    const double bottom = chart.height - (chart.x_label.empty() ? 2 : 3) * text_height - 5;
    const double middle = (top + bottom) / 2;
    const double reach = middle - top;
    const Scale x{range, 2, width - 2};
    const double bin = (x.to - x.from) / chart.bins;
    for (std::size_t i = 0; i < good.size(); ++i) {
        const double left = x.from + bin * static_cast<double>(i) + 0.5;
        const double up = reach * good[i] / most, down = reach * defective[i] / most;
        if (up > 0) svg.rect(left, middle - up, bin - 1, up, Paint::good);
        if (down > 0) svg.rect(left, middle, bin - 1, down, Paint::bad);
    }
    svg.line(x.from, middle, x.to, middle, Paint::soft);
    if (chart.threshold && std::isfinite(*chart.threshold))
        svg.line(x(*chart.threshold), top, x(*chart.threshold), bottom, Paint::ink, 1, "3 2");
    svg.label(width - 2, top - 4, Anchor::end, Paint::soft, text(chart.good.size(), " good"));
    svg.label(2, bottom + 10, Anchor::start, Paint::bad, text(chart.defective.size(), " defective"));
    for (const PlacedLabel& tick : ticks_with_room(range, x, width))
        svg.label(tick.middle, bottom + 2 * text_height, Anchor::middle, Paint::soft, tick.words);
    svg.label(width - 2, bottom + 3 * text_height, Anchor::end, Paint::soft, chart.x_label);
    return std::move(svg).finish();
}

}  // namespace ltad
