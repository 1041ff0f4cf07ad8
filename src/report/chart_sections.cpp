#include <algorithm>
#include <cmath>

#include "ltad/core/error.h"
#include "markup.h"
#include "sections.h"
#include "svg.h"

namespace ltad {
namespace {

/// Of small multiples: five beside each other on a wide screen, two on a narrow one.
constexpr int small_width = 210;

std::string grid(std::string_view charts, std::string_view kind) {
    return text("<div class=\"charts ", kind, "\">\n", charts, "</div>\n");
}

/// One for all charts of a grid.
std::string legend(const std::vector<std::string>& names) {
    if (names.size() < 2) return {};
    std::string out = "<p class=\"legend\">";
    for (std::size_t i = 0; i < names.size(); ++i)
        out += text("<span><i class=\"b-", name_of(series_paint(i)), "\"></i>", escape(names[i]), "</span> ");
    return out + "</p>\n";
}

/// "87.0", and "n/a" where there is none.
std::string short_percentage(const std::optional<double>& value) { return value ? fixed(100 * *value, 1) : "n/a"; }

std::string bars(const Report& report, const std::vector<const ReportClass*>& order, bool pixel) {
    BarChart chart;
    chart.title = pixel ? "Pixel AUROC" : "Image AUROC";
    chart.description = "By class, from most to fewest training pictures. ";
    chart.count_label = "training pictures";
    chart.value_label = "AUROC in %";
    chart.series = report.score_names;
    chart.legend = false;
    chart.reference = 50;
    for (const ReportClass* one : order) {
        BarGroup group{one->name, one->train, {}};
        chart.description += text(one->name, ": ", one->train, " pictures");
        for (std::size_t i = 0; i < one->scores.size(); ++i) {
            const ReportFigures& figures = one->scores[i].figures;
            const auto value = pixel ? figures.pixel_auroc : figures.image_auroc;
            group.values.push_back(value ? std::optional(100 * *value) : std::nullopt);
            chart.description += text(", ", report.score_names[i], ' ', short_percentage(value));
        }
        chart.description += "; ";
        chart.groups.push_back(std::move(group));
    }
    return draw(chart);
}

std::string roc_charts(const Report& report, bool pixel) {
    std::string charts;
    for (const ReportClass& one : report.classes) {
        LineChart chart;
        bool any = false;
        for (std::size_t i = 0; i < one.scores.size(); ++i) {
            const ReportScore& score = one.scores[i];
            const auto& value = pixel ? score.figures.pixel_auroc : score.figures.image_auroc;
            chart.series.push_back({report.score_names[i], pixel ? score.pixel_roc : score.image_roc});
            any = any || !chart.series.back().points.empty();
            chart.description += text("AUROC of ", report.score_names[i], ' ', short_percentage(value), ". ");
            if (i == 0) chart.note = short_percentage(value);
        }
        if (!any) continue;
        chart.title = one.name;
        chart.x_label = "false positive rate";
        chart.y_label = "true positive rate";
        chart.x = chart.y = ChartRange{0, 1};
        chart.diagonal = true;
        chart.legend = false;
        chart.width = small_width;
        chart.height = small_width + 22;
        charts += draw(chart);
    }
    return charts.empty() ? "" : grid(charts, "small");
}

std::string histograms(const Report& report, std::size_t i) {
    std::string charts;
    for (const ReportClass& one : report.classes) {
        const ReportScore& score = one.scores[i];
        if (score.good.empty() && score.defective.empty()) continue;
        HistogramChart chart;
        chart.title = one.name;
        chart.note = short_percentage(score.figures.image_auroc);
        chart.width = small_width;
        chart.height = 170;
        chart.description = text("Scores of ", score.good.size(), " good and ", score.defective.size(),
                                 " defective pictures. Image AUROC ", chart.note, '.');
        if (score.f1_threshold)
            chart.description += text(" Threshold of the largest F1 ", brief(*score.f1_threshold), '.');
        chart.good = score.good;
        chart.defective = score.defective;
        chart.threshold = score.f1_threshold;
        charts += draw(chart);
    }
    return charts.empty() ? "" : grid(charts, "small");
}

std::string training_chart(const TrainingCurve& curve) {
    LineChart chart;
    chart.title = curve.term;
    chart.x_label = "epoch";
    chart.legend = false;
    chart.width = small_width;
    chart.height = 160;
    double lowest = INFINITY, highest = 0;
    for (const ChartPoint& point : curve.points) {
        lowest = std::min(lowest, point.y);
        highest = std::max(highest, point.y);
    }
    constexpr double worth_a_logarithm = 20;
    chart.log_y = lowest > 0 && highest > worth_a_logarithm * lowest;
    if (chart.log_y) chart.y_label = "logarithmic";
    chart.markers = curve.points.size() < 12;
    chart.series = {{curve.term, curve.points}};
    if (!curve.points.empty()) {
        const ChartPoint &first = curve.points.front(), &last = curve.points.back();
        chart.note = brief(last.y);
        chart.description = text("From ", brief(first.y), " in epoch ", brief(first.x), " to ", brief(last.y),
                                 " in epoch ", brief(last.x), '.');
    }
    return draw(chart);
}

}  // namespace

std::string tail_section(const Report& report) {
    if (report.classes.empty()) return {};
    std::vector<const ReportClass*> order;
    bool pixel = false;
    for (const ReportClass& one : report.classes) {
        order.push_back(&one);
        for (const ReportScore& score : one.scores) pixel = pixel || score.figures.pixel_auroc;
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const ReportClass* a, const ReportClass* b) { return a->train > b->train; });
    return "<p class=\"lead\">Classes from the most to the fewest training pictures (grey), and the AUROC of each. The "
           "dotted line is chance.</p>\n" +
           legend(report.score_names) +
           grid(bars(report, order, false) + (pixel ? bars(report, order, true) : ""), "wide");
}

std::string roc_section(const Report& report) {
    const std::string image = roc_charts(report, false), pixel = roc_charts(report, true);
    if (image.empty() && pixel.empty()) return {};
    std::string out = text("<p class=\"lead\">The figure in the corner is the AUROC of ", escape(report.score_names[0]),
                           " in percent.</p>\n", legend(report.score_names), image);
    if (!pixel.empty()) out += folded("ROC curves of pixels", pixel);
    return out;
}

std::string histogram_section(const Report& report) {
    std::string out;
    for (std::size_t i = 0; i < report.score_names.size(); ++i) {
        const std::string charts = histograms(report, i);
        if (charts.empty()) continue;
        out += i == 0 ? charts : folded("Scores: " + escape(report.score_names[i]), charts);
    }
    if (out.empty()) return {};
    return text(
        "<p class=\"lead\">", escape(report.score_names[0]),
        ": share of the good (upwards) and of the defective test pictures (downwards) with a score. Dashed: the "
        "threshold of the largest F1. In the corner: image AUROC in percent.</p>\n",
        out, verdicts(report));
}

std::string training_section(const Report& report) {
    std::string out, charts;
    for (std::size_t i = 0; i < report.training.size(); ++i) {
        charts += training_chart(report.training[i]);
        const bool last = i + 1 == report.training.size() || report.training[i + 1].phase != report.training[i].phase;
        if (!last) continue;
        out += text("<h3>", escape(report.training[i].phase), "</h3>\n", grid(charts, "small"));
        charts.clear();
    }
    return out;
}

}  // namespace ltad
