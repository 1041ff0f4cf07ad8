// ltad-synth --pairs and ltad-pretrain as processes.
#include <gmock/gmock.h>

#include "e2e/workspace.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;

class Pretrain : public ::testing::Test {
protected:
    Pretrain() {
        Workspace::expect_done(
            work.call("ltad-synth", {"--pairs", "24", "--size", "48", "--seed", "5", "--out", "pairs"}));
        write_json(work / "pretrain.json", {{"name", "tiny"},
                                            {"model", "encoder"},
                                            {"pairs", {{"list", "pairs/pairs.jsonl"}, {"image_size", 48}}},
                                            {"contrastive", {{"epochs", 3}, {"batch_size", 8}, {"warmup_steps", 2}}},
                                            {"held_out", {{"every", 1}}},
                                            {"output", "pretrained"}});
    }

    Outcome train(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"train", "--config", "pretrain.json"});
        return work.call("ltad-pretrain", more);
    }

    const Workspace work;
};

TEST_F(Pretrain, LearnsFromAListAndLeavesAModelThatTheOthersTake) {
    const Outcome trained = train();
    Workspace::expect_done(trained);
    for (const char* words : {"before training", "epoch 1", "after training", "recall@1"})
        EXPECT_THAT(trained.out, HasSubstr(words));
    for (const char* file : {"config.json", "metrics.jsonl", "report.json", "updates.safetensors", "model/config.json",
                             "model/model.safetensors", "model/vocab.txt", "model/preprocessor_config.json"})
        EXPECT_TRUE(std::filesystem::exists(work / ("pretrained/" + std::string(file)))) << file;
    const Outcome probe = work.call("ltad-pretrain", {"probe", "--config", "config.json", "--set",
                                                      "encoder.path=pretrained/model", "--images", "4"});
    Workspace::expect_done(probe);
    EXPECT_THAT(probe.out, HasSubstr("Avg"));
    EXPECT_FALSE(std::filesystem::exists(work / "runs")) << "a probe is no run";
    Workspace::expect_done(work.train("phase1", {"--set", "encoder.path=pretrained/model"}));

    const Outcome again = train();
    Workspace::expect_done(again);
    EXPECT_THAT(again.err, HasSubstr("already finished"));
}

TEST_F(Pretrain, MistakesAreToldBeforeAnythingIsWritten) {
    const auto expect_refused = [&](const Outcome& outcome, int status, const std::string& words) {
        EXPECT_EQ(outcome.status, status) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(words));
    };
    expect_refused(train({"--set", "contrastive.epoch=3"}), 2, "did you mean contrastive.epochs?");
    expect_refused(train({"--set", "contrastive.text_tower=thawed"}), 2, "\"frozen\", \"low_rank\", \"trained\"");
    expect_refused(train({"--set", "model=nowhere"}), 1, "nowhere");
    expect_refused(train({"--set", "pairs.list=nothing.jsonl"}), 1, "nothing.jsonl");
    EXPECT_FALSE(std::filesystem::exists(work / "pretrained/config.json"));
    expect_refused(work.call("ltad-pretrain",
                             {"import", "--image", "pairs/pairs.jsonl", "--text", "encoder", "--out", "imported"}),
                   1, "pairs.jsonl");
    EXPECT_FALSE(std::filesystem::exists(work / "imported"));
    expect_refused(work.call("ltad-synth", {"--held-out", "--out", "x"}), 2, "--pairs");
    expect_refused(work.call("ltad-synth", {"--pairs", "0", "--out", "x"}), 2, "0");
}

}  // namespace
}  // namespace ltad::test
