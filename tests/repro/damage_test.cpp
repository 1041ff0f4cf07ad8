#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/repro/execute.h"
#include "ltad/train/phase2.h"
#include "repro/repro_on_tiny_data.h"
#include "repro/run_trainer.h"

// What ltad-repro makes of files that are changed or damaged, before a call and during it.

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ReproDamage : public Repro {};

TEST_F(ReproDamage, ChangedPicturesAreAnotherTable) {
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
TEST_F(ReproDamage, PicturesExchangedInSilenceAreSeen) {
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

TEST_F(ReproDamage, DataThatChangeWhileATableIsMadeFailTheRun) {
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

TEST_F(ReproDamage, AChangedDigitIsNotBelieved) {
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

TEST_F(ReproDamage, ThePlanKnowsInterruptedTrainings) {
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

TEST_F(ReproDamage, DamageIsPlannedAndMended) {
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

TEST_F(ReproDamage, DamagedFilesAreMadeAgain) {
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

TEST_F(ReproDamage, ResultsAndStatisticsWithoutTheirKeysAreMadeAgain) {
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

TEST_F(ReproDamage, PartsWithFlippedBitsAreMadeAgain) {
    const std::string first = printed(command("table8"));
    for (const auto& entry : std::filesystem::directory_iterator(tiny / "repro/runs")) {
        const auto file = entry.path() / "phase2/semantic.safetensors";
        std::string bytes = read_file(file);
        bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
        write_file_atomically(file, bytes);  // a link of its own, newer than the results
    }
    EXPECT_EQ(printed(command("table8")), first);
}

TEST_F(ReproDamage, PartsOfAnotherPhase1AreMadeAgain) {
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

TEST_F(ReproDamage, VerifyingFindsDamagedFeatures) {
    const std::string first = printed(command("table8"));
    for (const auto& store : std::filesystem::directory_iterator(tiny / "features")) {
        const auto file = store.path() / "features-0.npy";
        std::string bytes = read_file(file);
        for (std::size_t i = bytes.size() / 2; i < bytes.size(); i += 4) bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
        write_file_atomically(file, bytes);
    }
    ReproCommand anew = command("table8");
    anew.out = tiny / "anew";
    anew.verify_features = true;
    EXPECT_EQ(printed(anew), first);
}

}  // namespace
}  // namespace ltad::test
