#include <gmock/gmock.h>

#include "e2e/workspace.h"
#include "ltad/core/random.h"

namespace ltad::test {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Outcome reproduce(const Workspace& work, const std::string& table, std::vector<std::string> more = {},
                  const RunOptions& options = {}) {
    more.insert(more.begin(), {table, "--config", "config.json"});
    return work.call("ltad-repro", more, options);
}

TEST(ReproCommand, PrintsAPlanThenATable) {
    const Workspace work;
    const Outcome plan = reproduce(work, "table6", {"--dry-run"});
    Workspace::expect_done(plan);
    EXPECT_THAT(plan.out, AllOf(HasSubstr("7 runs"), HasSubstr("phase 1"), HasSubstr("UniAD"), HasSubstr("all")));
    EXPECT_FALSE(std::filesystem::exists(work / "runs")) << "a plan writes nothing";
    const Outcome table = reproduce(work, "table6");
    Workspace::expect_done(table);
    for (const char* id : {"6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "82.63", "n/a"})
        EXPECT_THAT(table.out, HasSubstr(id));
    EXPECT_THAT(table.out, Not(HasSubstr("no data")));
    EXPECT_THAT(table.err, AllOf(HasSubstr("run 7 of 7"), HasSubstr("of training left")));
    // Not even where it says what it takes over: it has no such option.
    EXPECT_THAT(table.err, AllOf(HasSubstr("already finished"), Not(HasSubstr("--force"))));
    for (const char* file : {"table6.md", "table6.csv", "table6.json"})
        EXPECT_TRUE(std::filesystem::exists(work / (std::string("runs/repro/tiny/") + file))) << file;
}

TEST(ReproCommand, UnderFireItEndsInTheSameTable) {
    const Workspace work;
    const std::vector<std::string> options = {"--set", "phase2.epochs=8", "--set", "checkpoint_seconds=0"};
    Workspace::expect_done(reproduce(work, "table8", options));
    const json expected = read_json(work / "runs/repro/tiny/table8.json");
    std::filesystem::remove_all(work / "runs");
    Random random(RandomUse::test, {8});
    int hits = 0;
    for (; hits < 60; ++hits) {
        const auto delay = milliseconds(700 + static_cast<int>(random.below(900)) + 40 * hits);
        const Outcome outcome = reproduce(work, "table8", options,
                                          {.folder = {}, .signal_after = delay, .signal = hits % 2 ? SIGKILL : SIGINT});
        if (outcome.status == 0) break;
        EXPECT_EQ(outcome.status, hits % 2 ? 128 + SIGKILL : 130) << outcome.err;
    }
    EXPECT_GT(hits, 0);
    EXPECT_EQ(read_json(work / "runs/repro/tiny/table8.json"), expected);
}

TEST(ReproCommand, WithoutDataThePapersFiguresStand) {
    const Workspace work;
    const Outcome table =
        reproduce(work, "table3", {"--set", "dataset.root=data/mvtec", "--set", "dataset.layout=mvtec"});
    Workspace::expect_done(table);
    EXPECT_THAT(table.out, AllOf(HasSubstr("no data"), HasSubstr("88.86")));
    // Of other data it is a mistake.
    const Outcome other = reproduce(work, "table3", {"--set", "dataset.root=nowhere"});
    EXPECT_EQ(other.status, 1) << other.err;
    EXPECT_THAT(other.err, AllOf(HasSubstr("nowhere"), HasSubstr("dataset.root")));
}

TEST(ReproCommand, OptionsMayStandBeforeTheTable) {
    const Workspace work;
    const Outcome plan = work.call("ltad-repro", {"--config", "config.json", "--set", "phase1.epochs=1", "--imbalance",
                                                  "2,4", "table3", "--dry-run"});
    Workspace::expect_done(plan);
    EXPECT_THAT(plan.out, HasSubstr("12 runs"));
}

TEST(ReproCommand, MistakesEndWithStatus2) {
    const Workspace work;
    for (const auto& [arguments, word] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"table1", "--config", "config.json"}, "table3"},
             {{"table7", "--config", "none.json"}, "none.json"},
             {{"table7"}, "step100.json"},
             {{"table7", "--config", "config.json", "--seeds", "0"}, "--seeds"},
             {{"table7", "--config", "config.json", "--seeds", "1000000000"}, "1 to 1000"},
             {{"table7", "--config", "config.json", "--set", "seed=9223372036854775807"}, "seed"},
             {{"table3", "--config", "config.json", "--imbalance", "0.5"}, "--imbalance"},
             {{"table3", "--config", "config.json", "--imbalance", "1e300"}, "--imbalance"},
             {{"table3", "--config", "config.json", "--imbalance", "2,2"}, "twice"},
             {{"table6", "--config", "config.json", "--imbalance", "2"}, "tables 3-5"},
             {{"table6", "--config", "config.json", "--efficientnet", "encoder"}, "own encoder"},
             {{"table7", "--config", "config.json", "--set", "phase1.epoch=1"}, "phase1.epochs"},
             {{}, "table"}}) {
        const Outcome outcome = work.call("ltad-repro", arguments);
        EXPECT_EQ(outcome.status, 2) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(word));
    }
}

}  // namespace
}  // namespace ltad::test
