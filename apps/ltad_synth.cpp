#include <CLI/CLI.hpp>

#include "ltad/core/command.h"
#include "ltad/synth/dataset.h"
#include "ltad/synth/pair_files.h"

int main(int argc, char** argv) {
    CLI::App app(
        "Makes a small inspection data set in MVTec AD's layout: pictures, defects and exact masks; or, with "
        "--pairs, pictures with captions.",
        "ltad-synth");
    std::string out;
    bool held_out = false;
    ltad::SynthOptions options;
    app.add_option("--out", out, "Folder to make")->required();
    app.add_option("--classes", options.classes, "Number of classes")->capture_default_str();
    app.add_option("--train", options.train, "Good training pictures per class")->capture_default_str();
    app.add_option("--test-good", options.test_good, "Good test pictures per class")->capture_default_str();
    app.add_option("--test-defective", options.test_defective, "Test pictures per class and kind of defect")
        ->capture_default_str();
    ltad::PairOptions pairs;
    auto* const pair_count = app.add_option("--pairs", pairs.count, "Instead: so many pictures with captions");
    for (const char* option : {"--classes", "--train", "--test-good", "--test-defective"})
        pair_count->excludes(app.get_option(option));
    app.add_flag("--held-out", held_out, "Pairs of the classes and defects that training pairs never show")
        ->needs(pair_count);
    auto* const size =
        app.add_option("--size", options.size, "Side of the pictures in pixels (pairs: 224)")->capture_default_str();
    app.add_option("--seed", options.seed, "Seed of all that is drawn by chance")->capture_default_str();

    return ltad::run_command(app, argc, argv, [&] {
        if (pair_count->empty()) return ltad::write_synth_dataset(out, options);
        if (!size->empty()) pairs.size = options.size;
        pairs.seed = options.seed;
        pairs.side = held_out ? ltad::PairSide::held_out : ltad::PairSide::training;
        ltad::write_pairs(out, pairs);
    });
}
