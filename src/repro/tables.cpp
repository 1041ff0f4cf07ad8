#include "ltad/repro/tables.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "ltad/detect/method.h"
#include "ltad/repro/paper.h"

namespace ltad {
namespace {

using Overrides = std::vector<std::string>;

template <typename Value>
std::string set(const char* key, const Value& value) {
    return text(key, '=', value);
}

/// A text or list of texts that must not be taken for another kind of value.
std::string set_text(const char* key, const json& value) { return set(key, value.dump()); }

/// A split directory would win over type and factor: none is asked for.
Overrides set_split(const std::string& type, double factor) {
    return {set("split.type", type), set("split.imbalance_factor", shortest_digits(factor)),
            set_text("split.path", "")};
}

std::vector<TableColumn> task_columns(const std::string& group, const Overrides& overrides) {
    return {{group, "image", overrides, "image", "all"}, {group, "pixel", overrides, "pixel", "all"}};
}

std::vector<TableColumn> subset_columns(const Overrides& overrides) {
    std::vector<TableColumn> columns;
    for (const char* task : {"image", "pixel"})
        for (const auto& [subset, heading] : {std::pair("all", "Avg"), {"high", "High"}, {"low", "Low"}})
            columns.push_back({task, heading, overrides, task, subset});
    return columns;
}

std::vector<double> factors_of(const std::string& name, const std::vector<double>& of_the_paper,
                               const ReproOptions& options) {
    const auto& factors = options.factors.empty() && options.paper_data ? of_the_paper : options.factors;
    if (factors.empty())
        throw UsageError(text(name, ": no imbalance factor is given, and the data are not the paper's"));
    return factors;
}

// Tables 3–5: methods, over splits.

/// A method of ours is known by the paper's name for it.
TableRow method_row(const std::string& title) {
    TableRow row{title, {title}, {}, "", ""};
    // The paper's ablation of the semantic part is a score of the same run.
    const bool reconstruction_alone = title == "LTAD w/o SAD";
    const auto& all = methods();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Method& method) {
        return method.title == (reconstruction_alone ? "LTAD" : title);
    });
    if (found == all.end()) {
        row.unavailable = "this method is not part of ltad";
        return row;
    }
    row.overrides = {set("method", found->name)};
    row.score = reconstruction_alone ? "reconstruction" : found->scores.front();
    return row;
}

bool has_method(const PaperTable& paper, const std::string& title) {
    return std::any_of(paper.rows.begin(), paper.rows.end(),
                       [&](const PaperRow& row) { return row.is("method", title); });
}

/// The paper's methods and before LTAD's two rows, the last, those that only ltad has.
std::vector<std::string> compared_methods(const PaperTable& paper) {
    std::vector<std::string> titles;
    for (const PaperRow& row : paper.rows) titles.push_back(row.settings.at("method"));
    for (const Method& method : methods())
        if (!has_method(paper, method.title)) titles.insert(titles.end() - 2, method.title);
    return titles;
}

std::vector<double> factors_of_splits(const std::vector<std::string>& splits) {
    std::vector<double> factors;
    for (const std::string& split : splits)
        if (split.starts_with("exp")) factors.push_back(std::stod(split.substr(3)));
    return factors;
}

ReproTable methods_table(const std::string& name, const ReproOptions& options) {
    const PaperTable& paper = paper_table(name);
    ReproTable table;
    table.title = text("Table ", name.back(), ": methods");
    table.note =
        "Methods that look at features see the same ones here; the paper's UniAD has an EfficientNet of its own.";
    for (const Method& method : methods())
        if (!has_method(paper, method.title)) table.note += text(' ', method.title, " is not in the paper.");
    table.label_headings = {"method"};
    for (const char* type : {"exp", "step"}) {
        for (const double factor : factors_of(name, factors_of_splits(paper.splits), options)) {
            const auto pair = task_columns(type + shortest_digits(factor), set_split(type, factor));
            table.columns.insert(table.columns.end(), pair.begin(), pair.end());
        }
    }
    if (options.paper_data) table.paper_source = paper.dataset;
    for (const std::string& method : compared_methods(paper)) {
        const TableRow row = method_row(method);
        // Elsewhere the row would have neither our figures nor the paper's.
        if (!row.unavailable.empty() && !options.paper_data) continue;
        table.rows.push_back(row);
        const auto source = std::find_if(paper.rows.begin(), paper.rows.end(),
                                         [&](const PaperRow& r) { return r.is("method", method); });
        auto& figures = table.paper.emplace_back(table.columns.size());
        if (source == paper.rows.end() || !options.paper_data) continue;
        for (std::size_t c = 0; c < figures.size(); ++c) {
            const auto found = source->figures.find(table.columns[c].group + " " + table.columns[c].task);
            if (found != source->figures.end()) figures[c] = found->second;
        }
    }
    return table;
}

// Tables 6–9: variants of LTAD, on one split.

/// Table 6. What UniAD does not use is set as in row 6.8.
Overrides reconstruction_variant(const PaperRow& row) {
    const bool class_name = row.is("name_init", "class name");
    const char* init = class_name ? "class_name" : row.is("name_init", "random") ? "random" : "object";
    Overrides overrides = {set("method", row.is("method", "UniAD") ? "uniad" : "ltad"),
                           set("phase1.generator", row.is("ae_or_vae", "AE") ? "autoencoder" : "vae"),
                           set("phase2.sampling", row.is("class_aware_sampling", "yes") ? "class_aware" : "constant"),
                           set("prompts.init", init),
                           set("prompts.learned", row.is("learned_name", "no") ? "false" : "true")};
    if (class_name) overrides.push_back(set("prompts.length", 0));
    return overrides;
}

/// The states of table 9, "normal" or "abnormal", each once.
std::vector<std::string> states_of_table9(const char* kind) {
    std::vector<std::string> states;
    for (const PaperRow& row : paper_table("table9").rows)
        if (std::find(states.begin(), states.end(), row.settings.at(kind)) == states.end())
            states.push_back(row.settings.at(kind));
    return states;
}

/// Table 7. The paper does not list the prompts of its ensemble: the mean over all of table 9's.
Overrides projection_variant(const PaperRow& row) {
    const bool several = row.is("prompts", "Multiple");
    return {set("method", "ltad"),
            set("semantic.text", "encoder"),
            set("scoring.names", "own"),
            set("semantic.projection", row.is("layer_aware_projection", "yes") ? "per_layer" : "concatenated"),
            set("semantic.pooling", row.is("pooling", "Mean") ? "mean" : "max"),
            set_text("prompts.normal", several ? json(states_of_table9("normal")) : json("a")),
            set_text("prompts.abnormal", several ? json(states_of_table9("abnormal")) : json("a broken"))};
}

Overrides name_variant(const PaperRow& row) {
    return {set("method", "ltad"), set("scoring.names", row.is("own_name", "yes") ? "own" : "exchanged"),
            set("semantic.text", row.is("use_text_encoder", "yes") ? "encoder" : "free")};
}

Overrides prompt_variant(const PaperRow& row) {
    return {set("method", "ltad"), set("semantic.text", "encoder"), set("scoring.names", "own"),
            set_text("prompts.normal", row.settings.at("normal")),
            set_text("prompts.abnormal", row.settings.at("abnormal"))};
}

struct Ablation {
    const char* title;
    const char* note;
    const char* score;
    std::vector<std::pair<const char*, const char*>> labels;  ///< setting of the paper's row, heading
    Overrides (*variant)(const PaperRow&);
};

const std::map<std::string, Ablation>& ablations() {
    static const std::map<std::string, Ablation> all = {
        {"table6",
         {"Table 6: variants of the reconstruction score, alone",
          "Names of rows 6.5 and 6.6 have as many tokens as the class's own name, of the others prompts.length.",
          "reconstruction",
          {{"id", "row"},
           {"method", "method"},
           {"use_align", "with ALIGN"},
           {"ae_or_vae", "AE or VAE"},
           {"class_aware_sampling", "class aware"},
           {"learned_name", "learned name"},
           {"name_init", "name init"}},
          reconstruction_variant}},
        {"table7",
         {"Table 7: variants of the semantic score, alone",
          "The paper does not list the prompts of row 7.3: here the mean of the four of each kind in table 9.",
          "semantic",
          {{"id", "row"}, {"layer_aware_projection", "layer aware"}, {"pooling", "pooling"}, {"prompts", "prompts"}},
          projection_variant}},
        {"table8",
         {"Table 8: names and the text encoder in the semantic score, alone",
          "",
          "semantic",
          {{"id", "row"}, {"own_name", "own name"}, {"use_text_encoder", "text encoder"}},
          name_variant}},
        {"table9",
         {"Table 9: prompts of the semantic score, alone",
          "",
          "semantic",
          {{"normal", "normal"}, {"abnormal", "abnormal"}},
          prompt_variant}}};
    return all;
}

/// Of tables 6–9 and figure 6.
Overrides split_of_ablations(const ReproOptions& options) {
    if (!options.paper_data) return {};
    return {set("split.type", "step"), set("split.imbalance_factor", 100)};
}

TableRow ablation_row(const Ablation& ablation, const PaperRow& source, const ReproOptions& options) {
    TableRow row{"", {}, ablation.variant(source), ablation.score, ""};
    for (const auto& [setting, heading] : ablation.labels)
        row.labels.push_back(source.is(setting, "N/A") ? "-" : source.settings.at(setting));
    const auto id = source.settings.find("id");
    row.id = id != source.settings.end() ? id->second : text(row.labels[0], " / ", row.labels[1]);
    if (source.is("method", "UniAD")) row.score = "uniad";
    if (!source.is("use_align", "no")) return row;
    if (options.efficientnet.empty()) {
        row.unavailable = "no model directory of an EfficientNet is given";
    } else {
        // The config's taps count the blocks of another network.
        row.overrides.push_back(set_text("encoder.path", options.efficientnet.string()));
        row.overrides.push_back(set("encoder.taps", "auto"));
    }
    return row;
}

ReproTable ablation_table(const std::string& name, const ReproOptions& options) {
    const PaperTable& paper = paper_table(name);
    const Ablation& ablation = ablations().at(name);
    ReproTable table;
    table.title = ablation.title;
    table.note = ablation.note;
    table.paper_source = text(paper.dataset, ", ", paper.splits[0]);
    for (const auto& [setting, heading] : ablation.labels) table.label_headings.emplace_back(heading);
    const Overrides split = split_of_ablations(options);
    table.columns = name == "table9" ? task_columns("", split) : subset_columns(split);
    for (const PaperRow& source : paper.rows) {
        table.rows.push_back(ablation_row(ablation, source, options));
        auto& figures = table.paper.emplace_back();
        for (const TableColumn& column : table.columns)
            figures.emplace_back(source.figures.at(column.task + " " + column.subset));
    }
    return table;
}

// Figures.

ReproTable figure6(const ReproOptions& options) {
    ReproTable table;
    table.title = "Figure 6: tokens of a pseudo class name, reconstruction score alone";
    table.label_headings = {"tokens"};
    table.columns = subset_columns(split_of_ablations(options));
    for (int length = 1; length <= 8; ++length) {
        const std::string id = std::to_string(length);
        table.rows.push_back({id,
                              {id},
                              {set("method", "ltad"), set("phase1.generator", "vae"), set("prompts.length", length)},
                              "reconstruction",
                              ""});
    }
    return table;
}

ReproTable figure8(const ReproOptions& options) {
    ReproTable table;
    table.title = "Figure 8: class order, LTAD";
    table.note = "Reversed, the classes that had the most training images have the fewest.";
    table.label_headings = {"split", "class order"};
    table.columns = subset_columns({});
    for (const char* type : {"exp", "step"}) {
        for (const double factor : factors_of("fig8", paper_factors("DAGM"), options)) {
            for (const bool reversed : {false, true}) {
                const char* order = reversed ? "reversed" : "as it is";
                const std::string split = type + shortest_digits(factor);
                TableRow row{text(split, ", ", order), {split, order}, set_split(type, factor), "ltad", ""};
                row.overrides.push_back(set("split.reverse", reversed ? "true" : "false"));
                row.overrides.push_back(set("method", "ltad"));
                table.rows.push_back(row);
            }
        }
    }
    return table;
}

ReproTable figure(const std::string& name, const ReproOptions& options) {
    ReproTable table = name == "fig6" ? figure6(options) : figure8(options);
    table.ranked = false;
    table.paper.assign(table.rows.size(), std::vector<std::optional<double>>(table.columns.size()));
    return table;
}

}  // namespace

const std::vector<std::string>& repro_names() {
    static const std::vector<std::string> names = {"table3", "table4", "table5", "table6", "table7",
                                                   "table8", "table9", "fig6",   "fig8"};
    return names;
}

std::string paper_data_of(const std::string& name) {
    if (name == "table4") return "visa";
    return name == "table5" || name == "fig8" ? "dagm" : "mvtec";
}

bool compares_splits(const std::string& name) { return !ablations().contains(name) && name != "fig6"; }

ReproTable repro_table(const std::string& name, const ReproOptions& options) {
    const auto& names = repro_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        std::string known;
        for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
        throw UsageError(text("'", name, "' is none of ", known));
    }
    ReproTable table = name.starts_with("fig")      ? figure(name, options)
                       : ablations().contains(name) ? ablation_table(name, options)
                                                    : methods_table(name, options);
    table.name = name;
    table.paper_data = options.paper_data;
    return table;
}

}  // namespace ltad
