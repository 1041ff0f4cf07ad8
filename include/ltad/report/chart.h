#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ltad {

/// Charts are SVG elements as text, well-formed XML, to stand inside a page. Colours are literal attributes, which the
/// rules of `palette_css` override with CSS variables, so that light and dark both work; `chart_file` makes a file of a
/// chart. Title and description are read by screen readers. Any text is allowed, it is escaped here.

struct ChartPoint {
    double x = 0;
    double y = 0;
    double error = 0;  ///< half the length of an error bar; 0 for none
};

/// Points that are not finite interrupt the line.
struct ChartSeries {
    std::string name{};
    std::vector<ChartPoint> points{};
};

struct ChartRange {
    double low = 0;
    double high = 1;
};

struct LineChart {
    std::string title{};
    std::string note{};         ///< a few words to the right of the title, such as a figure
    std::string description{};  ///< what a screen reader says after the title
    std::string x_label{};
    std::string y_label{};
    std::vector<ChartSeries> series{};
    std::optional<ChartRange> x{};  ///< else from the points
    std::optional<ChartRange> y{};  ///< else from the points, widened to whole ticks
    bool log_y = false;             ///< ignored where a value is not above 0
    bool markers = false;           ///< a dot at each point
    bool legend = true;
    bool diagonal = false;  ///< a thin line from corner to corner: chance in a ROC curve
    int width = 360;
    int height = 240;
};
[[nodiscard]] std::string draw(const LineChart& chart);

struct BarGroup {
    std::string name{};
    std::optional<std::int64_t> count{};          ///< beside the bars, as number and thin bar
    std::vector<std::optional<double>> values{};  ///< one per series; "n/a" where there is none
    std::vector<double> errors{};                 ///< half the lengths of error bars, one per series; none where empty
};

/// Horizontal bars, a group for each name, in the order given.
struct BarChart {
    std::string title{};
    std::string description{};
    std::string count_label{};
    std::string value_label{};
    std::vector<std::string> series{};
    std::vector<BarGroup> groups{};
    ChartRange range{0, 100};           ///< values outside are drawn at the end of the range
    std::optional<double> reference{};  ///< a thin line across the bars
    int decimals = 1;
    bool legend = true;
    int width = 440;
};
/// Throws Error where a group has not one value, or not one error, for each series.
[[nodiscard]] std::string draw(const BarChart& chart);

/// The scores of good items (upwards) and of defective ones (downwards) in the same bins, as shares of their group.
struct HistogramChart {
    std::string title{};
    std::string note{};
    std::string description{};
    std::string x_label{};
    std::vector<double> good{};
    std::vector<double> defective{};
    std::optional<double> threshold{};  ///< a line across both
    int bins = 24;
    int width = 210;
    int height = 150;
};
/// Values that are not finite are left out.
[[nodiscard]] std::string draw(const HistogramChart& chart);

/// The values of 1, 2, 2.5 or 5 times a power of ten apart that lie in [low, high], about `count` of them.
[[nodiscard]] std::vector<double> nice_ticks(double low, double high, int count);

/// CSS: the charts' colours as variables of the root, light and dark, and the rules that paint charts with them.
/// Variables: --paper, --ink, --soft, --line, --good, --bad, --s1 … --s6.
[[nodiscard]] std::string palette_css();

/// What `draw` returned as an SVG file, with a margin, on a ground of its own that is light or dark as the viewer
/// prefers.
[[nodiscard]] std::string chart_file(const std::string& chart);

}  // namespace ltad
