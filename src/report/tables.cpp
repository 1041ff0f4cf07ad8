#include <algorithm>
#include <array>

#include "ltad/core/error.h"
#include "markup.h"
#include "sections.h"

namespace ltad {
namespace {

using Figure = std::optional<double> ReportFigures::*;

struct Metric {
    Figure figure;
    std::string_view heading;
};

constexpr std::array<Metric, 5> more_metrics = {{{&ReportFigures::image_average_precision, "image AP"},
                                                 {&ReportFigures::image_f1_max, "image F1-max"},
                                                 {&ReportFigures::pixel_average_precision, "pixel AP"},
                                                 {&ReportFigures::pixel_f1_max, "pixel F1-max"},
                                                 {&ReportFigures::aupro, "AUPRO"}}};

std::vector<ReportFigures> figures_of(const ReportClass& one) {
    std::vector<ReportFigures> figures;
    for (const ReportScore& score : one.scores) figures.push_back(score.figures);
    return figures;
}

/// The cells of a row: image and pixel AUROC of each score; the best score of each in bold, with those printed alike.
std::string auroc_cells(const std::vector<ReportFigures>& scores) {
    constexpr std::array<Figure, 2> figures = {&ReportFigures::image_auroc, &ReportFigures::pixel_auroc};
    std::array<std::optional<double>, 2> best;
    for (std::size_t k = 0; k < 2; ++k)
        for (const ReportFigures& score : scores) best[k] = std::max(best[k], score.*figures[k]);
    std::string out;
    for (const ReportFigures& score : scores)
        for (std::size_t k = 0; k < 2; ++k) {
            const auto& value = score.*figures[k];
            const bool bold = scores.size() > 1 && value && percentage(value) == percentage(best[k]);
            out += text("<td", k == 0 ? " class=\"first\"" : "", '>', bold ? "<b>" : "", percentage(value),
                        bold ? "</b>" : "", "</td>");
        }
    return out;
}

std::string class_row(const ReportClass& one) {
    const std::string group = one.group.empty() ? ""
                                                : text("<span class=\"tag ", one.group == "low" ? "low" : "", "\">",
                                                       escape(one.group), "</span>");
    return text("<tr><th scope=\"row\">", escape(one.name), "</th><td class=\"word\">", group, "</td><td>", one.train,
                "</td>", auroc_cells(figures_of(one)), "<td class=\"first\">", one.test_good, "</td><td>",
                one.test_defective, "</td></tr>\n");
}

/// Counts of test pictures come last, so that a narrow screen shows the figures without scrolling.
std::string auroc_table(const Report& report) {
    std::string out =
        "<table><caption class=\"hidden\">AUROC in percent by class</caption>\n<thead><tr>"
        "<th scope=\"col\" rowspan=\"2\">class</th><th scope=\"col\" rowspan=\"2\" class=\"word\">group</th>"
        "<th scope=\"col\" rowspan=\"2\">train</th>";
    for (const std::string& name : report.score_names)
        out += text("<th scope=\"colgroup\" colspan=\"2\" class=\"first\">", escape(name), "</th>");
    out += "<th scope=\"colgroup\" colspan=\"2\" class=\"first\">test pictures</th></tr>\n<tr>";
    for (std::size_t i = 0; i < report.score_names.size(); ++i)
        out += "<th scope=\"col\" class=\"first\">image</th><th scope=\"col\">pixel</th>";
    out += "<th scope=\"col\" class=\"first\">good</th><th scope=\"col\">defective</th></tr></thead>\n<tbody>\n";
    for (const ReportClass& one : report.classes) out += class_row(one);
    out += "</tbody>\n";
    if (!report.means.empty()) out += "<tfoot>\n";
    for (const ReportMean& mean : report.means)
        out += text("<tr><th scope=\"row\" colspan=\"3\">", escape(mean.name), "</th>", auroc_cells(mean.scores),
                    "<td colspan=\"2\"></td></tr>\n");
    if (!report.means.empty()) out += "</tfoot>\n";
    return out + "</table>\n";
}

/// The other metrics of the i-th score; empty where it has none of them.
std::string metrics_table(const Report& report, std::size_t i) {
    bool any = false;
    const auto row = [&any](std::string_view name, const ReportFigures& figures) {
        std::string out = text("<tr><th scope=\"row\">", escape(name), "</th>");
        for (const Metric& metric : more_metrics) {
            any = any || figures.*metric.figure;
            out += text("<td>", percentage(figures.*metric.figure), "</td>");
        }
        return out + "</tr>\n";
    };
    std::string out =
        text("<table><caption>", escape(report.score_names[i]), "</caption>\n<thead><tr><th scope=\"col\">class</th>");
    for (const Metric& metric : more_metrics) out += text("<th scope=\"col\">", metric.heading, "</th>");
    out += "</tr></thead>\n<tbody>\n";
    for (const ReportClass& one : report.classes) out += row(one.name, one.scores[i].figures);
    out += "</tbody>\n";
    if (!report.means.empty()) out += "<tfoot>\n";
    for (const ReportMean& mean : report.means) out += row(mean.name, mean.scores[i]);
    if (!report.means.empty()) out += "</tfoot>\n";
    return any ? out + "</table>\n" : "";
}

}  // namespace

std::string percentage(const std::optional<double>& value) { return value ? fixed(100 * *value, 2) : "n/a"; }

std::string folded(std::string_view summary, std::string_view content) {
    return text("<details><summary>", summary, "</summary>\n", content, "</details>\n");
}

std::string scrolling(std::string_view name, std::string_view table) {
    return text("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", escape(name), "\">\n", table,
                "</div>\n");
}

std::string results_section(const Report& report) {
    if (report.classes.empty() && report.means.empty()) return {};
    std::string meanings;
    for (const ReportMean& mean : report.means)
        if (!mean.meaning.empty()) meanings += text(' ', escape(mean.name), ": ", escape(mean.meaning));
    std::string out = text(
        "<p class=\"lead\">Area under the ROC curve in percent: of pictures (image) and of their "
        "pixels (pixel).",
        meanings, report.score_names.size() > 1 ? " Bold: the best score of a row." : "", "</p>\n",
        scrolling("AUROC by class", auroc_table(report)));
    std::string more;
    for (std::size_t i = 0; i < report.score_names.size(); ++i) {
        const std::string table = metrics_table(report, i);
        if (!table.empty()) more += scrolling("More metrics of " + report.score_names[i], table);
    }
    if (!more.empty())
        out +=
            folded("More metrics: average precision, F1-max, AUPRO",
                   "<p class=\"lead\">In percent. AP: average precision. F1-max: the largest F1 over all thresholds. "
                   "AUPRO: per-region overlap up to a false positive rate of 0.3.</p>\n<div class=\"tables\">\n" +
                       more + "</div>\n");
    return out;
}

std::string verdicts(const Report& report) {
    struct Counts {
        std::int64_t found = 0, defective = 0, alarms = 0, good = 0;
    };
    Counts all;
    const auto row = [](const std::string& name, const std::string& threshold, const Counts& counts) {
        return text("<tr><th scope=\"row\">", escape(name), "</th><td>", threshold, "</td><td>", counts.found, " of ",
                    counts.defective, "</td><td>", counts.alarms, " of ", counts.good, "</td></tr>\n");
    };
    std::string rows;
    for (const ReportClass& one : report.classes) {
        const ReportScore& score = one.scores[0];
        if (!score.normal_threshold) continue;
        const auto above = [&](double value) { return value > *score.normal_threshold; };
        const Counts counts = {std::count_if(score.defective.begin(), score.defective.end(), above), one.test_defective,
                               std::count_if(score.good.begin(), score.good.end(), above), one.test_good};
        all = {all.found + counts.found, all.defective + counts.defective, all.alarms + counts.alarms,
               all.good + counts.good};
        rows += row(one.name, brief(*score.normal_threshold), counts);
    }
    if (rows.empty()) return {};
    const std::string table = text(
        "<table><caption class=\"hidden\">Verdicts by class</caption>\n<thead><tr><th scope=\"col\">class</th>"
        "<th scope=\"col\">threshold</th><th scope=\"col\">defects found</th><th scope=\"col\">false alarms</th></tr>"
        "</thead>\n<tbody>\n",
        rows, "</tbody>\n<tfoot>\n", row("All", "", all), "</tfoot>\n</table>\n");
    return text(
        "<h3>Verdicts without labels</h3>\n<p class=\"lead\">What ltad-detect says of the test pictures with these "
        "settings, their class given. Its thresholds come from the scores of the good training pictures alone, so that "
        "classes with few of "
        "them have rough ones.</p>\n",
        scrolling("Verdicts by class", table));
}

std::string names_section(const Report& report) {
    std::size_t tokens = 0;
    for (const ReportClass& one : report.classes) tokens = std::max(tokens, one.name_words.size());
    if (tokens == 0) return {};
    std::string table =
        "<table class=\"words\"><caption class=\"hidden\">Nearest words of the learned names</caption>\n"
        "<thead><tr><th scope=\"col\">class</th>";
    for (std::size_t t = 0; t < tokens; ++t) table += text("<th scope=\"col\">token ", t + 1, "</th>");
    table += "</tr></thead>\n<tbody>\n";
    for (const ReportClass& one : report.classes) {
        table += text("<tr><th scope=\"row\">", escape(one.name), "</th>");
        for (std::size_t t = 0; t < tokens; ++t) {
            table += "<td>";
            if (t < one.name_words.size())
                for (const NearestWord& near : one.name_words[t])
                    table += text("<span class=\"near\">", escape(near.word), " <small>", fixed(near.cosine, 2),
                                  "</small></span> ");
            table += "</td>";
        }
        table += "</tr>\n";
    }
    table += "</tbody></table>\n";
    return "<p class=\"lead\">Each token of a learned pseudo class name with the words of the vocabulary whose "
           "embeddings are nearest, and their cosine.</p>\n" +
           scrolling("Learned names", table);
}

}  // namespace ltad
