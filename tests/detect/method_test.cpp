#include "ltad/detect/method.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::ThrowsMessage;

TEST(Methods, DescribeThemselvesWhole) {
    std::set<std::string> names, titles, scores, files;
    for (const Method& method : methods()) {
        SCOPED_TRACE(method.name);
        EXPECT_EQ(load_config("", {"dataset.root=data", "method=" + method.name}).method, method.name)
            << "a choice of config.method";
        EXPECT_EQ(&method_named(method.name), &method);
        EXPECT_TRUE(names.insert(method.name).second);
        EXPECT_TRUE(titles.insert(method.title).second);
        ASSERT_FALSE(method.scores.empty());
        for (const std::string& score : method.scores) EXPECT_TRUE(scores.insert(score).second) << score;
        EXPECT_TRUE(std::is_sorted(method.parts.begin(), method.parts.end(),
                                   [](const MethodPart& a, const MethodPart& b) { return a.stage < b.stage; }));
        EXPECT_EQ(method.parts_for("").size(), method.parts.size());
        EXPECT_EQ(method.parts_for(method.scores.front()).size(), method.parts.size());
        EXPECT_NO_THROW((void)picked(Config{}, method.scoring_keys));
        for (const MethodPart& part : method.parts) {
            SCOPED_TRACE(part.name);
            EXPECT_TRUE(part.file.is_relative());
            EXPECT_TRUE(files.insert(part.file.string()).second) << part.file;
            EXPECT_THAT(part.scores, IsSubsetOf(method.scores));
            EXPECT_NO_THROW((void)picked(Config{}, part.keys(Config{})));
            EXPECT_NO_THROW((void)picked(Config{}, part.cost_keys));
            EXPECT_GT(part.steps(Config{}, 1), 0);
        }
    }
    EXPECT_THAT([] { (void)method_named("dinomaly"); }, ThrowsMessage<UsageError>(HasSubstr("dinomaly")));
}

TEST(Methods, TrainTheFilesTheyNameStageByStage) {
    const TinyRun tiny;
    for (const Method& method : methods()) {
        SCOPED_TRACE(method.name);
        ltad::Run run = tiny.open({"method=" + method.name, "output=" + (tiny / method.name).string()});
        for (int stage = 0; stage < method.stages(); ++stage) {
            method.train(run, stage, "", {.from_shell = false});
            for (const MethodPart& part : method.parts)
                EXPECT_EQ(std::filesystem::exists(run.output() / part.file), part.stage <= stage) << part.file;
        }
        for (const MethodPart& part : method.parts) {
            Metadata metadata;
            (void)load_weights(run.output() / part.file, &metadata);
            EXPECT_NO_THROW(check_checkpoint(metadata, part.settings(run), part.file)) << part.name;
            EXPECT_EQ(history_in(metadata).size(), part.curves_title.empty() ? 0u : 2u) << part.name << ": epochs";
        }
        const auto detector = method.load(run, "");
        EXPECT_EQ(detector->scores(), method.scores);
        // What the detector was loaded from is what the method says that it trains.
        std::vector<std::filesystem::path> trained;
        for (const MethodPart& part : method.parts) trained.push_back(run.output() / part.file);
        EXPECT_EQ(detector->files(), trained);
    }
}

TEST(Methods, NeedNotTrainAnything) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    Method method;  // such as WinCLIP
    method.name = "ltad";
    EXPECT_EQ(method.stages(), 0);
    EXPECT_THAT(method.parts_for(""), ::testing::IsEmpty());
    method.fit(run, {});
    // What ltad-detect needs of a run.
    EXPECT_EQ(load_config(tiny / "run/config.json", {}).method, "ltad");
    EXPECT_TRUE(std::filesystem::exists(tiny / "run/split/split.json"));
}

/// A part is shared by runs whose `keys` agree, and refused where its `settings` differ: if one saw what the other does
/// not, runs would be refused for ever, or take what is not theirs.
TEST(Methods, KeysAndSettingsOfAPartAgree) {
    const TinyRun tiny;
    const std::vector<std::string> changes = {"prompts.length=1",         "prompts.init=random",
                                              "prompts.learned=false",    "prompts.normal=good",
                                              "prompts.abnormal=cracked", "phase1.epochs=3",
                                              "phase1.kl_weight=0.02",    "decoder.norm=group",
                                              "phase2.epochs=3",          "phase2.sampling=class_aware",
                                              "phase2.jitter=10",         "phase2.jitter_scale=channel",
                                              "phase2.batch_size=2",      "reconstruction.dropout=0",
                                              "semantic.pooling=mean",    "semantic.text=free",
                                              "scoring.lambda=3",         "scoring.map_size=64",
                                              "uniad.clip_norm=1",        "patchcore.coreset=0.2",
                                              "patchcore.smoothing=1",    "patchcore.neighborhood=1",
                                              "checkpoint_seconds=1",     "threads=2"};
    for (const Method& method : methods()) {
        const std::vector<std::string> own = {"method=" + method.name, "output=" + (tiny / method.name).string()};
        ltad::Run run = tiny.open(own);
        fit_detector(run, {.from_shell = false});
        for (const std::string& change : changes) {
            auto overrides = own;
            overrides.push_back(change);
            const ltad::Run other = tiny.open(overrides);
            for (const MethodPart& part : method.parts) {
                const bool keys_differ =
                    picked(run.config(), part.keys(run.config())) != picked(other.config(), part.keys(other.config()));
                EXPECT_EQ(part.settings(run) != part.settings(other), keys_differ) << part.name << ", " << change;
            }
        }
    }
}

TEST(Methods, StepsTakeTime) {
    const TinyRun tiny;
    for (const Method& method : methods())
        for (const MethodPart& part : method.parts) {
            const ltad::Run run = tiny.open({"method=" + method.name});
            EXPECT_GT(part.step_seconds(run, 18), 0) << part.name;
            if (part.shared_seconds != nullptr) {
                EXPECT_GT(part.shared_seconds(run, 18), 0) << part.name;
            }
        }
}

TEST(Methods, OnlyPartsOfAScoreCanBeAskedFor) {
    const TinyRun tiny;
    const ltad::Run patchcore = tiny.open({"method=patchcore"});
    EXPECT_THAT([&] { (void)load_detector(patchcore, "semantic"); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--only"), HasSubstr("patchcore"))));
    const ltad::Run run = tiny.open();
    for (const char* wrong : {"ltad", "uniad", "other"})
        EXPECT_THAT([&] { (void)load_detector(run, wrong); },
                    ThrowsMessage<UsageError>(AllOf(HasSubstr("--only"), HasSubstr(wrong))));
    EXPECT_THAT(part_scores(), ::testing::ElementsAre("reconstruction", "semantic"));
}

}  // namespace
}  // namespace ltad::test
