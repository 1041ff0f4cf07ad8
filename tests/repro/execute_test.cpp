#include "ltad/repro/execute.h"

#include <map>

#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/eval/evaluate.h"
#include "ltad/eval/table.h"
#include "ltad/repro/command.h"
#include "ltad/repro/paper.h"
#include "ltad/train/phase2.h"
#include "repro/repro_on_tiny_data.h"
#include "support/dataset_tree.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

TEST_F(Repro, ATableIsWhatItsRunsSay) {
    const std::string table = printed(command("table8"));
    for (const char* id : {"8.1", "8.2", "8.3"}) EXPECT_THAT(table, HasSubstr(id));
    for (const char* ending : {".md", ".csv", ".json"})
        EXPECT_TRUE(std::filesystem::exists(tiny / (std::string("repro/table8") + ending))) << ending;

    // Each figure, from a run made by hand.
    const std::vector<std::vector<std::string>> rows = {
        {"scoring.names=exchanged", "semantic.text=encoder"}, {"semantic.text=free"}, {}};
    const ReproPlan plan = make_plan(repro_table("table8", {.paper_data = false, .factors = {}, .efficientnet = {}}),
                                     tiny / "config.json", {}, 1, tiny / "repro");
    for (std::size_t r = 0; r < rows.size(); ++r) {
        auto overrides = rows[r];
        overrides.push_back("output=" + (tiny / text("by-hand", r)).string());
        ltad::Run run(load_config(tiny / "config.json", overrides));
        train_phase1(run, {.from_shell = false});
        train_phase2(run, Phase2Part::semantic, {});
        EXPECT_EQ(sha256_file(run.output() / phase2_file(Phase2Part::semantic)),
                  sha256_file(std::filesystem::path(plan.runs[r].config.output) / "phase2/semantic.safetensors"))
            << r;
        const double ours = *mean_scores(evaluate(run, *load_detector(run, "semantic")), Subset::all)[0].image.auroc;
        const json results = read_json(std::filesystem::path(plan.runs[r].config.output) / "eval/results.json");
        EXPECT_EQ(results["mean"]["all"]["semantic"]["image_auroc"], ours);
        EXPECT_THAT(table, HasSubstr(percent(ours)));
    }
}

TEST_F(Repro, FinishedWorkIsNotDoneAgain) {
    ReproCommand once = command("table7");
    EXPECT_THAT(printed({.table = "table7", .config = once.config, .out = once.out, .dry_run = true}),
                AllOf(HasSubstr("4 runs, 0 finished"), HasSubstr("3 parts reused")));
    EXPECT_FALSE(std::filesystem::exists(tiny / "repro")) << "a dry run writes nothing";
    const std::string first = printed(once);
    const json figures = document("table7");
    EXPECT_EQ(printed(once), first);
    EXPECT_EQ(document("table7"), figures);
    once.dry_run = true;
    EXPECT_THAT(printed(once), HasSubstr("4 runs, 4 finished"));
    // Another table takes over what it shares: phase 1, and a whole run, table 7's last row.
    ReproCommand other = command("table8");
    other.dry_run = true;
    EXPECT_THAT(printed(other),
                AllOf(HasSubstr("3 runs, 1 finished"), HasSubstr("semantic"), Not(HasSubstr("phase 1"))));
}

TEST_F(Repro, ADataSetThatIsGoneCostsNoTable) {
    (void)printed(command("table8"));
    const json figures = document("table8");
    std::filesystem::rename(tiny / "data", tiny / "gone");
    EXPECT_THAT([&] { (void)printed(command("table8")); },
                ThrowsMessage<Error>(AllOf(HasSubstr("data is not there"), HasSubstr("dataset.root"))));
    EXPECT_EQ(document("table8"), figures);
    // In the paper's place it is the paper's data that are missing: "no data", and no NaN.
    ReproCommand absent = command("table3");
    absent.overrides = {"dataset.root=" + (tiny / "mvtec").string()};
    absent.imbalance = {4};
    EXPECT_THAT(printed(absent), HasSubstr("no data"));
    const json table = document("table3");
    for (const json& row : table.at("rows")) EXPECT_THAT(row.dump(), Not(HasSubstr("NaN")));
}

// The paper's splits and figures belong to its data sets, not to any in the same layout.
TEST_F(Repro, OnesOwnDataInTheLayoutOfThePapersKeepTheirOwnSplit) {
    const auto plan_of = [&](const char* table, const DatasetConfig& data) {
        ReproCommand plan = command(table);
        plan.overrides = {"dataset.layout=" + data.layout, "dataset.root=" + data.root,
                          "split.class_order=cardinality"};
        plan.dry_run = true;
        return printed(plan);
    };
    // Three methods, over exp and step of the config's factor or over the splits of the paper's table.
    EXPECT_THAT(plan_of("table4", write_visa_tree(tiny / "own visa", {{.name = "gear"}, {.name = "nut"}})),
                HasSubstr("6 runs"));
    EXPECT_THAT(plan_of("table4", write_visa_tree(tiny / "the visa", {{.name = "candle"}, {.name = "pcb1"}})),
                HasSubstr(text(3 * paper_table("table4").splits.size(), " runs")));
    EXPECT_THAT(plan_of("table5", write_dagm_tree(tiny / "own dagm", {{.name = "Class1"}, {.name = "Class2"}})),
                HasSubstr("6 runs"));
    EXPECT_THAT(plan_of("table5", write_dagm_tree(tiny / "the dagm", {{.name = "Class1"}, {.name = "Class10"}})),
                HasSubstr(text(3 * paper_table("table5").splits.size(), " runs")));
}

TEST_F(Repro, WithoutMasksThePixelColumnsSayWhy) {
    const std::vector<std::string> names = tiny.open().class_names();
    for (const std::string& name : names) std::filesystem::remove_all(tiny / ("data/" + name + "/ground_truth"));
    EXPECT_THAT(printed(command("table8")), AllOf(HasSubstr("n/a"), HasSubstr("no class has masks")));
}

TEST_F(Repro, AVariantThatCannotRunSaysSoBeforeItTrains) {
    const std::vector<std::string> names = tiny.open().class_names();
    for (std::size_t i = 1; i < names.size(); ++i) std::filesystem::remove_all(tiny / ("data/" + names[i]));
    std::ostringstream out;
    EXPECT_THAT([&] { reproduce(command("table8"), out, false); },
                ThrowsMessage<Error>(HasSubstr("1 of 3 runs failed")));
    EXPECT_THAT(out.str(), AllOf(HasSubstr("needs at least two classes"), HasSubstr("no class is in the group")));
    const json row = document("table8").at("rows").at(0);
    ASSERT_EQ(row.at("id"), "8.1");
    EXPECT_TRUE(row.at("cells").at(0).at("runs").empty());
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs"))
        EXPECT_TRUE(std::filesystem::exists(entry.path() / "results-semantic.json")) << entry.path() << " has trained";
}

TEST_F(Repro, CellsNameTheirRuns) {
    ReproCommand two = command("table8");
    two.seeds = 2;
    (void)printed(two);
    const json table = document("table8");
    for (const json& row : table.at("rows"))
        for (const json& cell : row.at("cells")) {
            ASSERT_EQ(cell.at("runs").size(), 2u);
            for (std::size_t s = 0; s < 2; ++s) {
                const std::filesystem::path run = cell.at("runs")[s].get<std::string>();
                const json results = read_json(run / "results-semantic.json");
                EXPECT_EQ(read_json(run / "config.json").at("seed"), 7 + s);
                const json& means = results.at("mean");
                EXPECT_TRUE(std::any_of(means.begin(), means.end(), [&](const json& subset) {
                    const json& figures = subset.at("semantic");
                    return 100 * figures.at("image_auroc").get<double>() == cell.at("seeds")[s] ||
                           100 * figures.at("pixel_auroc").get<double>() == cell.at("seeds")[s];
                }));
            }
        }
}

// ltad-detect and ltad-eval --report want it.
TEST_F(Repro, RunsThatTakeOverAllTheirPartsHaveAConfig) {
    ReproCommand other = command("table8");
    (void)printed(other);
    other.overrides = {"scoring.map_size=64"};
    (void)printed(other);
    std::size_t runs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs")) {
        EXPECT_TRUE(std::filesystem::exists(entry.path() / "config.json")) << entry.path();
        ++runs;
    }
    EXPECT_EQ(runs, 6u);
}

TEST_F(Repro, WhatChangesNoResultCostsNothing) {
    (void)printed(command("table7"));
    (void)printed(command("fig6"));  // its row of two tokens is table 7's last run, of which it reads another part
    ReproCommand again = command("table7");
    again.dry_run = true;
    EXPECT_THAT(printed(again), HasSubstr("4 runs, 4 finished"));
    write_file_atomically(tiny / "encoder/README.md", "edited");
    std::filesystem::rename(tiny / "repro", tiny / "moved");
    again.out = tiny / "moved";
    again.overrides = {"threads=2", "checkpoint_seconds=5", "name=other"};
    EXPECT_THAT(printed(again), HasSubstr("4 runs, 4 finished"));
}

TEST_F(Repro, BaselinesAreTakenOverWhereOnlyTheScoringDiffers) {
    ReproCommand other = command("table3");
    other.imbalance = {4};
    (void)printed(other);
    other.overrides = {"scoring.map_size=64"};
    other.dry_run = true;
    EXPECT_THAT(printed(other), HasSubstr("6 runs, 0 finished; 10 parts reused"));
    other.dry_run = false;
    (void)printed(other);
    std::map<std::string, std::size_t> copies;  // by content
    for (const auto& entry : std::filesystem::recursive_directory_iterator(tiny / "repro/runs"))
        if (entry.path().extension() == ".safetensors") {
            EXPECT_EQ(std::filesystem::hard_link_count(entry.path()), 2u) << entry.path();
            ++copies[sha256_file(entry.path())];
        }
    EXPECT_EQ(copies.size(), 10u);
}

TEST_F(Repro, ATableSaysHowItWasMade) {
    ReproCommand made = command("table8");
    made.overrides = {"phase2.epochs=1", "prompts.abnormal=a broken"};
    (void)printed(made);
    EXPECT_THAT(document("table8").at("made_by").at("call").get<std::string>(),
                AllOf(HasSubstr("ltad-repro table8"),
                      HasSubstr("--set phase2.epochs=1 --set 'prompts.abnormal=a broken'"), HasSubstr(" --out ")));
    EXPECT_THAT(read_file(tiny / "repro/table8.md"), HasSubstr("--set phase2.epochs=1"));
}

TEST_F(Repro, ARunThatFailsCostsNoOther) {
    ReproCommand one = command("table7");
    // The config is allowed, but the text encoder has 16 positions.
    one.overrides = {"prompts.length=15"};
    std::ostringstream out;
    EXPECT_THAT([&] { reproduce(one, out, false); }, ThrowsMessage<Error>(HasSubstr("4 of 4 runs failed")));
    EXPECT_THAT(out.str(), AllOf(HasSubstr("n/a"), HasSubstr("prompts.length")));
}

TEST_F(Repro, SeedsGiveMeanAndDeviation) {
    ReproCommand two = command("table8");
    two.seeds = 2;
    EXPECT_THAT(printed(two), HasSubstr("±"));
}

TEST_F(Repro, WhatATableDoesNotListenToIsSaid) {
    ReproCommand lists = command("table3");
    lists.overrides = {"split.path=" + (tiny / "lists").string()};
    EXPECT_THAT([&] { (void)printed(lists); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("split.path"), HasSubstr("table3"))));
    ReproCommand idle = command("table9");
    idle.dry_run = true;
    idle.overrides = {"prompts.normal=flawless", "phase2.epochs=1"};
    ::testing::internal::CaptureStderr();
    (void)printed(idle);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr("--set prompts.normal=flawless changes nothing"), Not(HasSubstr("phase2.epochs"))));
}

TEST_F(Repro, MistakesAreNamed) {
    EXPECT_THAT([&] { (void)printed(command("table2")); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("table2"), HasSubstr("table3"), HasSubstr("fig8"))));
    ReproCommand none = command("table7");
    none.seeds = 0;
    EXPECT_THAT([&] { (void)printed(none); }, ThrowsMessage<UsageError>(HasSubstr("--seeds")));
    ReproCommand factor = command("table3");
    factor.imbalance = {0.5};
    EXPECT_THAT([&] { (void)printed(factor); }, ThrowsMessage<UsageError>(HasSubstr("--imbalance")));
    ReproCommand network = command("table6");
    network.efficientnet = tiny / "nowhere";
    ReproCommand other = command("table7");
    other.efficientnet = tiny / "encoder";
    EXPECT_THAT([&] { (void)printed(other); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--efficientnet"), HasSubstr("table6"))));
    EXPECT_THAT([&] { (void)printed(network); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--efficientnet"), HasSubstr("nowhere"))));
}

TEST_F(Repro, FiguresAreDrawn) {
    ReproCommand figure = command("fig8");
    figure.imbalance = {4};
    (void)printed(figure);
    for (const char* task : {"image", "pixel"}) {
        const std::string svg = read_file(tiny / text("repro/fig8-", task, ".svg"));
        EXPECT_THAT(svg, AllOf(HasSubstr("<svg"), HasSubstr("reversed"), HasSubstr("step4 High")));
    }
}

}  // namespace
}  // namespace ltad::test
