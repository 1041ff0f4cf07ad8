#include "ltad/repro/paper.h"

#include <algorithm>
#include <string_view>

#include "ltad/core/error.h"
#include "ltad/core/json.h"

namespace ltad {
namespace embedded {

std::string_view paper_tables_json();

}  // namespace embedded

namespace {

struct Paper {
    std::map<std::string, PaperTable> tables;
    std::map<std::string, std::vector<double>> factors;
};

/// Tables 3–5: one figure for each split, task and method.
void read_methods(PaperTable& table, const json& source) {
    for (const auto& method : source.at("methods")) table.rows.push_back({{{"method", method}}, {}});
    for (const auto& figure : source.at("rows")) {
        const std::string split = figure.at("config");
        if (std::find(table.splits.begin(), table.splits.end(), split) == table.splits.end())
            table.splits.push_back(split);
        if (figure.at("auroc").is_null()) continue;
        const auto row = std::find_if(table.rows.begin(), table.rows.end(),
                                      [&](const PaperRow& r) { return r.is("method", figure.at("method")); });
        row->figures[split + " " + figure.at("task").get<std::string>()] = figure.at("auroc");
    }
}

/// Tables 6–9: a variant with its figures for both tasks, of all classes or of each subset.
PaperRow read_variant(const json& source) {
    PaperRow row;
    for (const auto& [key, value] : source.items()) {
        if (value.is_string()) row.settings[key] = value;
        if (value.is_number()) row.figures[key + " all"] = value;
        if (value.is_object())
            for (const auto& [subset, figure] : value.items()) row.figures[key + " " + subset] = figure;
    }
    return row;
}

Paper read_paper() {
    Paper paper;
    const json document = json::parse(embedded::paper_tables_json());
    for (const auto& [name, source] : document.at("tables").items()) {
        if (name == "table2") {
            for (const auto& row : source.at("rows"))
                row.at("imbalance_factors").get_to(paper.factors[row.at("dataset")]);
            continue;
        }
        PaperTable& table = paper.tables[name];
        table.dataset = source.at("dataset");
        if (source.contains("methods")) {
            read_methods(table, source);
            continue;
        }
        table.splits = {source.at("config")};
        for (const auto& row : source.at("rows")) table.rows.push_back(read_variant(row));
    }
    return paper;
}

const Paper& paper() {
    static const Paper read = read_paper();
    return read;
}

template <typename Value>
const Value& find(const std::map<std::string, Value>& known, const std::string& name, std::string_view what) {
    const auto found = known.find(name);
    if (found == known.end()) fail("the paper has no ", what, " '", name, "'");
    return found->second;
}

}  // namespace

bool PaperRow::is(const std::string& setting, const std::string& word) const {
    const auto found = settings.find(setting);
    return found != settings.end() && found->second == word;
}

const PaperTable& paper_table(const std::string& name) { return find(paper().tables, name, "AUROC table"); }

const std::vector<double>& paper_factors(const std::string& dataset) {
    return find(paper().factors, dataset, "data set");
}

}  // namespace ltad
