#include <CLI/CLI.hpp>
#include <iostream>

#include "ltad/core/command.h"
#include "ltad/split/command.h"

int main(int argc, char** argv) {
    CLI::App app("Makes, imports and verifies long-tailed splits of a data set.", "ltad-split");
    app.require_subcommand(1);
    ltad::SplitCommand command;

    CLI::App* const make = app.add_subcommand("make", "Draw a split: exp or step, with an imbalance factor");
    make->add_option("-c,--config", command.config_file, "JSON config file (its dataset, split and seed)");
    make->add_option("--set", command.overrides, "KEY=VALUE: override a config key, e.g. split.type=exp");
    make->add_option("--type", command.type, "exp or step");
    make->add_option("--imbalance", command.imbalance, "Imbalance factor: largest class / smallest class");
    make->add_option("--order", command.order, "cardinality, alphabetical, or class names separated by commas");
    make->add_flag("--reverse", command.reverse, "Turn the class order round");
    make->add_option("--seed", command.seed, "Seed of the draw");
    CLI::App* const import =
        app.add_subcommand("import", "Make a split from lists of pictures (jsonl, UniAD's format)");
    import->add_option("--train", command.train, "List of training pictures")->required();
    import->add_option("--test", command.test, "List of test pictures")->required();
    CLI::App* const verify = app.add_subcommand("verify", "Check hashes, and that every file is there and opens");
    verify->add_option("DIR", command.directory, "A split's folder")->required();
    for (CLI::App* const sub : {make, import}) {
        sub->add_option("--layout", command.layout, "Layout of the data set: mvtec, visa, dagm or jsonl");
        sub->add_option("--root", command.root, "Folder of the data set");
        sub->add_option("--out", command.directory, "Folder for the split")->required();
    }
    verify->add_option("--root", command.root, "Folder of the data set, where it has moved");

    return ltad::run_command(app, argc, argv, [&] {
        if (make->parsed()) std::cout << ltad::make(command);
        if (import->parsed()) std::cout << ltad::import(command);
        if (verify->parsed()) std::cout << ltad::verify(command);
    });
}
