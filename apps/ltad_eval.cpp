#include <CLI/CLI.hpp>
#include <iostream>

#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/visible.h"
#include "ltad/detect/method.h"
#include "ltad/eval/evaluate.h"
#include "ltad/eval/report.h"

int main(int argc, char** argv) {
    CLI::App app("Evaluates a trained run: image and pixel AUROC per class, Avg, High and Low.", "ltad-eval");
    std::string config_file;
    std::vector<std::string> overrides;
    std::string format = "table";
    bool print_config = false;
    ltad::EvaluateOptions options;
    bool more = false;
    std::string only;
    app.add_option("-c,--config", config_file, "JSON config file")->required();
    app.add_option("--set", overrides, "KEY=VALUE: override a config key, e.g. scoring.lambda=500");
    app.add_option("--format", format, "What is printed: table, markdown, csv or json")
        ->check(CLI::IsMember({"table", "markdown", "csv", "json"}));
    app.add_option("--only", only, "Score with one part of the method alone")
        ->check(CLI::IsMember(ltad::part_scores()));
    app.add_flag("--more", more, "Also tables of average precision, F1-max and AUPRO");
    app.add_option("--report", options.report, "Folder for a page with tables, charts and pictures: index.html");
    app.add_option("--maps", options.maps, "Folder for anomaly maps: 16-bit PNG, overlays, maps.json");
    app.add_flag("--print-config", print_config, "Print the resolved config and exit");
    app.add_flag("--verify-features", options.verify_features, "Rehash the whole feature store first");

    return ltad::run_command(app, argc, argv, [&] {
        if (more && format != "table")
            throw ltad::UsageError("--more adds tables to --format table; results.json always has those figures");
        const ltad::Config config = ltad::load_config(config_file, overrides);
        if (print_config) {
            std::cout << ltad::visible_json(ltad::to_json(config).dump(2)) << '\n';
            return;
        }
        options.config = config_file;
        ltad::Run run(config);
        run.check_split();
        const auto detector = ltad::load_detector(run, only);
        // Before the work, should that fail.
        ltad::check_results_can_be_written(run);
        if (!options.report.empty()) ltad::make_directories(options.report);
        const ltad::Results results = ltad::evaluate(run, *detector, options);
        ltad::write_results(run, results);
        if (!options.report.empty()) ltad::write_report(run, *detector, results, options.report);
        if (format == "table") std::cout << ltad::format_table(results);
        if (format == "table" && more)
            for (std::size_t s = 0; s < results.scores.size(); ++s)
                std::cout << '\n' << ltad::format_more_figures(results, s);
        if (format == "markdown") std::cout << ltad::format_markdown(results);
        if (format == "csv") std::cout << ltad::format_csv(results);
        if (format == "json") std::cout << ltad::visible_json(ltad::to_json(results).dump(2)) << '\n';
    });
}
