#include <CLI/CLI.hpp>
#include <iostream>

#include "ltad/core/command.h"
#include "ltad/detect/inspection.h"

int main(int argc, char** argv) {
    CLI::App app("Scores pictures without labels with a trained run; one line of JSON for each picture.",
                 "ltad-detect");
    ltad::InspectionOptions options;
    app.add_option("-r,--run", options.run, "Folder of a trained run, such as runs/demo")->required();
    app.add_option("pictures", options.pictures, "Pictures, or folders of pictures")->required();
    app.add_option("--class", options.class_name, "The pictures' class; else the nearest training pictures say it");
    app.add_option("--overlays", options.overlays, "Folder for the pictures with their heat maps");
    app.add_option("--set", options.overrides, "KEY=VALUE: override a config key, e.g. device=cpu")
        ->allow_extra_args(false);  // pictures may follow
    return ltad::run_command(app, argc, argv, [&] { ltad::inspect_pictures(options, std::cout); });
}
