#include <CLI/CLI.hpp>
#include <iostream>

#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/eval/evaluate.h"

int main(int argc, char** argv) {
    CLI::App app("Evaluates a trained run: image and pixel AUROC per class, Avg, High and Low.", "ltad-eval");
    std::string config_file;
    std::vector<std::string> overrides;
    std::string format = "table";
    bool print_config = false;
    bool verify_features = false;
    app.add_option("-c,--config", config_file, "JSON config file")->required();
    app.add_option("--set", overrides, "KEY=VALUE: override a config key, e.g. scoring.lambda=500");
    app.add_option("--format", format, "What is printed: table, markdown, csv or json")
        ->check(CLI::IsMember({"table", "markdown", "csv", "json"}));
    app.add_flag("--print-config", print_config, "Print the resolved config and exit");
    app.add_flag("--verify-features", verify_features, "Rehash the whole feature store first");

    return ltad::run_command(app, argc, argv, [&] {
        const ltad::Config config = ltad::load_config(config_file, overrides);
        if (print_config) {
            std::cout << ltad::to_json(config).dump(2) << '\n';
            return;
        }
        ltad::Run run(config);
        const ltad::Results results = ltad::evaluate(run, verify_features);
        ltad::write_results(run, results);
        if (format == "table") std::cout << ltad::format_table(results);
        if (format == "markdown") std::cout << ltad::format_markdown(results);
        if (format == "csv") std::cout << ltad::format_csv(results);
        if (format == "json") std::cout << ltad::to_json(results).dump(2) << '\n';
    });
}
