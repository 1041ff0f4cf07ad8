#include "ltad/split/command.h"

#include <algorithm>
#include <sstream>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/core/visible.h"
#include "ltad/data/dataset.h"
#include "ltad/split/kept_files.h"

namespace ltad {
namespace {

/// Options become overrides, so that the config's own checks and messages apply to them.
Config resolve(const SplitCommand& command) {
    std::vector<std::string> overrides = command.overrides;
    const auto set = [&](const char* key, const json& value) { overrides.push_back(text(key, '=', value.dump())); };
    if (command.layout) set("dataset.layout", *command.layout);
    if (command.root) set("dataset.root", *command.root);
    if (command.type) set("split.type", *command.type);
    if (command.imbalance) set("split.imbalance_factor", *command.imbalance);
    if (command.seed) set("seed", *command.seed);
    if (command.reverse) set("split.reverse", true);
    if (command.order) {
        json names = json::array();
        std::istringstream in(*command.order);
        for (std::string name; std::getline(in, name, ',');) names.push_back(name);
        const bool rule = names.size() == 1 && (names[0] == "cardinality" || names[0] == "alphabetical");
        set("split.class_order", rule ? names[0] : names);
    }
    if (command.config_file.empty() && (!command.layout || !command.root || !command.type || !command.imbalance))
        throw UsageError("--layout, --root, --type and --imbalance are needed, or --config with all of them");
    return load_config(command.config_file, overrides);
}

void refuse_existing(const std::filesystem::path& folder) {
    if (std::filesystem::exists(folder / "split.json"))
        fail(folder.string(), ": a split is there already; choose another folder, or remove it first");
}

/// Throws UsageError where the split's files would take the place of the data set's, or of the config.
void check_output(const SplitCommand& command, const DatasetConfig& config, const Dataset& dataset) {
    Outputs outputs;
    keep_data_set(outputs, config, {&dataset.train, &dataset.test});
    if (!command.config_file.empty()) outputs.keep(command.config_file, "the config");
    for (const char* name : {"train.jsonl", "test.jsonl", "split.json"})
        outputs.claim(command.directory / name, text("--out ", command.directory.string()));
}

}  // namespace

std::string format_split(const Split& split) {
    std::size_t width = 5;
    for (const ClassSplit& c : split.classes) width = std::max(width, visible(c.name).size());
    std::string out;
    const auto line = [&](const std::string& name, const std::string& group, const auto&... counts) {
        out += name + std::string(width + 2 - name.size(), ' ') + group + std::string(6 - group.size(), ' ');
        ((out += std::string(11 - text(counts).size(), ' ') + text(counts)), ...);
        out += "\n";
    };
    line("class", "group", "available", "requested", "kept");
    std::int64_t available = 0;
    std::int64_t requested = 0;
    for (const ClassSplit& c : split.classes) {
        line(visible(c.name), std::string(name_of(c.group)), c.available, c.requested, c.kept);
        available += c.available;
        requested += c.requested;
    }
    line("all", "", available, requested, split.train.size());
    return out + text(split.train.size(), " training pictures, ", split.test.size(), " test pictures\n");
}

std::string make(const SplitCommand& command) {
    const Config config = resolve(command);
    refuse_existing(command.directory);
    const Dataset dataset = list_dataset(config.dataset);
    check_output(command, config.dataset, dataset);
    const Split split = make_split(dataset, config.split, config.seed);
    write_split(command.directory, split, config.dataset);
    return format_split(split);
}

std::string import(const SplitCommand& command) {
    if (!command.layout || !command.root) throw UsageError("--layout and --root of the data set are needed");
    const std::vector<std::string> layouts = {"mvtec", "visa", "dagm", "jsonl"};
    if (std::find(layouts.begin(), layouts.end(), *command.layout) == layouts.end())
        throw UsageError(text("--layout ", *command.layout, " is not allowed (mvtec, visa, dagm, jsonl)"));
    refuse_existing(command.directory);
    DatasetConfig lists{
        .layout = "jsonl", .root = *command.root, .train = command.train.string(), .test = command.test.string()};
    const Dataset dataset = list_dataset(lists);
    check_output(command, lists, dataset);
    const Split split = import_split(dataset);
    lists.layout = *command.layout;
    write_split(command.directory, split, lists);
    return format_split(split);
}

std::string verify(const SplitCommand& command) {
    const auto problems = verify_split(command.directory, command.root.value_or(""));
    for (const std::string& problem : problems) log_error(problem);
    if (!problems.empty())
        fail(command.directory.string(), ": ", problems.size(), problems.size() == 1 ? " problem" : " problems",
             ", listed above");
    const Split split = read_split(command.directory);
    return text(visible(command.directory.string()), ": sound; hashes hold, ", split.train.size(), " training and ",
                split.test.size(), " test pictures are there and open\n");
}

}  // namespace ltad
