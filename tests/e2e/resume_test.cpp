#include <gmock/gmock.h>

#include "e2e/workspace.h"
#include "ltad/core/random.h"

namespace ltad::test {
namespace {

using std::chrono::milliseconds;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Many steps and a save after each, so that signals hit everything.
const std::vector<std::string> long_training = {"--set", "phase1.epochs=16",    "--set", "phase2.epochs=20",
                                                "--set", "checkpoint_seconds=0"};

/// Trains with a signal sent again and again at other moments, until it is done. Returns how often it was hit.
int train_under_fire(const Workspace& work, const std::string& command, std::vector<std::string> arguments,
                     int signal) {
    Random random(RandomUse::test, {random_key(command), static_cast<std::uint64_t>(signal)});
    arguments.push_back("--resume");
    int hits = 0;
    for (; hits < 60; ++hits) {
        const auto delay = milliseconds(300 + static_cast<int>(random.below(500)) + 20 * hits);
        const Outcome outcome = work.train(command, arguments, {.folder = {}, .signal_after = delay, .signal = signal});
        if (outcome.status == 0) break;
        EXPECT_EQ(outcome.status, signal == SIGKILL ? 128 + SIGKILL : 130) << outcome.err;
        if (signal == SIGINT) {
            // On a busy machine a signal may come before the program is up, and ends it without a word.
            EXPECT_THAT(outcome.err, AnyOf(IsEmpty(), HasSubstr("interrupted")));
        }
    }
    return hits;
}

/// A kill in the middle of a write leaves its temporary file.
std::map<std::string, std::string> files_without_leftovers(const Workspace& work, const std::string& folder) {
    auto files = work.files_in(folder);
    std::erase_if(files, [](const auto& item) { return item.first.find(".tmp-") != std::string::npos; });
    return files;
}

class Resume : public ::testing::TestWithParam<int> {};

TEST_P(Resume, EndsInTheBytesOfAnUninterruptedRun) {
    const Workspace work;
    Workspace::expect_done(work.train("phase1", long_training));
    Workspace::expect_done(work.train("phase2", long_training));
    const auto expected1 = work.files_in("runs/tiny/phase1");
    const auto expected2 = work.files_in("runs/tiny/phase2");
    std::filesystem::remove_all(work / "runs");
    std::filesystem::remove_all(work / "features");

    const int hits = train_under_fire(work, "phase1", long_training, GetParam()) +
                     train_under_fire(work, "phase2", long_training, GetParam());
    EXPECT_GT(hits, 1) << "the trainings were too short to be interrupted";
    EXPECT_EQ(files_without_leftovers(work, "runs/tiny/phase1"), expected1);
    EXPECT_EQ(files_without_leftovers(work, "runs/tiny/phase2"), expected2);
    Workspace::expect_done(work.evaluate(long_training));
}

TEST_P(Resume, OfUniadLikewise) {
    const Workspace work;
    auto arguments = long_training;
    arguments.insert(arguments.end(), {"--set", "method=uniad", "--set", "phase2.epochs=250"});
    Workspace::expect_done(work.train("fit", arguments));
    const auto expected = work.files_in("runs/tiny/uniad");
    std::filesystem::remove_all(work / "runs");

    EXPECT_GT(train_under_fire(work, "fit", arguments, GetParam()), 0) << "too short to be interrupted";
    EXPECT_EQ(files_without_leftovers(work, "runs/tiny/uniad"), expected);
    Workspace::expect_done(work.evaluate(arguments));
}

INSTANTIATE_TEST_SUITE_P(Signals, Resume, ::testing::Values(SIGINT, SIGKILL),
                         [](const auto& test) { return test.param == SIGINT ? "Interrupt" : "Kill"; });

TEST(Unfinished, NeedsResumeOrForce) {
    const Workspace work;
    Outcome stopped;
    for (int delay = 500; delay < 5000; delay += 300) {
        stopped = work.train("phase1", {"--set", "phase1.epochs=2000"},
                             {.folder = {}, .signal_after = milliseconds(delay), .signal = SIGINT});
        if (std::filesystem::exists(work / "runs/tiny/phase1/model.state.safetensors")) break;
    }
    ASSERT_EQ(stopped.status, 130) << stopped.err;
    const Outcome plain = work.train("phase1", {"--set", "phase1.epochs=2000"});
    EXPECT_EQ(plain.status, 1);
    EXPECT_THAT(plain.err, HasSubstr("--resume"));
    const Outcome other = work.train("phase1", {"--resume"});  // 3 epochs instead of 2000
    EXPECT_EQ(other.status, 1);
    EXPECT_THAT(other.err, HasSubstr("phase1.epochs"));
    Workspace::expect_done(work.train("phase1", {"--force"}));
}

}  // namespace
}  // namespace ltad::test
