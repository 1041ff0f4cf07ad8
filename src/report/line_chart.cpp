#include <algorithm>
#include <cmath>

#include "ltad/core/error.h"
#include "ltad/report/chart.h"
#include "scale.h"
#include "svg.h"

namespace ltad {
namespace {

/// Where the axes of a line chart are.
struct Plot {
    Scale x;
    Scale y;
};

std::vector<double> values_of(const LineChart& chart, double ChartPoint::*coordinate, double errors) {
    std::vector<double> values;
    for (const ChartSeries& series : chart.series)
        for (const ChartPoint& point : series.points)
            for (const double sign : {-errors, errors}) values.push_back(point.*coordinate + sign * point.error);
    return values;
}

/// Whether all x are whole numbers, such as epochs: half an epoch is no place for a tick.
bool is_whole(const LineChart& chart) {
    const auto x = values_of(chart, &ChartPoint::x, 0);
    return !chart.x && std::all_of(x.begin(), x.end(), [](double v) { return v == std::round(v); });
}

void draw_axes(Svg& svg, const LineChart& chart, const Plot& plot, const std::vector<double>& y_ticks) {
    const auto y_labels = tick_labels(y_ticks);
    for (std::size_t i = 0; i < y_ticks.size(); ++i) {
        const double y = plot.y(y_ticks[i]);
        svg.line(plot.x.from, y, plot.x.to, y, Paint::line);
        svg.label(plot.x.from - 5, y + 3.5, Anchor::end, Paint::soft, y_labels[i]);
    }
    const double base = plot.y.from;
    auto x_ticks = nice_ticks(plot.x.range.low, plot.x.range.high, std::max(2, chart.width / 40));
    if (is_whole(chart)) std::erase_if(x_ticks, [](double tick) { return tick != std::round(tick); });
    const auto x_labels = tick_labels(x_ticks);
    for (std::size_t i = 0; i < x_ticks.size(); ++i) {
        const double x = plot.x(x_ticks[i]);
        svg.line(x, base, x, base + 4, Paint::soft);
        const double inside = chart.width - text_width(x_labels[i]) / 2;
        svg.label(std::min(x, inside), base + text_height + 2, Anchor::middle, Paint::soft, x_labels[i]);
    }
    svg.line(plot.x.from, base, plot.x.to, base, Paint::soft);
    svg.label(plot.x.to, base + 2 * text_height + 2, Anchor::end, Paint::soft, chart.x_label);
}

void draw_series(Svg& svg, const ChartSeries& series, const Plot& plot, Paint paint, double width, bool markers) {
    std::string data;
    bool open = false;
    for (const ChartPoint& point : series.points) {
        if (!std::isfinite(point.x) || !std::isfinite(point.y)) {
            open = false;
            continue;
        }
        const double x = plot.x(point.x), y = plot.y(point.y);
        data += text(open ? 'L' : 'M', coordinate(x), ' ', coordinate(y));
        open = true;
        if (markers) svg.circle(x, y, 2.5, paint);
        if (!(point.error > 0)) continue;
        const double upper = plot.y(point.y + point.error);
        const double lower =
            plot.y.log ? plot.y(std::max(point.y - point.error, plot.y.range.low)) : plot.y(point.y - point.error);
        svg.line(x, upper, x, lower, paint);
        svg.line(x - 3, upper, x + 3, upper, paint);
        svg.line(x - 3, lower, x + 3, lower, paint);
    }
    if (!data.empty()) svg.path(data, paint, width);
}

std::vector<std::string> names_of(const std::vector<ChartSeries>& series) {
    std::vector<std::string> names;
    for (const ChartSeries& one : series) names.push_back(one.name);
    return names;
}

}  // namespace

std::string draw(const LineChart& chart) {
    Svg svg(chart.width, chart.height, chart.title, chart.description);
    const double width = chart.width;
    double top = 0;
    if (!chart.title.empty() || !chart.note.empty()) {
        const double room = width - (chart.note.empty() ? 0 : text_width(chart.note) + 8);
        svg.label(0, 11, Anchor::start, Paint::ink, chart.title, true, bold_characters_in(room));
        svg.label(width, 11, Anchor::end, Paint::soft, chart.note);
        top = text_height + 4;
    }
    if (chart.legend) top += draw_legend(svg, 0, top, width, names_of(chart.series));
    if (!chart.y_label.empty()) {
        svg.label(0, top + 10, Anchor::start, Paint::soft, chart.y_label);
        top += text_height;
    }

    const auto y_values = values_of(chart, &ChartPoint::y, 1);
    const bool log = chart.log_y && std::none_of(y_values.begin(), y_values.end(), [](double v) { return v <= 0; });
    const int y_count = std::max(2, chart.height / 45);
    const ChartRange y_found = range_of(y_values, log);
    const ChartRange y_range = chart.y.value_or(log ? y_found : widened(y_found, y_count));
    const ChartRange x_range = chart.x.value_or(range_of(values_of(chart, &ChartPoint::x, 0)));
    const auto y_ticks = ticks_of(y_range, log, y_count);
    double margin = 8;
    for (const std::string& label : tick_labels(y_ticks)) margin = std::max(margin, text_width(label) + 7);
    const double bottom = chart.height - (chart.x_label.empty() ? 1 : 2) * text_height - 5;
    const Plot plot{{x_range, margin, width - 14}, {y_range, bottom, top + 6, log}};

    draw_axes(svg, chart, plot, y_ticks);
    if (chart.diagonal) svg.line(plot.x.from, plot.y.from, plot.x.to, plot.y.to, Paint::line, 1, "3 3");
    for (std::size_t i = chart.series.size(); i-- > 0;)  // the first one on top
        draw_series(svg, chart.series[i], plot, series_paint(i), i == 0 ? 1.8 : 1.3, chart.markers);
    if (y_values.empty())
        svg.label((plot.x.from + plot.x.to) / 2, (top + bottom) / 2, Anchor::middle, Paint::soft, "no data");
    return std::move(svg).finish();
}

}  // namespace ltad
