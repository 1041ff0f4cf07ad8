#include "ltad/repro/plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "inputs.h"
#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"

namespace ltad {
namespace {

/// Sections or dotted keys of a config.
json picked(const json& config, std::initializer_list<const char*> keys) {
    json out = json::object();
    for (const std::string key : keys) {
        const json* value = &config;
        for (std::size_t start = 0, dot = 0; dot != std::string::npos; start = dot + 1) {
            dot = key.find('.', start);
            value = &value->at(key.substr(start, dot - start));
        }
        out[key] = *value;
    }
    return out;
}

std::string key_of(const json& settings) { return sha256(settings.dump()).substr(0, 16); }

/// What every part depends on.
json base_of(const json& config) { return picked(config, {"seed", "dataset", "split", "encoder", "inputs"}); }

std::string phase1_key(const json& config) {
    json settings = picked(config, {"prompts.length", "prompts.init", "prompts.learned", "phase1", "decoder"});
    settings["base"] = base_of(config);
    return key_of(settings);
}

std::string part_key(const json& config, PartKind kind) {
    if (kind == PartKind::phase1) return phase1_key(config);
    json settings;
    if (kind == PartKind::reconstruction) settings = picked(config, {"phase2", "reconstruction"});
    if (kind == PartKind::semantic) settings = picked(config, {"phase2", "semantic", "prompts"});
    if (kind == PartKind::uniad) settings = picked(config, {"phase2", "reconstruction", "uniad"});
    if (kind == PartKind::patchcore) settings = picked(config, {"patchcore"});
    const bool of_ltad = kind == PartKind::reconstruction || kind == PartKind::semantic;
    settings["base"] = of_ltad ? json(phase1_key(config)) : base_of(config);
    return key_of(settings);
}

/// Of all but what does not change any result. Another version of the program may give other figures.
std::string run_key(json config) {
    config["program"] = version();
    for (const char* key : {"name", "output", "threads", "device", "checkpoint_seconds", "features"}) config.erase(key);
    return key_of(config);
}

std::vector<PartKind> parts_of(const PlannedRun& run) {
    if (run.config.method == "uniad") return {PartKind::uniad};
    if (run.config.method == "patchcore") return {PartKind::patchcore};
    std::vector<PartKind> parts{PartKind::phase1};
    const auto reads = [&](const char* score) {
        return std::find(run.scores.begin(), run.scores.end(), score) != run.scores.end();
    };
    if (reads("ltad") || reads("reconstruction")) parts.push_back(PartKind::reconstruction);
    if (reads("ltad") || reads("semantic")) parts.push_back(PartKind::semantic);
    return parts;
}

class Planner {
public:
    Planner(const ReproTable& table, const std::filesystem::path& file, const std::vector<std::string>& overrides,
            const std::filesystem::path& root)
        : table_(table), file_(file), overrides_(overrides), root_(root) {}

    /// The run of a cell, made where there is none yet.
    std::size_t run_of(const TableRow& row, const TableColumn& column, std::int64_t seed) {
        PlannedRun run;
        run.label = label_of(row, column, seed);
        std::vector<std::string> all = overrides_;
        for (const auto* more : {&row.overrides, &column.overrides}) all.insert(all.end(), more->begin(), more->end());
        all.push_back(text("seed=", seed));
        if (const auto config = allowed_config(all, run.refused)) run.config = *config;
        const std::string key = run.refused.empty() ? run_key(described(run.config)) : text(row.id, run.label);
        const auto [found, is_new] = index_.try_emplace(key, runs.size());
        if (is_new) {
            run.config.output = (root_ / "runs" / (run.config.method + "-" + key)).string();
            runs.push_back(std::move(run));
        }
        auto& scores = runs[found->second].scores;
        if (std::find(scores.begin(), scores.end(), row.score) == scores.end()) scores.push_back(row.score);
        return found->second;
    }

    /// With what lies at its paths, as "inputs".
    [[nodiscard]] json described(const Config& config) {
        json all = to_json(config);
        all["inputs"] = inputs_.fingerprint(config);
        return all;
    }

    std::vector<PlannedRun> runs;

private:
    /// Empty where the table's overrides do not fit the config; `why` says why then.
    [[nodiscard]] std::optional<Config> allowed_config(const std::vector<std::string>& overrides,
                                                       std::string& why) const {
        try {
            return load_config(file_, overrides);
        } catch (const UsageError& error) {
            why = error.what();
            return std::nullopt;
        }
    }

    [[nodiscard]] std::string label_of(const TableRow& row, const TableColumn& column, std::int64_t seed) const {
        const bool columns_differ =
            std::any_of(table_.columns.begin(), table_.columns.end(),
                        [&](const TableColumn& other) { return other.overrides != column.overrides; });
        return text(columns_differ ? column.group + ", " : "", row.id, ", seed ", seed);
    }

    const ReproTable& table_;
    const std::filesystem::path& file_;
    const std::vector<std::string>& overrides_;
    const std::filesystem::path& root_;
    std::map<std::string, std::size_t> index_;
    Inputs inputs_;
};

}  // namespace

std::string_view name_of(PartKind kind) {
    switch (kind) {
        case PartKind::phase1:
            return "phase 1";
        case PartKind::reconstruction:
            return "reconstruction";
        case PartKind::semantic:
            return "semantic";
        case PartKind::uniad:
            return "UniAD";
        case PartKind::patchcore:
            return "PatchCore";
    }
    fail("a part of no known kind");
}

ReproPlan make_plan(const ReproTable& table, const std::filesystem::path& file,
                    const std::vector<std::string>& overrides, std::int64_t seeds, const std::filesystem::path& root) {
    const std::int64_t first_seed = load_config(file, overrides).seed;
    if (first_seed > std::numeric_limits<std::int64_t>::max() - seeds)
        throw UsageError(text("seed: after ", first_seed, " there are not ", seeds, " more"));
    Planner planner(table, file, overrides, root);
    ReproPlan plan;
    for (const TableRow& row : table.rows) {
        auto& cells = plan.cells.emplace_back(table.columns.size());
        if (!row.unavailable.empty()) continue;
        for (std::size_t c = 0; c < table.columns.size(); ++c)
            for (std::int64_t seed = first_seed; seed < first_seed + seeds; ++seed)
                cells[c].push_back(planner.run_of(row, table.columns[c], seed));
    }
    plan.runs = std::move(planner.runs);
    for (PlannedRun& run : plan.runs) {
        if (!run.refused.empty()) continue;
        const json config = planner.described(run.config);
        for (const PartKind kind : parts_of(run)) run.parts.push_back({kind, part_key(config, kind)});
    }
    return plan;
}

}  // namespace ltad
