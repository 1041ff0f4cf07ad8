#include "ltad/report/chart.h"

#include <cmath>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "report/svg.h"
#include "report/xml.h"

namespace ltad {
namespace {

using test::Element;
using test::Xml;
using testing::AllOf;
using testing::Contains;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::Pointwise;
using testing::SizeIs;
using testing::ThrowsMessage;

constexpr const char* nasty = "a<b> & \"c\" 'd' \x01";

/// The points of path data made of M and L.
std::vector<std::pair<double, double>> points_of(std::string data) {
    for (char& c : data)
        if (c == 'M' || c == 'L') c = ' ';
    std::istringstream in(data);
    std::vector<std::pair<double, double>> points;
    for (double x = 0, y = 0; in >> x >> y;) points.emplace_back(x, y);
    return points;
}

TEST(NiceTicks, AreRoundNumbersWithinTheRange) {
    EXPECT_THAT(nice_ticks(0, 1, 5), Pointwise(DoubleNear(1e-12), std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1}));
    EXPECT_THAT(nice_ticks(0, 100, 4), Pointwise(DoubleNear(1e-12), std::vector<double>{0, 25, 50, 75, 100}));
    EXPECT_THAT(nice_ticks(-0.3, 1.1, 3), Pointwise(DoubleNear(1e-12), std::vector<double>{0, 0.5, 1}));
    EXPECT_THAT(nice_ticks(1234, 1241, 4), Pointwise(DoubleNear(1e-9), std::vector<double>{1234, 1236, 1238, 1240}));
    EXPECT_THAT(nice_ticks(3, 3, 4), IsEmpty());
    EXPECT_THAT(nice_ticks(0, std::numeric_limits<double>::infinity(), 4), IsEmpty());
}

TEST(LineChart, DrawsPointsWhereTheirValuesAre) {
    LineChart chart;
    chart.series = {{"one", {{0, 0}, {5, 10}, {10, 5}}}};
    chart.x = ChartRange{0, 10};
    chart.y = ChartRange{0, 10};
    const Xml xml(draw(chart));
    const auto paths = xml.named("path");
    ASSERT_THAT(paths, SizeIs(1));
    EXPECT_EQ(paths[0].get("class"), "l-s1");
    const auto points = points_of(paths[0].get("d"));
    ASSERT_THAT(points, SizeIs(3));
    // Half the width, the full height; then the full width, half the height. Larger values are further up.
    EXPECT_NEAR(points[1].first - points[0].first, points[2].first - points[1].first, 0.02);
    EXPECT_NEAR(points[0].second - points[1].second, 2 * (points[2].second - points[1].second), 0.04);
    EXPECT_GT(points[0].second, points[1].second);
    // Corner to corner of the grid.
    const auto grid = xml.named("line", "l-line");
    EXPECT_NEAR(points[0].first, grid.front().number("x1"), 0.02);
    EXPECT_NEAR(points[2].first, grid.front().number("x2"), 0.02);
    EXPECT_NEAR(points[0].second, grid.front().number("y1"), 0.02);
    EXPECT_NEAR(points[1].second, grid.back().number("y1"), 0.02);
    for (const Element& element : grid)
        EXPECT_THAT(element.number("y1"), AllOf(testing::Ge(0), testing::Le(chart.height)));
}

/// Whether all labels are within the chart, by a guess of their widths.
void expect_labels_inside(const Xml& xml) {
    const double width = xml.elements()[0].number("width"), height = xml.elements()[0].number("height");
    for (const Element& label : xml.named("text")) {
        const double length = text_width(label.text), x = label.number("x");
        const std::string anchor = label.get("text-anchor");
        const double left = anchor == "end" ? x - length : anchor == "middle" ? x - length / 2 : x;
        EXPECT_GE(left, -0.01) << label.text;
        EXPECT_LE(left + length, width + 0.01) << label.text;
        EXPECT_GE(label.number("y"), 8) << label.text;
        EXPECT_LE(label.number("y"), height) << label.text;
    }
}

TEST(LineChart, LabelsAreNotCutOff) {
    LineChart chart;
    chart.x_label = "false positive rate";
    for (const double high : {1.0, 7.5, 40.0, 1000.0, 123456.0}) {
        chart.series = {{"one", {{0, -high}, {high, high}}}};
        for (const int width : {150, 210, 360, 800}) {
            chart.width = width;
            expect_labels_inside(Xml(draw(chart)));
        }
    }
}

TEST(LineChart, SaysWhatItIsInWordsAndEscapesThem) {
    LineChart chart;
    chart.title = chart.description = chart.note = chart.x_label = chart.y_label = nasty;
    chart.series = {{nasty, {{0, 1}, {1, 2}}}, {"other", {{0, 2}, {1, 1}}}};
    const Xml xml(draw(chart));
    EXPECT_EQ(xml.elements()[0].get("role"), "img");
    const std::string expected = "a<b> & \"c\" 'd' \xEF\xBF\xBD";
    EXPECT_THAT(xml.texts("title"), Contains(expected));
    EXPECT_THAT(xml.texts("desc"), ElementsAre(expected));
    EXPECT_EQ(xml.elements()[1].name, "title");
    EXPECT_THAT(xml.texts("text"), IsSupersetOf({expected, expected, expected, std::string("other")}));
}

TEST(LineChart, ErrorBarsReachFromBelowToAbove) {
    LineChart chart;
    chart.series = {{"one", {{0, 5, 2}, {1, 5}}}};
    chart.y = ChartRange{0, 10};
    const Xml xml(draw(chart));
    const auto bars = xml.named("line", "l-s1");
    ASSERT_THAT(bars, SizeIs(3));  // the bar and its two ends
    const auto points = points_of(xml.named("path")[0].get("d"));
    const double unit = [&] {  // of y, from the grid's lines at 0 and 10
        const auto grid = xml.named("line", "l-line");
        return (grid.front().number("y1") - grid.back().number("y1")) / 10;
    }();
    EXPECT_NEAR(points[0].second - bars[0].number("y1"), 2 * unit, 0.05);
    EXPECT_NEAR(bars[0].number("y2") - points[0].second, 2 * unit, 0.05);
}

TEST(LineChart, LogarithmMakesEqualRatiosEqualSteps) {
    LineChart chart;
    chart.series = {{"one", {{0, 1}, {1, 10}, {2, 1000}}}};
    chart.log_y = true;
    const auto points = points_of(Xml(draw(chart)).named("path")[0].get("d"));
    EXPECT_NEAR(2 * (points[0].second - points[1].second), points[1].second - points[2].second, 0.04);
    EXPECT_THAT(Xml(draw(chart)).texts("text"), IsSupersetOf({"1", "10", "100", "1000"}));

    chart.series[0].points[0].y = 0;  // no logarithm: straight
    const auto straight = points_of(Xml(draw(chart)).named("path")[0].get("d"));
    EXPECT_NEAR(100 * (straight[0].second - straight[1].second), straight[0].second - straight[2].second, 1.5);
}

TEST(LineChart, InterruptsTheLineAndBearsEmptiness) {
    LineChart chart;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    chart.series = {{"one", {{0, 1}, {1, 2}, {2, nan}, {3, 4}, {4, 5}}}};
    const std::string data = Xml(draw(chart)).named("path")[0].get("d");
    EXPECT_EQ(std::count(data.begin(), data.end(), 'M'), 2);
    EXPECT_THAT(draw(chart), Not(HasSubstr("nan")));

    EXPECT_THAT(Xml(draw(LineChart{})).texts("text"), Contains("no data"));
    chart.series = {{"one", {{3, 7}}}};
    chart.markers = true;
    EXPECT_THAT(Xml(draw(chart)).named("circle"), SizeIs(1));
    EXPECT_THAT(draw(chart), Not(HasSubstr("nan")));
}

TEST(LineChart, EpochsHaveNoHalves) {
    LineChart chart;
    chart.series = {{"one", {{1, 0}, {2, 1}, {3, 0}}}};
    chart.y = ChartRange{0, 1};
    const auto texts = Xml(draw(chart)).texts("text");
    EXPECT_THAT(texts, IsSupersetOf({"1", "2", "3"}));
    EXPECT_THAT(texts, Not(Contains("1.5")));
}

BarChart two_groups() {
    BarChart chart;
    chart.title = "AUROC";
    chart.count_label = "training images";
    chart.series = {"ltad", "semantic"};
    chart.groups = {{"bottle", 60, {90.0, 45.0}, {}}, {"zipper", 6, {std::nullopt, 30.0}, {}}};
    return chart;
}

TEST(BarChart, LengthsAreInProportion) {
    const Xml xml(draw(two_groups()));
    expect_labels_inside(xml);
    const auto first = xml.named("rect", "f-s1"), second = xml.named("rect", "f-s2"),
               counts = xml.named("rect", "f-good");
    ASSERT_THAT(first, SizeIs(2));  // a swatch of the legend, bottle's bar; zipper has none
    ASSERT_THAT(second, SizeIs(3));
    EXPECT_NEAR(first[1].number("width"), 2 * second[1].number("width"), 0.05);
    EXPECT_NEAR(second[1].number("width"), 1.5 * second[2].number("width"), 0.05);
    EXPECT_EQ(first[1].get("x"), second[2].get("x"));
    ASSERT_THAT(counts, SizeIs(2));
    EXPECT_NEAR(counts[0].number("width"), 10 * counts[1].number("width"), 0.1);
    EXPECT_THAT(xml.texts("text"),
                IsSupersetOf({"bottle", "zipper", "60", "6", "90.0", "45.0", "n/a", "training images"}));
    const double height = xml.elements()[0].number("height");
    for (const Element& rect : xml.named("rect")) EXPECT_LT(rect.number("y") + rect.number("height"), height);
}

TEST(BarChart, KeepsValuesInsideAndOmitsCountsThatAreNotThere) {
    BarChart chart = two_groups();
    chart.groups = {{"a", std::nullopt, {120.0, -5.0}, {}}, {"b", std::nullopt, {100.0, 0.0}, {}}};
    const Xml xml(draw(chart));
    const auto first = xml.named("rect", "f-s1"), second = xml.named("rect", "f-s2");
    EXPECT_EQ(first[1].get("width"), first[2].get("width"));
    EXPECT_EQ(second[1].get("width"), second[2].get("width"));
    EXPECT_THAT(xml.texts("text"), IsSupersetOf({"120.0", "-5.0"}));
    EXPECT_THAT(xml.named("rect", "f-good"), IsEmpty());
    EXPECT_THAT(xml.texts("text"), Not(Contains("training images")));
}

TEST(BarChart, LongNamesAreCutAndKeptInTheTooltip) {
    BarChart chart = two_groups();
    chart.groups[0].name = "a class with a very long name & more";
    const Xml xml(draw(chart));
    EXPECT_THAT(xml.texts("text"), Contains(AllOf(HasSubstr("a class with"), HasSubstr("…"))));
    EXPECT_THAT(xml.texts("title"), Contains(chart.groups[0].name));
}

TEST(BarChart, ErrorsAreDrawnAroundTheEndsOfTheirBars) {
    BarChart chart = two_groups();
    const std::size_t without = Xml(draw(chart)).named("line").size();
    chart.groups[0].errors = {0, 5};  // "ltad" has one seed
    chart.groups[1].errors = {3, 0};  // of no value at all
    const Xml xml(draw(chart));
    ASSERT_EQ(xml.named("line").size(), without + 3);
    const auto bars = xml.named("rect", "f-s2");
    const double per_unit = bars[1].number("width") / 45;
    const auto whisker = xml.named("line")[without];
    EXPECT_NEAR(whisker.number("x2") - whisker.number("x1"), 10 * per_unit, 0.1);
    EXPECT_NEAR((whisker.number("x1") + whisker.number("x2")) / 2, bars[1].number("x") + bars[1].number("width"), 0.1);
}

TEST(BarChart, RefusesAGroupWithoutItsValues) {
    BarChart chart = two_groups();
    chart.groups[1].values.pop_back();
    EXPECT_THAT([&] { (void)draw(chart); }, ThrowsMessage<Error>(AllOf(HasSubstr("zipper"), HasSubstr("AUROC"))));
    chart = two_groups();
    chart.groups[0].errors = {1};
    EXPECT_THAT([&] { (void)draw(chart); }, ThrowsMessage<Error>(AllOf(HasSubstr("bottle"), HasSubstr("errors"))));
}

TEST(HistogramChart, BarsAreSharesOfTheirGroup) {
    HistogramChart chart;
    chart.good = {0, 0, 0, 1};
    chart.defective = {10, 10, 10, 10, 10, 10, 0.5, 6};
    chart.threshold = 5;
    chart.bins = 10;
    const Xml xml(draw(chart));
    const auto good = xml.named("rect", "f-good"), bad = xml.named("rect", "f-bad");
    ASSERT_THAT(good, SizeIs(2));
    ASSERT_THAT(bad, SizeIs(3));  // the highest value belongs to the last bin
    EXPECT_NEAR(good[0].number("height"), 3 * good[1].number("height"), 0.05);
    EXPECT_NEAR(bad[2].number("height"), good[0].number("height"), 0.05);  // 6 of 8 as 3 of 4
    const double middle = bad[0].number("y");
    EXPECT_NEAR(good[0].number("y") + good[0].number("height"), middle, 0.02);
    EXPECT_EQ(good[0].get("x"), bad[0].get("x"));
    const auto lines = xml.named("line", "l-ink");
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_NEAR(lines[0].number("x1"), chart.width / 2.0, 0.01);
    expect_labels_inside(xml);
    EXPECT_THAT(xml.texts("text"), IsSupersetOf({"4 good", "8 defective"}));
}

TEST(HistogramChart, TickLabelsDoNotTouch) {
    for (const auto& [low, high] :
         {std::pair(1180.31, 1181.07), {0.0, 30000.0}, {12.3, 12.4}, {-5e5, 5e5}, {3500.0, 29800.0}}) {
        HistogramChart chart;
        chart.good = {low, high};
        chart.defective = {low, high};
        const Xml xml(draw(chart));
        expect_labels_inside(xml);
        std::vector<std::pair<double, double>> labels;  // middle, width; ticks are the only ones centred
        for (const Element& label : xml.named("text"))
            if (label.get("text-anchor") == "middle") labels.emplace_back(label.number("x"), text_width(label.text));
        ASSERT_FALSE(labels.empty()) << low;
        for (std::size_t i = 1; i < labels.size(); ++i)
            EXPECT_GT(labels[i].first - labels[i - 1].first, (labels[i].second + labels[i - 1].second) / 2) << low;
    }
}

TEST(HistogramChart, BearsEmptinessAndInfinities) {
    HistogramChart chart;
    chart.title = nasty;
    EXPECT_NO_THROW((void)Xml(draw(chart)));
    chart.good = {1, 1, std::numeric_limits<double>::infinity()};
    chart.threshold = std::numeric_limits<double>::infinity();
    const Xml xml(draw(chart));
    EXPECT_THAT(xml.named("rect", "f-good"), SizeIs(1));
    EXPECT_THAT(draw(chart), AllOf(Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
    chart.bins = 0;
    EXPECT_THAT([&] { (void)draw(chart); }, ThrowsMessage<Error>(HasSubstr("bin")));
}

TEST(ChartFile, IsADocumentWithColoursOfItsOwn) {
    const std::string file = chart_file(draw(two_groups()));
    const Xml xml(file);
    EXPECT_EQ(xml.elements()[0].get("xmlns"), "http://www.w3.org/2000/svg");
    EXPECT_THAT(xml.texts("style"), ElementsAre(HasSubstr("prefers-color-scheme:dark")));
    EXPECT_EQ(xml.elements()[0].number("width"), two_groups().width + 24);
    for (const Element& rect : xml.named("rect")) EXPECT_THAT(rect.get("fill"), testing::StartsWith("#"));
    EXPECT_THAT([] { (void)chart_file("<p>"); }, ThrowsMessage<Error>(HasSubstr("no chart")));
}

double luminance(const std::string& hex) {
    double sum = 0;
    constexpr double weights[] = {0.2126, 0.7152, 0.0722};
    for (std::size_t c = 0; c < 3; ++c) {
        const double v = std::stoi(hex.substr(1 + 2 * c, 2), nullptr, 16) / 255.0;
        sum += weights[c] * (v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
    }
    return sum;
}

TEST(Palette, HasTheContrastsOfWcag) {
    const std::string css = palette_css();
    const std::size_t dark = css.find("prefers-color-scheme");
    for (const std::string& scheme : {css.substr(0, dark), css.substr(dark)}) {
        const auto colour = [&scheme](const std::string& name) {
            return scheme.substr(scheme.find("--" + name + ":") + 3 + name.size(), 7);
        };
        const auto contrast = [&](const std::string& name) {
            const double a = luminance(colour(name)), b = luminance(colour("paper"));
            return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
        };
        for (const std::string name : {"ink", "soft", "bad"}) EXPECT_GE(contrast(name), 4.5) << name;  // words
        for (const std::string name : {"good", "s1", "s2", "s3", "s4", "s5", "s6"})
            EXPECT_GE(contrast(name), 3) << name;  // shapes
    }
}

}  // namespace
}  // namespace ltad
