#include "ltad/repro/command.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <ostream>
#include <set>

#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"
#include "ltad/repro/execute.h"
#include "ltad/repro/figures.h"
#include "ltad/split/kept_files.h"

namespace ltad {
namespace {

constexpr std::int64_t most_seeds = 1000;

/// Whether a config is about the paper's data set rather than one of the user's in the same layout: it is known by two
/// of its classes, and where there is nothing, by its usual place.
bool is_paper_data(const std::string& table, const Config& config) {
    static const std::map<std::string, std::pair<const char*, const char*>> classes = {
        {"mvtec", {"bottle", "zipper"}}, {"visa", {"candle", "pcb1"}}, {"dagm", {"Class1", "Class10"}}};
    const std::string data = paper_data_of(table);
    if (config.dataset.layout != data) return false;
    const std::filesystem::path root = config.dataset.root;
    if (!std::filesystem::exists(root)) return root.filename() == data;
    const auto& [one, other] = classes.at(data);
    return std::filesystem::exists(root / one) && std::filesystem::exists(root / other);
}

/// Throws UsageError for options that cannot be meant.
void check(const ReproCommand& command) {
    const auto& names = repro_names();
    if (std::find(names.begin(), names.end(), command.table) == names.end())
        (void)repro_table(command.table,
                          {.paper_data = true, .factors = {}, .efficientnet = {}});  // says what there is
    if (command.seeds < 1 || command.seeds > most_seeds)
        throw UsageError(text("--seeds: ", command.seeds, " is not allowed (1 to ", most_seeds, ")"));
    if (!command.imbalance.empty() && !compares_splits(command.table))
        throw UsageError(text("--imbalance: ", command.table,
                              " is of one split, the config's; tables 3-5 and figure 8 compare several"));
    std::set<double> factors;
    for (const double factor : command.imbalance) {
        if (!(factor >= 1 && factor <= SplitConfig::most_imbalance))
            throw UsageError(text("--imbalance: ", factor, " is not allowed (1 to ", SplitConfig::most_imbalance, ")"));
        if (!factors.insert(factor).second) throw UsageError(text("--imbalance: ", factor, " is given twice"));
    }
    if (!is_utf8(command.out.string())) throw UsageError(text("--out ", command.out.string(), ": is not UTF-8"));
    if (!command.efficientnet.empty() && command.table != "table6")
        throw UsageError(text("--efficientnet: ", command.table, " has no row of an EfficientNet; table6 has"));
    if (!command.efficientnet.empty() && !std::filesystem::is_directory(command.efficientnet))
        throw UsageError(text("--efficientnet: ", command.efficientnet.string(),
                              " is no folder; the model directory of an EfficientNet was expected"));
}

struct Setting {
    std::filesystem::path config;
    ReproTable table;
    std::filesystem::path root;
};

/// Throws UsageError where a table's files would take the place of the config or of the data set's lists; those of its
/// runs are checked when these begin.
void check_output(const Setting& setting, const DatasetConfig& dataset) {
    Outputs outputs;
    keep_data_set(outputs, dataset, {});
    outputs.keep(setting.config, "the config");
    for (const char* ending : {".md", ".csv", ".json", ".svg"})
        outputs.claim(setting.root / (setting.table.name + ending), "--out " + setting.root.string());
}

Setting setting_of(const ReproCommand& command) {
    Setting setting;
    setting.config = command.config.empty()
                         ? std::filesystem::path("configs") / paper_data_of(command.table) / "step100.json"
                         : command.config;
    const Config config = load_config(setting.config, command.overrides);
    std::error_code code;
    if (std::filesystem::equivalent(command.efficientnet, config.encoder.path, code))
        throw UsageError(text("--efficientnet: ", command.efficientnet.string(),
                              " is the config's own encoder; row 6.1 is of another one"));
    if (compares_splits(command.table) && !config.split.path.empty())
        throw UsageError(
            text("split.path: ", command.table,
                 " compares splits that it draws itself, by --imbalance; imported lists are of no use to it "
                 "(--set split.path= leaves them out)"));
    const bool paper_data = is_paper_data(command.table, config);
    std::vector<double> factors = command.imbalance;
    if (factors.empty() && !paper_data) factors = {config.split.imbalance_factor};
    setting.table = repro_table(command.table,
                                {.paper_data = paper_data, .factors = factors, .efficientnet = command.efficientnet});
    for (const std::string& input : {config.encoder.path, config.split.path})
        if (std::filesystem::equivalent(command.out, input, code))
            throw UsageError(
                text("--out ", command.out.string(), ": tables and runs must not go where ", input, " is"));
    setting.root = command.out.empty() ? std::filesystem::path("runs") / "repro" / config.name : command.out;
    check_output(setting, config.dataset);
    return setting;
}

/// Says which of the user's settings a table does not listen to, since its own rows or columns set them.
void warn_of_idle_overrides(const ReproCommand& command, const ReproTable& table) {
    const auto sets = [](const std::vector<std::string>& overrides, const std::string& key) {
        return std::any_of(overrides.begin(), overrides.end(),
                           [&](const std::string& override) { return override.starts_with(key + "="); });
    };
    const auto all_set = [&](const auto& parts, const std::string& key) {
        return std::all_of(parts.begin(), parts.end(), [&](const auto& part) { return sets(part.overrides, key); });
    };
    for (const std::string& override : command.overrides) {
        const std::string key = override.substr(0, override.find('='));
        if (all_set(table.rows, key) || all_set(table.columns, key))
            log_warning(text("--set ", override, " changes nothing: ", table.name, " sets ", key, " itself"));
    }
}

/// A word of a shell's command line.
std::string quoted(const std::string& word) {
    const auto is_plain = [](unsigned char c) {
        return std::isalnum(c) != 0 || std::strchr("_-./=,:+@%", c) != nullptr;
    };
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
    std::string out = "'";
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// The call that makes a table again.
std::string call_of(const ReproCommand& command, const Setting& setting) {
    std::string call = text("ltad-repro ", command.table, " --config ", quoted(setting.config.string()));
    for (const std::string& override : command.overrides) call += text(" --set ", quoted(override));
    if (command.seeds > 1) call += text(" --seeds ", command.seeds);
    for (std::size_t i = 0; i < command.imbalance.size(); ++i)
        call += text(i == 0 ? " --imbalance " : ",", shortest_digits(command.imbalance[i]));
    if (!command.efficientnet.empty()) call += text(" --efficientnet ", quoted(command.efficientnet.string()));
    if (!command.out.empty()) call += text(" --out ", quoted(command.out.string()));
    return call;
}

bool has_figures(const CellGrid& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const auto& row) {
        return std::any_of(row.begin(), row.end(), [](const CellValues& cell) { return !cell.seeds.empty(); });
    });
}

void write_table(const Setting& setting, const std::string& call, const CellGrid& cells) {
    const auto file = [&](const std::string& ending) { return setting.root / (setting.table.name + ending); };
    if (!has_figures(cells) && std::filesystem::exists(file(".json"))) {
        log_warning(text(file(".md").string(), " is left as it is: there are no figures to put into it"));
        return;
    }
    write_file_atomically(file(".md"), text(format_markdown(setting.table, cells), "\nMade by `", call, "`.\n"));
    write_file_atomically(file(".csv"), format_csv(setting.table, cells));
    std::string written = ".csv";
    for (const auto& [ending, chart] : draw_figure(setting.table, cells)) {
        write_file_atomically(file(ending), chart);
        written += ", " + ending;
    }
    json document = to_json(setting.table, cells);
    document["made_by"] = {{"call", call}, {"version", version()}, {"revision", git_revision()}};
    write_json(file(".json"), document);
    log_info(text(file(".md").string(), ", ", written, " and .json are written"));
}

/// Each line on one of its own, as the log goes on in further lines.
std::string indented(const std::string& lines) {
    std::string out;
    for (std::size_t start = 0, end = 0; start < lines.size(); start = end + 1) {
        end = std::min(lines.find('\n', start), lines.size());
        out += "\n  " + lines.substr(start, end - start);
    }
    return out;
}

}  // namespace

void reproduce(const ReproCommand& command, std::ostream& out, bool ansi) {
    check(command);
    const Setting setting = setting_of(command);
    const ReproPlan plan = make_plan(setting.table, setting.config, command.overrides, command.seeds, setting.root);
    const ReproWork work = survey(plan, setting.root);
    // Of the paper's data sets a table of its figures is worth something; of one's own, a mistake is more likely.
    if (!setting.table.paper_data && !work.no_data.empty() &&
        std::none_of(work.no_data.begin(), work.no_data.end(), [](const std::string& why) { return why.empty(); }))
        fail(work.no_data.front(), "; dataset.root should name the data set");
    warn_of_idle_overrides(command, setting.table);
    if (command.dry_run) {
        out << setting.table.title << '\n' << describe(plan, work);
        return;
    }
    log_info(text(setting.table.title, indented(describe(plan, work))));
    make_directories(setting.root);  // before the work, should that fail
    const auto outcomes = execute(plan, work, setting.root, setting.table.name, command.verify_features);
    const CellGrid cells = read_cells(setting.table, plan, outcomes);
    write_table(setting, call_of(command, setting), cells);
    out << format_table(setting.table, cells, ansi);
    const auto failed =
        std::count_if(outcomes.begin(), outcomes.end(), [](const RunOutcome& o) { return !o.results && !o.absent; });
    if (failed > 0) fail(failed, " of ", counted(outcomes.size(), "run"), " failed; the table's footnotes say why");
}

}  // namespace ltad
