#include "svg.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ltad/core/error.h"
#include "ltad/report/chart.h"
#include "markup.h"

namespace ltad {
namespace {

struct Colour {
    std::string_view name;
    std::string_view light;
    std::string_view dark;
};

/// In the order of Paint. The series keep apart for the colour blind by lightness as well as by hue.
constexpr std::array<Colour, 12> palette = {{{"paper", "#ffffff", "#15181c"},
                                             {"ink", "#1b1f24", "#e7e9ec"},
                                             {"soft", "#5a636e", "#9ba4af"},
                                             {"line", "#dfe2e6", "#30363d"},
                                             {"good", "#6b7f94", "#7f93a8"},
                                             {"bad", "#bd4a19", "#f08a4b"},
                                             {"s1", "#1f5fae", "#74abf5"},
                                             {"s2", "#d57a08", "#eda33a"},
                                             {"s3", "#2f9e83", "#4cc2a3"},
                                             {"s4", "#8d4bb5", "#c693ea"},
                                             {"s5", "#7a6a53", "#b9a88d"},
                                             {"s6", "#c23b6b", "#f07fa6"}}};

const Colour& colour_of(Paint paint) { return palette[static_cast<std::size_t>(paint)]; }

std::string fill(Paint paint) {
    return text("class=\"f-", colour_of(paint).name, "\" fill=\"", colour_of(paint).light, '"');
}

std::string stroke(Paint paint, double width) {
    return text("class=\"l-", colour_of(paint).name, "\" stroke=\"", colour_of(paint).light, "\" stroke-width=\"",
                coordinate(width), '"');
}

std::string variables(std::string_view Colour::*shade) {
    std::string out;
    for (const Colour& colour : palette) out += text("--", colour.name, ':', colour.*shade, ';');
    return out;
}

}  // namespace

Paint series_paint(std::size_t i) {
    return static_cast<Paint>(static_cast<std::size_t>(Paint::s1) + i % series_paints);
}

std::string_view name_of(Paint paint) { return colour_of(paint).name; }

std::string coordinate(double value) {
    std::string out = fixed(value, 2);
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
    return out == "-0" ? "0" : out;
}

double text_width(std::string_view text) {
    const auto characters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    return 7.0 * static_cast<double>(characters);
}

std::size_t bold_characters_in(double width) { return static_cast<std::size_t>(std::max(0.0, width / 7.6)); }

Svg::Svg(double width, double height, std::string_view title, std::string_view description) {
    out_ = text("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"", coordinate(width), "\" height=\"",
                coordinate(height), "\" viewBox=\"0 0 ", coordinate(width), ' ', coordinate(height),
                "\" font-family=\"system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif\" font-size=\"11\">\n",
                "<title>", escape(title), "</title>\n");
    if (!description.empty()) out_ += text("<desc>", escape(description), "</desc>\n");
}

void Svg::line(double x1, double y1, double x2, double y2, Paint paint, double width, std::string_view dashes) {
    out_ += text("<line x1=\"", coordinate(x1), "\" y1=\"", coordinate(y1), "\" x2=\"", coordinate(x2), "\" y2=\"",
                 coordinate(y2), "\" ", stroke(paint, width));
    if (!dashes.empty()) out_ += text(" stroke-dasharray=\"", dashes, '"');
    out_ += "/>\n";
}

void Svg::rect(double x, double y, double width, double height, Paint paint) {
    out_ += text("<rect x=\"", coordinate(x), "\" y=\"", coordinate(y), "\" width=\"", coordinate(width),
                 "\" height=\"", coordinate(height), "\" ", fill(paint), "/>\n");
}

void Svg::circle(double x, double y, double radius, Paint paint) {
    out_ += text("<circle cx=\"", coordinate(x), "\" cy=\"", coordinate(y), "\" r=\"", coordinate(radius), "\" ",
                 fill(paint), "/>\n");
}

void Svg::path(std::string_view data, Paint paint, double width) {
    out_ += text("<path d=\"", data, "\" fill=\"none\" stroke-linejoin=\"round\" ", stroke(paint, width), "/>\n");
}

void Svg::label(double x, double y, Anchor anchor, Paint paint, std::string_view words, bool bold,
                std::size_t characters) {
    if (words.empty()) return;
    constexpr std::array<std::string_view, 3> anchors = {"start", "middle", "end"};
    const std::string shown = characters > 0 ? shortened(words, characters) : std::string(words);
    out_ += text("<text x=\"", coordinate(x), "\" y=\"", coordinate(y), "\" ", fill(paint));
    if (anchor != Anchor::start) out_ += text(" text-anchor=\"", anchors[static_cast<std::size_t>(anchor)], '"');
    if (bold) out_ += " font-weight=\"600\"";
    out_ += text('>', escape(shown));
    if (shown != words) out_ += text("<title>", escape(words), "</title>");
    out_ += "</text>\n";
}

std::string Svg::finish() && { return std::move(out_) + "</svg>\n"; }

double draw_legend(Svg& svg, double x, double y, double right, const std::vector<std::string>& names) {
    constexpr double swatch = 14, gap = 14;
    double at = x, below = y;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const double width = swatch + 4 + text_width(names[i]);
        if (at > x && at + width > right) {
            at = x;
            below += text_height;
        }
        svg.rect(at, below + 4.5, swatch, 4, series_paint(i));
        svg.label(at + swatch + 4, below + 10.5, Anchor::start, Paint::soft, names[i]);
        at += width + gap;
    }
    return names.empty() ? 0 : below + text_height - y;
}

std::string palette_css() {
    std::string out = text(":root{", variables(&Colour::light), "}\n@media (prefers-color-scheme:dark){:root{",
                           variables(&Colour::dark), "}}\n");
    for (const Colour& colour : palette)
        out += text(".f-", colour.name, "{fill:var(--", colour.name, ")}.l-", colour.name, "{stroke:var(--",
                    colour.name, ")}\n");
    return out;
}

std::string chart_file(const std::string& chart) {
    constexpr double margin = 12;
    const auto length = [&chart](const std::string& name) {
        const std::size_t at = chart.find(name + "=\"");
        if (!chart.starts_with("<svg ") || at == std::string::npos) fail("chart file: what was given is no chart");
        return coordinate(std::stod(chart.substr(at + name.size() + 2)) + 2 * margin);
    };
    const std::string width = length("width"), height = length("height");
    return text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width,
                "\" height=\"", height, "\" viewBox=\"0 0 ", width, ' ', height, "\">\n<style>\n", palette_css(),
                "</style>\n<rect width=\"100%\" height=\"100%\" ", fill(Paint::paper), "/>\n<svg x=\"", margin,
                "\" y=\"", margin, '"', chart.substr(std::string_view("<svg").size()), "</svg>\n");
}

}  // namespace ltad
