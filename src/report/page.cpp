#include "ltad/report/page.h"

#include "ltad/core/error.h"
#include "markup.h"
#include "sections.h"
#include "style.h"

namespace ltad {
namespace {

void check(const Report& report) {
    const std::size_t scores = report.score_names.size();
    if (scores == 0) fail("report: it has no scores' names");
    const auto check_size = [&](const std::string& name, std::size_t size) {
        if (size != scores)
            fail("report: ", name, " has ", size, " scores, expected ", scores, ", one for each of the scores' names");
    };
    for (const ReportClass& one : report.classes) check_size("class " + one.name, one.scores.size());
    for (const ReportMean& mean : report.means) check_size("the mean " + mean.name, mean.scores.size());
}

struct Section {
    std::string id;
    std::string heading;
    std::string content;
};

std::vector<Section> sections_of(const Report& report, std::size_t picture_bytes) {
    std::vector<Section> sections = {
        {"results", "Results", results_section(report)},
        {"tail", "The long tail", tail_section(report)},
        {"roc", "ROC curves", roc_section(report)},
        {"scores", "Scores", histogram_section(report)},
        {"gallery", "Gallery", report.gallery.empty() ? "" : gallery_section(report, picture_bytes)},
        {"names", "Learned names", names_section(report)},
        {"training", "Training", training_section(report)},
        {"config", "Configuration",
         report.config.empty()
             ? ""
             : folded("The settings of this run", "<pre tabindex=\"0\" role=\"region\" aria-label=\"Settings\">" +
                                                      escape(report.config) + "</pre>\n")}};
    std::erase_if(sections, [](const Section& section) { return section.content.empty(); });
    return sections;
}

/// The figures one asks for first: the first score in the first mean, and in the others by image.
std::string summary(const Report& report) {
    std::string out;
    const auto figure = [&out](const std::optional<double>& value, const std::string& words) {
        out += text("<li><b>", percentage(value), "</b><span>", escape(words), "</span></li>\n");
    };
    for (std::size_t i = 0; i < report.means.size(); ++i) {
        const ReportFigures& figures = report.means[i].scores[0];
        figure(figures.image_auroc, "image AUROC, " + report.means[i].name);
        if (i == 0) figure(figures.pixel_auroc, "pixel AUROC, " + report.means[i].name);
    }
    return out.empty() ? ""
                       : text("<ul class=\"summary\" aria-label=\"Summary: ", escape(report.score_names[0]), "\">\n",
                              out, "</ul>\n");
}

std::string head(const Report& report) {
    return text(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
        "<meta charset=\"utf-8\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
        "'unsafe-inline'\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>ltad: ",
        escape(report.title), "</title>\n<style>\n", palette_css(), page_style, "</style>\n</head>\n");
}

std::string header(const Report& report) {
    std::string out = text("<header>\n<h1>", escape(report.title), "</h1>\n");
    if (!report.facts.empty()) out += "<dl class=\"facts\">\n";
    for (const auto& [name, value] : report.facts)
        out += text("<div><dt>", escape(name), "</dt><dd>", escape(value), "</dd></div>\n");
    if (!report.facts.empty()) out += "</dl>\n";
    out += summary(report);
    if (!report.notes.empty()) out += "<div class=\"notes\" role=\"note\">\n";
    for (const std::string& note : report.notes) out += text("<p>", escape(note), "</p>\n");
    if (!report.notes.empty()) out += "</div>\n";
    return out + "</header>\n";
}

}  // namespace

std::string render_report(const Report& report, std::size_t picture_bytes) {
    check(report);
    const auto sections = sections_of(report, picture_bytes);
    std::string out =
        head(report) + "<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n" + header(report);
    if (sections.size() > 1) {
        out += "<nav aria-label=\"Sections\"><ul>\n";
        for (const Section& section : sections)
            out += text("<li><a href=\"#", section.id, "\">", section.heading, "</a></li>\n");
        out += "</ul></nav>\n";
    }
    out += "<main id=\"main\" tabindex=\"-1\">\n";
    for (const Section& section : sections)
        out += text("<section aria-labelledby=\"", section.id, "\">\n<h2 id=\"", section.id, "\">", section.heading,
                    "</h2>\n", section.content, "</section>\n");
    return out + "</main>\n</body>\n</html>\n";
}

}  // namespace ltad
