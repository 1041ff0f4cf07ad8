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

std::string key_of(const json& settings) { return sha256(settings.dump()).substr(0, 16); }

/// A config as far as results depend on it: what lies at its paths instead of the paths, nothing of where and how fast
/// it runs.
json essence_of(const Config& config, Inputs& inputs) {
    json all = to_json(config);
    for (const char* key : {"name", "output", "threads", "device", "checkpoint_seconds", "features"}) all.erase(key);
    for (const char* section : {"dataset", "split", "encoder"})
        for (const char* path : {"root", "path", "train", "test"}) all[section].erase(path);
    // As in what was trained before there were such.
    if (config.dataset.bits == 0) all["dataset"].erase("bits");
    if (config.dataset.masks == DatasetConfig().masks) all["dataset"].erase("masks");
    const Method& method = method_named(config.method);
    for (const std::string& key : method.own_paths) {
        const auto place = pointer_to(key);
        all.at(place.parent_pointer()).erase(place.back());
    }
    all["inputs"] = inputs.training(config) + inputs.named(config, method.own_paths);
    all["tested_on"] = inputs.test(config);
    return all;
}

/// Of the parts of a run, which the same key makes the same wherever they were trained.
std::vector<PlannedPart> keyed_parts(const PlannedRun& run, const json& essence) {
    json base;
    for (const char* key : {"seed", "dataset", "split", "encoder", "inputs"}) base[key] = essence.at(key);
    std::vector<PlannedPart> parts;
    for (const MethodPart* part : method_named(run.config.method).parts_for(run.only)) {
        json earlier = json::array();
        for (const PlannedPart& other : parts)
            if (other.part->stage < part->stage) earlier.push_back(other.key);
        parts.push_back({part, key_of({{"file", part->file.generic_string()},
                                       {"settings", picked(run.config, part->keys(run.config))},
                                       {"from", earlier.empty() ? base : earlier}})});
    }
    return parts;
}

/// The one score that a run needs, where it is a part of the method; empty for all.
std::string only_score(const PlannedRun& run) {
    const bool is_main = run.scores.front() == method_named(run.config.method).scores.front();
    return run.scores.size() == 1 && !is_main ? run.scores.front() : "";
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
        const std::string key = run.refused.empty() ? run_key(run.config) : text(row.id, run.label);
        const auto [found, is_new] = index_.try_emplace(key, runs.size());
        if (is_new) {
            run.config.output = (root_ / "runs" / (run.config.method + "-" + key)).string();
            runs.push_back(std::move(run));
        }
        auto& scores = runs[found->second].scores;
        if (std::find(scores.begin(), scores.end(), row.score) == scores.end()) scores.push_back(row.score);
        return found->second;
    }

    /// What is left to say of the runs when all are there.
    void finish() {
        for (PlannedRun& run : runs) {
            if (!run.refused.empty()) continue;
            run.only = only_score(run);
            run.inputs = inputs_.all(run.config);
            run.parts = keyed_parts(run, essence_of(run.config, inputs_));
        }
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

    /// Another version of the program may give other figures.
    [[nodiscard]] std::string run_key(const Config& config) {
        json settings = essence_of(config, inputs_);
        settings["program"] = version();
        return key_of(settings);
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

std::filesystem::path PlannedRun::file_of(const PlannedPart& part) const {
    return std::filesystem::path(config.output) / part.part->file;
}

std::filesystem::path PlannedRun::results_file() const {
    return std::filesystem::path(config.output) / (only.empty() ? "results.json" : text("results-", only, ".json"));
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
    planner.finish();
    plan.runs = std::move(planner.runs);
    return plan;
}

}  // namespace ltad
