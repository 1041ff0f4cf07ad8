#include <CLI/CLI.hpp>
#include <iostream>

#include <unistd.h>

#include "ltad/core/command.h"
#include "ltad/repro/command.h"

int main(int argc, char** argv) {
    CLI::App app(
        "Makes a table or figure of the paper: trains and evaluates what it needs, prints ours beside the paper's.",
        "ltad-repro");
    ltad::ReproCommand command;
    app.add_option("table", command.table, "table3 ... table9, fig6 or fig8")->required();
    app.add_option("-c,--config", command.config, "JSON config file; else the paper's for the table's data set");
    app.add_option("--set", command.overrides, "KEY=VALUE: override a config key, e.g. phase1.epochs=10")
        ->allow_extra_args(false);  // the table may follow
    app.add_option("--seeds", command.seeds, "How many seeds, from the config's on (mean and deviation)");
    app.add_option("--imbalance", command.imbalance, "Imbalance factors of tables 3-5 and figure 8, e.g. 10,20")
        ->delimiter(',')
        ->type_name("A,B,...")
        ->allow_extra_args(false);
    app.add_option("--efficientnet", command.efficientnet, "Model directory of the EfficientNet of row 6.1");
    app.add_option("--out", command.out, "Folder for runs and tables; else runs/repro/<name>");
    app.add_flag("--verify-features", command.verify_features, "Rehash the feature stores of unfinished runs first");
    app.add_flag("--dry-run", command.dry_run, "Print the plan and how long it may take, and exit");
    return ltad::run_command(app, argc, argv,
                             [&] { ltad::reproduce(command, std::cout, ::isatty(STDOUT_FILENO) == 1); });
}
