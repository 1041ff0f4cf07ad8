#include <CLI/CLI.hpp>

#include "ltad/core/command.h"
#include "ltad/pretrain/init.h"

int main(int argc, char** argv) {
    CLI::App app("Makes encoders: model directories in the layout of kakaobrain/align-base.", "ltad-pretrain");
    app.require_subcommand(1);
    std::string config_file;
    std::string out;
    std::int64_t seed = 0;

    CLI::App* const init = app.add_subcommand("init", "A model directory with random weights");
    init->add_option("-c,--config", config_file, "The config.json of an ALIGN model")->required();
    init->add_option("--seed", seed, "Seed of the weights")->capture_default_str()->check(CLI::NonNegativeNumber);
    init->add_option("--out", out, "Folder to make")->required();

    return ltad::run_command(app, argc, argv, [&] { ltad::init_model_directory(config_file, seed, out); });
}
