#include "ltad/repro/execute.h"

#include <map>
#include <sstream>

#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/eval/evaluate.h"
#include "ltad/eval/table.h"
#include "ltad/repro/command.h"
#include "ltad/repro/paper.h"
#include "ltad/train/phase2.h"
#include "repro/run_trainer.h"
#include "support/dataset_tree.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// ltad-repro on a tiny data set.
class Repro : public ::testing::Test {
protected:
    Repro() {
        json config = to_json(tiny.open().config());
        config.erase("output");
        config["name"] = "tiny";
        write_json(tiny / "config.json", config);
    }

    [[nodiscard]] ReproCommand command(const std::string& table) const {
        return {.table = table, .config = tiny / "config.json", .out = tiny / "repro"};
    }
    [[nodiscard]] static std::string printed(const ReproCommand& command) {
        std::ostringstream out;
        reproduce(command, out, false);
        return out.str();
    }
    [[nodiscard]] json document(const std::string& table) const {
        return read_json(tiny / ("repro/" + table + ".json"));
    }

    const TinyRun tiny;
};

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

TEST_F(Repro, ChangedPicturesAreAnotherTable) {
    const std::string first = printed(command("table8"));
    // A test picture: the parts did not see it, the figures did.
    const Sample gone = tiny.open().split().test.front();
    std::filesystem::remove(tiny / ("data/" + gone.file));
    ReproCommand again = command("table8");
    again.dry_run = true;
    EXPECT_THAT(printed(again), HasSubstr("3 runs, 0 finished; 6 parts reused"));
    again.dry_run = false;
    EXPECT_NE(printed(again), first);
}

/// As `cp -p` does: another picture of the same name, size and time.
TEST_F(Repro, PicturesExchangedInSilenceAreSeen) {
    const std::string first = printed(command("table8"));
    const auto good = tiny / "data/woven/test/good/000.png", other = tiny / "data/washer/test/good/000.png";
    const auto size = std::max(std::filesystem::file_size(good), std::filesystem::file_size(other));
    const auto time = std::filesystem::last_write_time(good);
    const auto put = [&](const std::string& bytes) {
        write_file_atomically(good, bytes + std::string(size - bytes.size(), '\0'));  // behind a PNG's end
        std::filesystem::last_write_time(good, time);
    };
    const std::string own = read_file(good);
    put(own);
    EXPECT_EQ(printed(command("table8")), first);
    put(read_file(other));
    const std::string exchanged = printed(command("table8"));
    EXPECT_NE(exchanged, first);
    // What was encoded before is not taken for it.
    std::filesystem::remove_all(tiny / "features");
    ReproCommand anew = command("table8");
    anew.out = tiny / "anew";
    EXPECT_EQ(printed(anew), exchanged);
}

TEST_F(Repro, DataThatChangeWhileATableIsMadeFailTheRun) {
    const auto plan = make_plan(repro_table("table8", {.paper_data = false, .factors = {}, .efficientnet = {}}),
                                tiny / "config.json", {}, 1, tiny / "repro");
    const PlannedRun& run = plan.runs.front();
    const PartIndex index(tiny / "repro");
    const auto picture = tiny / "data/woven/train/good/000.png";
    const std::string bytes = read_file(picture);
    write_file_atomically(picture, read_file(tiny / "data/washer/train/good/000.png"));
    EXPECT_THAT([&] { RunTrainer(run, index).train(false, [](auto) {}); },
                ThrowsMessage<Error>(HasSubstr("changed since this call began")));
    EXPECT_FALSE(std::filesystem::exists(run.file_of(run.parts.front())));
    write_file_atomically(picture, bytes);
    // During a training: what it has made is not kept.
    EXPECT_THAT(
        [&] {
            RunTrainer(run, index).train(false, [&](auto parts) {
                if (parts.front().part->stage == 1)
                    write_file_atomically(picture, read_file(tiny / "data/washer/train/good/000.png"));
            });
        },
        ThrowsMessage<Error>(HasSubstr("changed since this call began")));
    EXPECT_TRUE(std::filesystem::exists(run.file_of(run.parts.front())));
    EXPECT_FALSE(std::filesystem::exists(run.file_of(run.parts.back())));
    EXPECT_FALSE(index.find(run.parts.back()));
    write_file_atomically(picture, bytes);
    RunTrainer trainer(run, index);
    EXPECT_NO_THROW(trainer.train(false, [](auto) {}));
    const auto mask = tiny / "data/woven/ground_truth/pit/000_mask.png";
    write_file_atomically(mask, read_file(tiny / "data/woven/ground_truth/crack/000_mask.png"));
    EXPECT_THAT([&] { (void)trainer.evaluate(); }, ThrowsMessage<Error>(HasSubstr("changed since this call began")));
    EXPECT_FALSE(std::filesystem::exists(run.results_file()));
}

TEST_F(Repro, AChangedDigitIsNotBelieved) {
    const std::string first = printed(command("table8"));
    int changed = 0;
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs"))
        for (const auto& file : std::filesystem::directory_iterator(entry.path())) {
            if (!file.path().filename().string().starts_with("results")) continue;
            json results = read_json(file.path());
            results["mean"]["all"]["semantic"]["image_auroc"] = 7.5;
            write_json(file.path(), results);
            ++changed;
        }
    EXPECT_EQ(changed, 3);
    EXPECT_EQ(printed(command("table8")), first);
}

TEST_F(Repro, ThePlanKnowsInterruptedTrainings) {
    const auto plan = make_plan(repro_table("table8", {.paper_data = false, .factors = {}, .efficientnet = {}}),
                                tiny / "config.json", {}, 1, tiny / "repro");
    const PlannedRun& run = plan.runs.front();
    const ReproWork before = survey(plan, tiny / "repro");
    // A state after two steps, as far as a plan looks into it.
    save_weights(state_file_of(run.file_of(run.parts.front())), {{"a", at::zeros({1})}},
                 {{"position", R"({"steps": 2})"}});
    const ReproWork after = survey(plan, tiny / "repro");
    EXPECT_EQ(after.items.front().steps, before.items.front().steps - 2);
    EXPECT_EQ(after.items.back().steps, before.items.back().steps);
}

TEST_F(Repro, DamageIsPlannedAndMended) {
    const std::string first = printed(command("table8"));
    const auto plan = make_plan(repro_table("table8", {.paper_data = false, .factors = {}, .efficientnet = {}}),
                                tiny / "config.json", {}, 1, tiny / "repro");
    const PlannedRun& run = plan.runs.front();
    const auto semantic = run.file_of(run.parts.back());
    std::string bytes = read_file(semantic);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_file_atomically(semantic, bytes);
    std::filesystem::remove(run.results_file());
    write_file_atomically(std::filesystem::path(run.config.output) / "split/train.jsonl", "{\"file\": ");
    write_file_atomically(std::filesystem::path(run.config.output) / "config.json", "{\"met");
    ReproCommand again = command("table8");
    again.dry_run = true;
    EXPECT_THAT(printed(again), AllOf(HasSubstr("2 finished"), HasSubstr("semantic")));
    again.dry_run = false;
    EXPECT_EQ(printed(again), first);
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(run.config.output) / "split/split.json"));
    EXPECT_NO_THROW(ltad::Run(run.config).check_split());
    EXPECT_EQ(read_json(std::filesystem::path(run.config.output) / "config.json").at("method"), "ltad");
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

TEST_F(Repro, DamagedFilesAreMadeAgain) {
    const std::string first = printed(command("table8"));
    const json figures = document("table8");
    std::size_t damaged = 0;
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs"))
        for (const char* file : {"results-semantic.json", "phase2/semantic.safetensors"}) {
            write_file_atomically(entry.path() / file, "[]");
            ++damaged;
        }
    EXPECT_EQ(damaged, 6u);
    EXPECT_EQ(printed(command("table8")), first);
    EXPECT_EQ(document("table8"), figures);
}

TEST_F(Repro, ResultsAndStatisticsWithoutTheirKeysAreMadeAgain) {
    ReproCommand methods = command("table3");
    methods.imbalance = {4};
    const std::string first = printed(methods);
    std::size_t statistics = 0;
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs")) {
        ASSERT_TRUE(std::filesystem::exists(entry.path() / "results.json"));
        json results = read_json(entry.path() / "results.json");
        results.at("mean").erase("low");
        write_json(entry.path() / "results.json", results);
        if (!std::filesystem::exists(entry.path() / "phase2/statistics.json")) continue;
        const auto file = entry.path() / "phase2/statistics.json";
        if (statistics++ == 0) {
            write_file_atomically(file, "{");
            continue;
        }
        json changed = read_json(file);  // a digit alone
        changed["semantic_deviation"] = 2 * changed["semantic_deviation"].get<double>();
        write_json(file, changed);
    }
    EXPECT_EQ(statistics, 2u);
    EXPECT_EQ(printed(methods), first);
}

TEST_F(Repro, PartsWithFlippedBitsAreMadeAgain) {
    const std::string first = printed(command("table8"));
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs")) {
        const auto file = entry.path() / "phase2/semantic.safetensors";
        std::string bytes = read_file(file);
        bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
        write_file_atomically(file, bytes);  // a link of its own, newer than the results
    }
    EXPECT_EQ(printed(command("table8")), first);
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

TEST_F(Repro, PartsOfAnotherPhase1AreMadeAgain) {
    const std::string first = printed(command("table8"));
    // As if another machine, whose last digits differ, had trained phase 1.
    ltad::Run other = tiny.open({"phase1.learning_rate=0.01", "output=" + (tiny / "other").string()});
    train_phase1(other, {.from_shell = false});
    Metadata metadata;
    const Weights weights = load_weights(Phase1Model::file(other), &metadata);
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs")) {
        const auto file = entry.path() / "phase1/model.safetensors";
        Metadata own;
        (void)load_weights(file, &own);
        save_weights(file, weights, own);
    }
    EXPECT_NO_THROW((void)printed(command("table8")));
    ReproCommand again = command("table8");
    again.dry_run = true;
    EXPECT_THAT(printed(again), HasSubstr("3 runs, 3 finished"));
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
