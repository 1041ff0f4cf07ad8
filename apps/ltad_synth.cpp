#include <CLI/CLI.hpp>

#include "ltad/core/command.h"
#include "ltad/synth/dataset.h"

int main(int argc, char** argv) {
    CLI::App app("Makes a small inspection data set in MVTec AD's layout: pictures, defects and exact masks.",
                 "ltad-synth");
    std::string out;
    ltad::SynthOptions options;
    app.add_option("--out", out, "Folder to make")->required();
    app.add_option("--classes", options.classes, "Number of classes")->capture_default_str();
    app.add_option("--train", options.train, "Good training pictures per class")->capture_default_str();
    app.add_option("--test-good", options.test_good, "Good test pictures per class")->capture_default_str();
    app.add_option("--test-defective", options.test_defective, "Test pictures per class and kind of defect")
        ->capture_default_str();
    app.add_option("--size", options.size, "Side of the pictures in pixels")->capture_default_str();
    app.add_option("--seed", options.seed, "Seed of all that is drawn by chance")->capture_default_str();

    return ltad::run_command(app, argc, argv, [&] { ltad::write_synth_dataset(out, options); });
}
