#include "ltad/pretrain/train.h"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/align/align_model.h"
#include "ltad/config/load.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"
#include "ltad/train/feature_set.h"
#include "pretrain/updates.h"
#include "support/temporary_folder.h"
#include "support/tiny_pretraining.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// The losses of a metrics.jsonl, one for each epoch.
std::vector<double> losses_in(const std::filesystem::path& run) {
    std::istringstream lines(read_file(run / "metrics.jsonl"));
    std::vector<double> losses;
    for (std::string line; std::getline(lines, line);) losses.push_back(json::parse(line)["loss"].get<double>());
    return losses;
}

class Pretrain : public ::testing::Test {
protected:
    void with_towers(const std::string& image, const std::string& text) {
        config.contrastive.image_tower = image;
        config.contrastive.text_tower = text;
    }
    void train(const std::string& run, TrainOptions options = {}) {
        config.output = (folder / run).string();
        train_contrastive(config, options);
    }
    [[nodiscard]] std::string bytes(const std::string& run, const std::string& file = "contrastive.safetensors") const {
        return read_file(folder / run / file);
    }
    [[nodiscard]] bool exists(const std::string& run, const std::string& file) const {
        return std::filesystem::exists(folder / run / file);
    }

    TemporaryFolder folder;
    PretrainConfig config = make_toy_training(folder.path());
};

struct Towers {
    const char* image;
    const char* text;
    double learning_rate;
};

class PretrainTowers : public Pretrain, public ::testing::WithParamInterface<Towers> {
protected:
    void SetUp() override {
        with_towers(GetParam().image, GetParam().text);
        config.contrastive.learning_rate = GetParam().learning_rate;
        config.contrastive.epochs = 30;
    }
};

TEST_P(PretrainTowers, LearnWhatColourMeans) {
    ::testing::internal::CaptureStdout();
    train("run");
    EXPECT_THAT(::testing::internal::GetCapturedStdout(),
                AllOf(HasSubstr("before training: new pictures: recall@1 among 3 "), HasSubstr("after training:"),
                      HasSubstr("image to text 100.00")));
    const std::vector<double> losses = losses_in(folder / "run");
    ASSERT_EQ(losses.size(), 30u);
    EXPECT_LT(losses.back(), 0.75 * losses.front());
    const json report = read_json(folder / "run" / "report.json");
    EXPECT_LT(report["before"]["new_pictures"]["image_to_text_recall_at_1"], 0.9);
    EXPECT_EQ(report["after"]["new_pictures"]["image_to_text_recall_at_1"], 1.0);
    EXPECT_NE(report["temperature"].get<double>(), 0.07) << "it is learned";
}

TEST_P(PretrainTowers, UpdatesPutIntoTheOriginalGiveTheTrainedModel) {
    config.contrastive.epochs = 1;
    train("run");
    const Weights original = read_model_weights(config.model);
    const Weights trained = read_model_weights(folder / "run" / "model");
    const ModelUpdates updates = read_updates(folder / "run" / "updates.safetensors");
    const Weights updated = apply_updates(original, updates.tensors, "updates");
    ASSERT_EQ(updated.size(), trained.size());
    std::size_t changed = 0;
    for (const auto& [name, tensor] : trained) {
        EXPECT_TRUE(at::equal(updated.at(name), tensor)) << name;
        if (at::equal(original.at(name), tensor)) continue;
        ++changed;
        const std::string tower = name.starts_with("vision_model.") ? GetParam().image : GetParam().text;
        if (name.find("model.") != std::string::npos) {
            EXPECT_NE(tower, "frozen") << name;
        }
    }
    EXPECT_GT(changed, 2u) << "projection and temperature at least";
    EXPECT_FALSE(updates.tensors.contains("log_temperature"));
    const AlignModel model(folder / "run" / "model", at::kCPU);
    EXPECT_EQ(model.text().text_dim(), 16);
    EXPECT_EQ(bytes("run", "model/vocab.txt"), read_file(folder / "model" / "vocab.txt"));
}

INSTANTIATE_TEST_SUITE_P(All, PretrainTowers,
                         ::testing::Values(Towers{"frozen", "frozen", 3e-2}, Towers{"frozen", "low_rank", 2e-2},
                                           Towers{"frozen", "trained", 1e-2}, Towers{"trained", "low_rank", 1e-2}),
                         [](const auto& test) { return std::string(test.param.image) + "_" + test.param.text; });

TEST_F(Pretrain, TheSameSettingsGiveTheSameBytes) {
    with_towers("trained", "low_rank");
    train("a");
    train("b");
    for (const char* file : {"contrastive.safetensors", "updates.safetensors", "model/model.safetensors",
                             "model/config.json", "metrics.jsonl", "report.json"})
        EXPECT_EQ(bytes("a", file), bytes("b", file)) << file;
    config.seed += 1;
    train("c");
    EXPECT_NE(bytes("a"), bytes("c"));
}

TEST_F(Pretrain, GoesOnAfterAFailureToTheSameBytes) {
    with_towers("trained", "low_rank");
    train("whole");
    // A picture of the second batch cannot be read for a while.
    const std::size_t training = epoch_order(config.seed, 3, 0, 18)[7];
    const auto picture = folder / (std::to_string(training + training / 3) + ".png");
    std::filesystem::rename(picture, folder / "aside.png");
    write_file_atomically(picture, "no picture");
    config.checkpoint_seconds = 0;
    EXPECT_THAT([this] { train("parts"); }, ThrowsMessage<Error>(HasSubstr(picture.string())));
    EXPECT_TRUE(exists("parts", "contrastive.state.safetensors"));
    EXPECT_FALSE(exists("parts", "contrastive.safetensors"));
    EXPECT_FALSE(exists("parts", "model"));
    std::filesystem::rename(folder / "aside.png", picture);
    EXPECT_THAT([this] { train("parts"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("unfinished"), HasSubstr("--resume"), HasSubstr("--force"))));
    train("parts", {.resume = true});
    for (const char* file : {"contrastive.safetensors", "updates.safetensors", "metrics.jsonl", "report.json"})
        EXPECT_EQ(bytes("parts", file), bytes("whole", file)) << file;
    EXPECT_FALSE(exists("parts", "contrastive.state.safetensors"));
}

/// A request to stop is never taken back, so each interrupted training has a process of its own. It runs its test anew
/// up to the statement that it is for, and finds the folder of the test that waits in the environment.
class InterruptedPretrain : public ::testing::Test {
protected:
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        if (const char* shared = std::getenv("LTAD_TEST_FOLDER")) {
            config = toy_config(shared);
        } else {
            config = make_toy_training(own.path());
            ::setenv("LTAD_TEST_FOLDER", own.path().c_str(), 1);
        }
        config.contrastive.text_tower = "low_rank";
        config.contrastive.batch_size = 9;  // two steps an epoch
    }
    void TearDown() override { ::unsetenv("LTAD_TEST_FOLDER"); }

    [[noreturn]] void interrupted_training() const {
        std::filesystem::remove_all(own.path());  // this process ends without destructors
        catch_interrupts();
        (void)std::raise(SIGINT);
        try {
            train_contrastive(config, {.resume = true});
        } catch (const Interrupted& interrupted) {
            std::cerr << interrupted.what() << std::endl;
            std::_Exit(130);
        }
        std::_Exit(0);
    }

    TemporaryFolder own;
    PretrainConfig config;
};

TEST_F(InterruptedPretrain, SavesItsStateAndGoesOnToTheSameBytes) {
    const auto run = std::filesystem::path(config.output);
    EXPECT_EXIT(interrupted_training(), ExitedWithCode(130), "nothing was trained yet");
    EXPECT_FALSE(std::filesystem::exists(run / "embeddings.safetensors"));
    EXPECT_FALSE(std::filesystem::exists(run / "contrastive.state.safetensors"));
    if (!::testing::internal::InDeathTestChild()) {
        PretrainConfig whole = config;
        whole.output = (own / "whole").string();
        train_contrastive(whole, {});
        std::filesystem::copy(own / "whole" / "embeddings.safetensors", run);
    }
    // With the pictures encoded, each gets one step further; the third ends in the second epoch.
    for (int step = 1; step <= 3; ++step)
        EXPECT_EXIT(interrupted_training(), ExitedWithCode(130), "the state is saved, --resume goes on from there");
    EXPECT_TRUE(std::filesystem::exists(run / "contrastive.state.safetensors"));
    EXPECT_FALSE(std::filesystem::exists(run / "model"));
    train_contrastive(config, {.resume = true});
    for (const char* file : {"contrastive.safetensors", "updates.safetensors", "metrics.jsonl", "report.json"})
        EXPECT_EQ(read_file(run / file), read_file(own / "whole" / file)) << file;
}

TEST_F(Pretrain, AFinishedOneIsLeftAlone) {
    train("run");
    const std::string before = bytes("run");
    const auto time = std::filesystem::last_write_time(folder / "run" / "model" / "model.safetensors");
    ::testing::internal::CaptureStdout();
    train("run");
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(bytes("run"), before);
    EXPECT_EQ(std::filesystem::last_write_time(folder / "run" / "model" / "model.safetensors"), time);
}

TEST_F(Pretrain, WhatAKillKeptFromBeingWrittenIsWrittenLater) {
    train("run");
    const std::string updates = bytes("run", "updates.safetensors");
    const std::string model = bytes("run", "model/model.safetensors");
    std::filesystem::remove_all(folder / "run" / "model");
    std::filesystem::remove(folder / "run" / "updates.safetensors");
    train("run");
    EXPECT_EQ(bytes("run", "updates.safetensors"), updates);
    EXPECT_EQ(bytes("run", "model/model.safetensors"), model);
}

TEST_F(Pretrain, ForceTrainsAgain) {
    train("run");
    const std::string before = bytes("run");
    config.contrastive.learning_rate *= 2;
    train("run", {.force = true});
    EXPECT_NE(bytes("run"), before);
    EXPECT_EQ(losses_in(folder / "run").size(), 2u);
    EXPECT_EQ(read_json(folder / "run" / "config.json")["contrastive"]["learning_rate"], 2e-2);
    train("run");
}

TEST_F(Pretrain, OtherSettingsAreRefusedSayingWhatDiffers) {
    train("run");
    const PretrainConfig trained = config;
    const std::vector<std::pair<std::function<void()>, const char*>> changes = {
        {[this] { config.seed = 6; }, "seed: 5 there, 6 now"},
        {[this] { config.contrastive.label_smoothing = 0; }, "contrastive.label_smoothing: 0.1 there, 0.0 now"},
        {[this] { config.contrastive.epochs = 3; }, "contrastive.epochs: 2 there, 3 now"},
        {[this] { config.pairs.held_out_every = 6; }, "pairs.held_out_every: 4 there, 6 now"},
        {[this] { write_toy_pairs(folder.path(), 23); }, "pairs.source"},
        {[this] {
             patch_json(folder / "model" / "preprocessor_config.json", {{"rescale_factor", 0.01}});
         },
         "model: "},
    };
    const std::string before = bytes("run");
    for (const auto& [change, difference] : changes) {
        config = trained;
        change();
        EXPECT_THAT([this] { train("run"); }, ThrowsMessage<Error>(AllOf(HasSubstr("contrastive.safetensors"),
                                                                         HasSubstr(difference), HasSubstr("--force"))));
    }
    EXPECT_EQ(bytes("run"), before);
}

TEST_F(Pretrain, WhatDoesNotChangeTheResultMayChange) {
    train("run");
    config.name = "other";
    config.checkpoint_seconds = 1;
    config.held_out.every = 1;
    config.held_out.pairs = 3;
    EXPECT_NO_THROW(train("run"));
    std::filesystem::rename(folder / "model", folder / "moved");
    config.model = (folder / "moved").string();
    EXPECT_NO_THROW(train("run"));
}

TEST_F(Pretrain, TheRunsConfigCanBeLoaded) {
    train("run");
    const PretrainConfig loaded = load_pretrain_config(folder / "run" / "config.json", {});
    EXPECT_EQ(to_json(loaded), to_json(config));
    EXPECT_TRUE(read_json(folder / "run" / "config.json")["program"].contains("version"));
}

TEST_F(Pretrain, SourcesGoIntoTheUpdatesAndARandomProjectionIsOneNoMore) {
    const json sources = {{"image", {{"file", "a.pth"}}}, {"text", {{"file", "b"}}}};
    patch_json(folder / "model" / "config.json", {{"ltad_random_projection", true}, {"ltad_sources", sources}});
    train("run");
    EXPECT_EQ(read_updates(folder / "run" / "updates.safetensors").sources, sources);
    EXPECT_TRUE(AlignModel(folder / "model", at::kCPU).config().random_projection);
    EXPECT_FALSE(AlignModel(folder / "run" / "model", at::kCPU).config().random_projection);
}

TEST_F(Pretrain, GeneratedPairsTrainToo) {
    config.pairs = {.list = "", .count = 12, .image_size = 64};
    config.contrastive.epochs = 1;
    ::testing::internal::CaptureStdout();
    train("run");
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("zero-shot AUROC"));
    const json after = read_json(folder / "run" / "report.json")["after"];
    EXPECT_EQ(after["zero_shot_auroc_by_class"].size(), 18u);
    EXPECT_LE(after["new_classes"]["candidates"], 6);
}

TEST_F(Pretrain, TheWarmUpIsMade) {
    config.contrastive.epochs = 1;
    const auto trained = [&](const std::string& run, std::int64_t steps) {
        config.contrastive.warmup_steps = steps;
        train(run);
        return read_model_weights(folder / run / "model").at("text_projection.weight");
    };
    const at::Tensor warm = trained("warm", 2);
    EXPECT_GT((trained("cold", 0) - warm).abs().max().item<double>(), 1e-3);
    EXPECT_TRUE(at::equal(trained("long", 100), warm)) << "no longer than the training";
}

TEST_F(Pretrain, BatchesAreNoLargerThanTheList) {
    config.contrastive.batch_size = 1000;
    train("run");
    EXPECT_EQ(losses_in(folder / "run").size(), 2u);
}

TEST_F(Pretrain, MistakesLeaveNoTraining) {
    config.model = (folder / "nowhere").string();
    EXPECT_THAT([this] { train("run"); }, ThrowsMessage<Error>(HasSubstr("nowhere")));
    config = toy_config(folder.path());
    config.pairs.list = (folder / "none.jsonl").string();
    EXPECT_THAT([this] { train("run"); }, ThrowsMessage<Error>(HasSubstr("none.jsonl")));
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
    config = toy_config(folder.path());
    config.contrastive.learning_rate = 1e30;
    EXPECT_THAT([this] { train("run"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("the loss became"), HasSubstr("learning rate"))));
}

}  // namespace
}  // namespace ltad::test
