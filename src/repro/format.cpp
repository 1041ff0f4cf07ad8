#include "ltad/repro/format.h"

#include "cells.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/visible.h"
#include "ltad/eval/table.h"

namespace ltad {
namespace {

std::string full_precision(const std::optional<double>& value) { return value ? shortest_digits(*value) : ""; }

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (std::size_t i = 0; i < fields.size(); ++i) line += text(i > 0 ? "," : "", csv_field(fields[i]));
    return line + "\n";
}

/// Text that neither ends its cell nor opens a tag.
std::string markdown_text(const std::string& value) {
    std::string out;
    for (const char c : visible(value)) {
        if (c == '|' || c == '<' || c == '*' || c == '_' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

std::string markdown_figure(const ShownFigure& figure) {
    if (figure.place == Place::best) return "**" + figure.digits + "**";
    if (figure.place == Place::second) return "<u>" + figure.digits + "</u>";
    return figure.digits;
}

std::string markdown_cell(const ShownCell& cell) {
    std::string out = markdown_figure(cell.ours);
    if (!cell.deviation.empty()) out += " ± " + cell.deviation;
    if (cell.footnote > 0) out += text(" <sup>", cell.footnote, "</sup>");
    if (!cell.paper.digits.empty()) out += " (" + markdown_figure(cell.paper) + ")";
    return out;
}

std::string markdown_notes(const ReproTable& table, const ShownTable& shown) {
    std::string out = "AUROC in percent";
    if (!shown.seeds.empty()) out += "; " + shown.seeds;
    out += ".";
    if (!shown.source.empty()) out += text(" ", markdown_text(shown.source));
    if (shown.marked) out += " **Best** and <u>second</u> of each column.";
    if (!table.note.empty()) out += text(" ", markdown_text(table.note));
    out += "\n";
    for (std::size_t i = 0; i < shown.footnotes.size(); ++i)
        out += text("\n<sup>", i + 1, "</sup> ", markdown_text(shown.footnotes[i]), "\n");
    return out;
}

json labels_to_json(const ReproTable& table, const TableRow& row) {
    json labels = json::object();
    for (std::size_t i = 0; i < row.labels.size(); ++i) labels[table.label_headings[i]] = row.labels[i];
    return labels;
}

}  // namespace

std::string format_markdown(const ReproTable& table, const CellGrid& cells) {
    const ShownTable all = show(table, cells);
    std::string heading, rule;
    for (const std::string& label : table.label_headings) {
        heading += "| " + markdown_text(label) + " ";
        rule += "| --- ";
    }
    for (const TableColumn& column : table.columns) {
        heading += "| " + markdown_text(full_heading(column)) + " ";
        rule += "| ---: ";
    }
    std::string out = "### " + markdown_text(table.title) + "\n\n" + heading + "|\n" + rule + "|\n";
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
        for (const std::string& label : table.rows[r].labels) out += "| " + markdown_text(label) + " ";
        for (const ShownCell& cell : all.cells[r]) out += "| " + markdown_cell(cell) + " ";
        out += "|\n";
    }
    return out + "\n" + markdown_notes(table, all);
}

std::string format_csv(const ReproTable& table, const CellGrid& cells) {
    check_shape(table, cells);
    std::vector<std::string> heading = {"table", "id"};
    heading.insert(heading.end(), table.label_headings.begin(), table.label_headings.end());
    for (const char* name : {"column", "task", "subset", "mean", "deviation", "seeds", "values", "paper", "note"})
        heading.emplace_back(name);
    std::string out = csv_line(heading);
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
        const TableRow& row = table.rows[r];
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            const TableColumn& column = table.columns[c];
            const CellValues& cell = cells[r][c];
            std::string values;
            for (const double seed : cell.seeds) values += text(values.empty() ? "" : " ", full_precision(seed));
            std::vector<std::string> line = {table.name, row.id};
            line.insert(line.end(), row.labels.begin(), row.labels.end());
            for (const std::string& field :
                 {full_heading(column), column.task, column.subset, full_precision(seed_mean(cell.seeds)),
                  full_precision(seed_deviation(cell.seeds)), std::to_string(cell.seeds.size()), values,
                  full_precision(table.paper[r][c]), reason_of(row, cell)})
                line.push_back(field);
            out += csv_line(line);
        }
    }
    return out;
}

json to_json(const ReproTable& table, const CellGrid& cells) {
    check_shape(table, cells);
    json columns = json::array(), rows = json::array();
    for (const TableColumn& c : table.columns)
        columns.push_back({{"group", c.group},
                           {"heading", c.heading},
                           {"task", c.task},
                           {"subset", c.subset},
                           {"overrides", c.overrides}});
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
        const TableRow& row = table.rows[r];
        json figures = json::array();
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            const CellValues& cell = cells[r][c];
            figures.push_back({{"mean", number_or_null(seed_mean(cell.seeds))},
                               {"deviation", number_or_null(seed_deviation(cell.seeds))},
                               {"seeds", cell.seeds},
                               {"runs", cell.runs},
                               {"paper", number_or_null(table.paper[r][c])},
                               {"note", reason_of(row, cell)}});
        }
        rows.push_back({{"id", row.id},
                        {"labels", labels_to_json(table, row)},
                        {"score", row.score},
                        {"overrides", row.overrides},
                        {"cells", figures}});
    }
    return {{"format", "ltad-repro/1"},    {"table", table.name},
            {"title", table.title},        {"note", table.note},
            {"paper", table.paper_source}, {"paper_data", table.paper_data},
            {"columns", columns},          {"rows", rows}};
}

}  // namespace ltad
