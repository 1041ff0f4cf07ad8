#include <algorithm>

#include "ltad/core/error.h"
#include "ltad/report/chart.h"
#include "markup.h"
#include "scale.h"
#include "svg.h"

namespace ltad {
namespace {

constexpr double bar = 11;         ///< height of a bar with its number
constexpr double between = 8;      ///< groups
constexpr double most_name = 132;  ///< width
constexpr double count_width = 74;

/// Widths from left to right: names, counts, bars, numbers.
struct Columns {
    double count = 0;  ///< where the counts' bars end; their numbers stand to the left of it
    double count_bar = 0;
    Scale value;
    std::size_t name_characters = 0;
};

bool has_counts(const BarChart& chart) {
    return std::any_of(chart.groups.begin(), chart.groups.end(), [](const BarGroup& g) { return g.count.has_value(); });
}

Columns columns_of(const BarChart& chart) {
    double name = 0, number = text_width("n/a");
    for (const BarGroup& group : chart.groups) {
        if (group.values.size() != chart.series.size())
            fail("bar chart \"", chart.title, "\": ", group.name, " has ", group.values.size(), " values for ",
                 chart.series.size(), " series");
        if (!group.errors.empty() && group.errors.size() != chart.series.size())
            fail("bar chart \"", chart.title, "\": ", group.name, " has ", group.errors.size(), " errors for ",
                 chart.series.size(), " series");
        name = std::max(name, text_width(group.name));
        for (const auto& value : group.values)
            if (value) number = std::max(number, text_width(fixed(*value, chart.decimals)));
    }
    name = std::min(name, most_name);
    Columns columns;
    columns.name_characters = static_cast<std::size_t>(name / text_width("x"));
    double left = name + 10;
    if (has_counts(chart)) {
        columns.count = left + count_width;
        columns.count_bar = count_width - 36;
        left = columns.count + 14;
    }
    columns.value = {chart.range, left, chart.width - number - 8};
    return columns;
}

void draw_group(Svg& svg, const BarChart& chart, const BarGroup& group, const Columns& columns, double top,
                std::int64_t most) {
    const double height = bar * static_cast<double>(std::max<std::size_t>(group.values.size(), 1));
    const double base = top + height / 2 + 4;
    svg.label(0, base, Anchor::start, Paint::ink, group.name, false, columns.name_characters);
    if (group.count) {
        const double length = columns.count_bar * static_cast<double>(*group.count) /
                              static_cast<double>(std::max<std::int64_t>(most, 1));
        svg.rect(columns.count - length, top + height / 2 - 3, length, 6, Paint::good);
        svg.label(columns.count - length - 4, base, Anchor::end, Paint::soft, std::to_string(*group.count));
    }
    for (std::size_t i = 0; i < group.values.size(); ++i) {
        const double y = top + bar * static_cast<double>(i);
        const auto& value = group.values[i];
        if (value) {
            const auto place = [&](double v) {
                return columns.value(std::clamp(v, chart.range.low, chart.range.high));
            };
            svg.rect(columns.value.from, y + 1, place(*value) - columns.value.from, bar - 2, series_paint(i));
            const double error = group.errors.empty() ? 0 : group.errors[i];
            if (error > 0) {
                const double middle = y + bar / 2;
                svg.line(place(*value - error), middle, place(*value + error), middle, Paint::ink);
                for (const double end : {*value - error, *value + error})
                    svg.line(place(end), middle - 2, place(end), middle + 2, Paint::ink);
            }
        }
        svg.label(chart.width, y + bar - 1.5, Anchor::end, i == 0 ? Paint::ink : Paint::soft,
                  value ? fixed(*value, chart.decimals) : "n/a");
    }
}

}  // namespace

std::string draw(const BarChart& chart) {
    const Columns columns = columns_of(chart);
    std::int64_t most = 0;
    for (const BarGroup& group : chart.groups) most = std::max(most, group.count.value_or(0));
    const double group_height = bar * static_cast<double>(std::max<std::size_t>(chart.series.size(), 1)) + between;
    // The legend's height is known once it is drawn: a dry run first.
    Svg nothing(0, 0, {}, {});
    const double legend = chart.legend ? draw_legend(nothing, 0, 0, chart.width, chart.series) : 0;
    const double head = text_height + 4 + legend;
    const double top = head + text_height + 6;
    const double bottom = top + group_height * static_cast<double>(chart.groups.size());

    Svg svg(chart.width, bottom + text_height, chart.title, chart.description);
    svg.label(0, 11, Anchor::start, Paint::ink, chart.title, true);
    if (chart.legend) draw_legend(svg, 0, text_height + 4, chart.width, chart.series);
    if (has_counts(chart)) svg.label(columns.count, head + 10, Anchor::end, Paint::soft, chart.count_label);
    svg.label(columns.value.from, head + 10, Anchor::start, Paint::soft, chart.value_label);
    auto ticks = nice_ticks(chart.range.low, chart.range.high, 4);
    // Bars that do not start at 0 say where they do.
    if (!ticks.empty() && ticks.front() > chart.range.low) ticks.insert(ticks.begin(), chart.range.low);
    const auto labels = tick_labels(ticks);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        const double x = columns.value(ticks[i]);
        svg.line(x, top - 3, x, bottom, Paint::line);
        svg.label(x, bottom + 11, Anchor::middle, Paint::soft, labels[i]);
    }
    double y = top + between / 2;
    for (const BarGroup& group : chart.groups) {
        draw_group(svg, chart, group, columns, y, most);
        y += group_height;
    }
    if (chart.reference)
        svg.line(columns.value(*chart.reference), top - 3, columns.value(*chart.reference), bottom, Paint::ink, 1,
                 "2 3");
    return std::move(svg).finish();
}

}  // namespace ltad
