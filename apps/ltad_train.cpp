#include <CLI/CLI.hpp>
#include <iostream>

#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/error.h"
#include "ltad/core/visible.h"
#include "ltad/detect/detector.h"
#include "ltad/train/phase2.h"

int main(int argc, char** argv) {
    CLI::App app(
        "Trains LTAD on a long-tailed data set: phase 1 (class names, feature VAE), then phase 2; or a baseline.",
        "ltad-train");
    app.require_subcommand(1);
    std::string config_file;
    std::vector<std::string> overrides;
    bool print_config = false;
    ltad::TrainOptions options;
    std::string only;

    CLI::App* const phase1 = app.add_subcommand("phase1", "Learn pseudo class names and the feature VAE");
    CLI::App* const phase2 = app.add_subcommand("phase2", "Learn the reconstruction module and the semantic head");
    CLI::App* const fit =
        app.add_subcommand("fit", "Train all that the config's method needs: both phases, or a baseline");
    for (CLI::App* const phase : {phase1, phase2, fit}) {
        phase->add_option("-c,--config", config_file, "JSON config file")->required();
        phase->add_option("--set", overrides, "KEY=VALUE: override a config key, e.g. phase1.epochs=10");
        CLI::Option* const resume = phase->add_flag("--resume", options.resume, "Go on with an unfinished training");
        phase->add_flag("--force", options.force, "Start over, whatever is there")->excludes(resume);
        phase->add_flag("--print-config", print_config, "Print the resolved config and exit");
        phase->add_flag("--verify-features", options.verify_features, "Rehash the whole feature store first");
    }
    phase2->add_option("--only", only, "Train one module: reconstruction or semantic")
        ->check(CLI::IsMember({"reconstruction", "semantic"}));

    return ltad::run_command(app, argc, argv, [&] {
        const ltad::Config config = ltad::load_config(config_file, overrides);
        if (print_config) {
            std::cout << ltad::visible_json(ltad::to_json(config).dump(2)) << '\n';
            return;
        }
        if (config.method != "ltad" && !fit->parsed())
            throw ltad::UsageError("method \"" + config.method + "\" has no phases; `ltad-train fit` trains it");
        ltad::Run run(config);
        if (phase1->parsed()) ltad::train_phase1(run, options);
        if (phase2->parsed()) ltad::train_phase2(run, ltad::part_named(only), options);
        if (fit->parsed()) ltad::fit_detector(run, options);
    });
}
