#include "ltad/repro/command.h"

#include <algorithm>
#include <ostream>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"
#include "ltad/repro/execute.h"
#include "ltad/repro/figures.h"

namespace ltad {
namespace {

/// Which of the paper's data sets a table is of, as configs/ names its folder.
std::string data_of(const std::string& table) {
    if (table == "table4") return "visa";
    return table == "table5" || table == "fig8" ? "dagm" : "mvtec";
}

/// Whether a config is about the paper's data set rather than one of the user's in the same layout: MVTec AD is known
/// by its classes, the other layouts by themselves.
bool is_paper_data(const std::string& table, const Config& config) {
    const std::string data = data_of(table);
    if (config.dataset.layout != data) return false;
    if (data != "mvtec") return true;
    const std::filesystem::path root = config.dataset.root;
    return !std::filesystem::exists(root) ||
           (std::filesystem::exists(root / "bottle") && std::filesystem::exists(root / "zipper"));
}

struct Setting {
    std::filesystem::path config;
    ReproTable table;
    std::filesystem::path root;
};

Setting setting_of(const ReproCommand& command) {
    const auto& names = repro_names();
    if (std::find(names.begin(), names.end(), command.table) == names.end())
        (void)repro_table(command.table,
                          {.paper_data = true, .factors = {}, .efficientnet = {}});  // says what there is
    Setting setting;
    setting.config = command.config.empty() ? std::filesystem::path("configs") / data_of(command.table) / "step100.json"
                                            : command.config;
    const Config config = load_config(setting.config, command.overrides);
    const bool paper_data = is_paper_data(command.table, config);
    std::vector<double> factors = command.imbalance;
    if (factors.empty() && !paper_data) factors = {config.split.imbalance_factor};
    setting.table = repro_table(command.table,
                                {.paper_data = paper_data, .factors = factors, .efficientnet = command.efficientnet});
    setting.root = command.out.empty() ? std::filesystem::path("runs") / "repro" / config.name : command.out;
    return setting;
}

void write_table(const Setting& setting, const CellGrid& cells) {
    const auto file = [&](const std::string& ending) { return setting.root / (setting.table.name + ending); };
    make_directories(setting.root);
    write_file_atomically(file(".md"), format_markdown(setting.table, cells));
    write_file_atomically(file(".csv"), format_csv(setting.table, cells));
    write_json(file(".json"), to_json(setting.table, cells));
    for (const auto& [ending, chart] : draw_figure(setting.table, cells)) write_file_atomically(file(ending), chart);
    log_info(text(file(".md").string(), ", .csv and .json are written"));
}

}  // namespace

void reproduce(const ReproCommand& command, std::ostream& out, bool ansi) {
    if (command.seeds < 1) throw UsageError(text("--seeds: ", command.seeds, " is too few; at least 1 is needed"));
    for (const double factor : command.imbalance)
        if (!(factor >= 1)) throw UsageError(text("--imbalance: ", factor, " is too small; at least 1 is needed"));
    if (!command.efficientnet.empty() && !std::filesystem::is_directory(command.efficientnet))
        throw UsageError(text("--efficientnet: ", command.efficientnet.string(),
                              " is no folder; the model directory of an EfficientNet was expected"));
    const Setting setting = setting_of(command);
    const ReproPlan plan = make_plan(setting.table, setting.config, command.overrides, command.seeds, setting.root);
    const ReproWork work = survey(plan, setting.root);
    if (command.dry_run) {
        out << setting.table.title << '\n' << describe(plan, work);
        return;
    }
    log_info(text(setting.table.title, '\n', describe(plan, work)));
    const auto outcomes = execute(plan, work, setting.root, setting.table.name);
    const CellGrid cells = read_cells(setting.table, plan, outcomes);
    write_table(setting, cells);
    out << format_table(setting.table, cells, ansi);
    const auto failed =
        std::count_if(outcomes.begin(), outcomes.end(), [](const RunOutcome& o) { return !o.results && !o.absent; });
    if (failed > 0) fail(failed, " of ", outcomes.size(), " runs failed; the table's footnotes say why");
}

}  // namespace ltad
