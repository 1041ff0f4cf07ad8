#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>

#include "ltad/config/load.h"
#include "ltad/core/command.h"
#include "ltad/core/visible.h"
#include "ltad/pretrain/import.h"
#include "ltad/pretrain/init.h"
#include "ltad/pretrain/probe.h"
#include "ltad/pretrain/train.h"

int main(int argc, char** argv) {
    CLI::App app("Makes encoders: model directories in the layout of kakaobrain/align-base.", "ltad-pretrain");
    app.require_subcommand(1);
    std::string config_file;
    std::vector<std::string> overrides;
    ltad::ImportOptions import_options;
    ltad::TrainOptions train_options;
    ltad::ProbeOptions probe_options;
    std::string format = "table";
    bool print_config = false;

    CLI::App* const init = app.add_subcommand("init", "A model directory with random weights");
    init->add_option("-c,--config", config_file, "The config.json of an ALIGN model")->required();
    CLI::App* const import = app.add_subcommand("import", "A model directory from separate image and text weights");
    import->add_option("--image", import_options.image, "Image weights: .pth, pytorch_model.bin or .safetensors")
        ->required();
    import->add_option("--text", import_options.text, "Folder of a BERT: config.json, weights, vocabulary")->required();
    import->add_option("--projection", import_options.projection, "updates.safetensors of a contrastive training");
    for (CLI::App* const sub : {init, import}) {
        sub->add_option("--seed", import_options.seed, "Seed of random weights")
            ->capture_default_str()
            ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
        sub->add_option("--out", import_options.out, "Folder to make")->required();
    }
    CLI::App* const train = app.add_subcommand("train", "Contrastive training on picture-caption pairs");
    CLI::Option* const resume = train->add_flag("--resume", train_options.resume, "Go on with an unfinished training");
    train->add_flag("--force", train_options.force, "Start over, whatever is there")->excludes(resume);
    CLI::App* const probe =
        app.add_subcommand("probe", "How far an encoder alone, untrained, tells defects in a data set");
    probe->add_option("--images", probe_options.images, "Training pictures per class")->capture_default_str();
    probe->add_option("--format", format, "What is printed: table or json")->check(CLI::IsMember({"table", "json"}));
    probe->add_flag("--verify-features", probe_options.verify_features, "Rehash the whole feature store first");
    for (CLI::App* const sub : {train, probe}) {
        sub->add_option("-c,--config", config_file, "JSON config file")->required();
        sub->add_option("--set", overrides, "KEY=VALUE: override a config key");
        sub->add_flag("--print-config", print_config, "Print the resolved config and exit");
    }

    return ltad::run_command(app, argc, argv, [&] {
        if (init->parsed()) ltad::init_model_directory(config_file, import_options.seed, import_options.out);
        if (import->parsed()) ltad::import_model_directory(import_options);
        if (train->parsed()) {
            const ltad::PretrainConfig config = ltad::load_pretrain_config(config_file, overrides);
            if (print_config)
                std::cout << ltad::visible_json(ltad::to_json(config).dump(2)) << '\n';
            else
                ltad::train_contrastive(config, train_options);
        }
        if (probe->parsed()) {
            const ltad::Config config = ltad::load_config(config_file, overrides);
            if (print_config) {
                std::cout << ltad::visible_json(ltad::to_json(config).dump(2)) << '\n';
                return;
            }
            const ltad::ProbeResult result = ltad::probe_encoder(config, probe_options);
            std::cout << (format == "json" ? ltad::visible_json(ltad::to_json(result).dump(2)) + "\n"
                                           : ltad::format_probe_table(result));
        }
    });
}
