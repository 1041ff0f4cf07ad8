#include "ltad/train/trainee.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::int64_t total = 6;

/// A parameter pulled towards targets that differ from step to step.
struct Training {
    Training(const std::filesystem::path& folder, TrainOptions options, json settings = {{"a", {{"b", 1}}}})
        : p(parameters.add("p", {4}, init_normal(1))),
          trainee(folder, "module", std::move(settings), parameters, {.learning_rate = 0.1, .weight_decay = 0.01},
                  {.total_steps = total, .decay = Decay::cosine}, 1e9, options) {}

    void step() {
        const auto number = static_cast<std::uint64_t>(trainee.steps_done());
        const at::Tensor loss = (p - random_tensor({4}, number)).square().sum();
        trainee.step(loss, {{"loss", loss.item<double>()}}, 1 + static_cast<double>(number));
        if ((number + 1) % 3 == 0) trainee.end_epoch();
    }

    Parameters parameters{5, at::kCPU};
    at::Tensor p;
    Trainee trainee;
};

TEST(Trainee, AStateGoesOnToTheSameBytes) {
    const TemporaryFolder whole, parts;
    Training through(whole.path(), {});
    while (through.trainee.steps_done() < total) through.step();
    through.trainee.finish();

    for (std::int64_t stop : {1, 2, 3, 5}) {
        std::filesystem::remove_all(parts.path());
        Training first(parts.path(), {});
        while (first.trainee.steps_done() < stop) first.step();
        first.trainee.save_state();
        first.step();  // lost, as after a kill

        Training second(parts.path(), {.resume = true});
        EXPECT_EQ(second.trainee.steps_done(), stop);
        while (second.trainee.steps_done() < total) second.step();
        second.trainee.finish();
        EXPECT_EQ(read_file(parts / "module.safetensors"), read_file(whole / "module.safetensors")) << stop;
        EXPECT_FALSE(std::filesystem::exists(parts / "module.state.safetensors"));
    }
}

TEST(Trainee, HistoryHoldsWeightedMeans) {
    const TemporaryFolder folder;
    Training training(folder.path(), {});
    double sum = 0;
    for (int i = 0; i < 3; ++i) {
        sum += (i + 1) * (training.p - random_tensor({4}, static_cast<std::uint64_t>(i))).square().sum().item<double>();
        training.step();
    }
    ASSERT_EQ(training.trainee.history().size(), 1u);
    EXPECT_EQ(training.trainee.history()[0]["epoch"], 1);
    EXPECT_NEAR(training.trainee.history()[0]["loss"].get<double>(), sum / 6, 1e-9);
}

TEST(Trainee, FinishedOnesAreLoadedNotTrained) {
    const TemporaryFolder folder;
    Training first(folder.path(), {});
    while (first.trainee.steps_done() < total) first.step();
    first.trainee.finish();
    Training again(folder.path(), {});
    EXPECT_TRUE(again.trainee.finished());
    EXPECT_TRUE(at::equal(again.p, first.p));
    EXPECT_EQ(again.trainee.history(), first.trainee.history());
    Training forced(folder.path(), {.force = true});
    EXPECT_FALSE(forced.trainee.finished());
    EXPECT_EQ(forced.trainee.steps_done(), 0);
}

TEST(Trainee, AStateAtTheLastStepIsFinishedNotForgotten) {
    const TemporaryFolder folder;
    Training first(folder.path(), {});
    while (first.trainee.steps_done() < total) first.step();
    first.trainee.save_state();  // and killed before `finish`
    Training again(folder.path(), {.resume = true});
    EXPECT_EQ(again.trainee.steps_done(), total);
    EXPECT_FALSE(again.trainee.finished());
}

TEST(Trainee, LeftoversAreRemovedWhenTheTrainingGoesOn) {
    const TemporaryFolder folder;
    Training first(folder.path(), {});
    while (first.trainee.steps_done() < total) first.step();
    first.trainee.save_state();
    const std::string state = read_file(folder / "module.state.safetensors");
    first.trainee.finish();
    // Killed after the module was written and before its state was removed.
    write_file_atomically(folder / "module.state.safetensors", state);
    EXPECT_TRUE(Training(folder.path(), {}).trainee.finished());
    EXPECT_FALSE(std::filesystem::exists(folder / "module.state.safetensors"));

    write_file_atomically(folder / "module.safetensors.tmp-1", "half");
    write_file_atomically(folder / "metrics.jsonl.tmp-1", "half");
    write_file_atomically(folder / "other.safetensors", "not ours");
    Training forced(folder.path(), {.force = true});
    EXPECT_TRUE(std::filesystem::exists(folder / "module.safetensors")) << "kept until the training really starts";
    forced.trainee.clear_leftovers();
    EXPECT_FALSE(std::filesystem::exists(folder / "module.safetensors"));
    EXPECT_FALSE(std::filesystem::exists(folder / "module.safetensors.tmp-1"));
    EXPECT_FALSE(std::filesystem::exists(folder / "metrics.jsonl.tmp-1"));
    EXPECT_TRUE(std::filesystem::exists(folder / "other.safetensors"));
}

TEST(Trainee, AnUnfinishedOneAsksWhatToDo) {
    const TemporaryFolder folder;
    Training first(folder.path(), {});
    first.step();
    first.trainee.save_state();
    EXPECT_THAT([&] { Training(folder.path(), {}); },
                ThrowsMessage<Error>(AllOf(HasSubstr("--resume"), HasSubstr("--force"))));
    EXPECT_EQ(Training(folder.path(), {.force = true}).trainee.steps_done(), 0);
}

TEST(Trainee, OtherSettingsAreNamed) {
    const TemporaryFolder folder;
    Training first(folder.path(), {});
    first.step();
    first.trainee.save_state();
    const json other = {{"a", {{"b", 2}}}, {"c", "new"}};
    EXPECT_THAT([&] { Training(folder.path(), {.resume = true}, other); },
                ThrowsMessage<Error>(AllOf(HasSubstr("a.b: 1 there, 2 now"), HasSubstr("c: null there, \"new\" now"))));
}

TEST(Trainee, ALossThatIsNoNumberStopsTheTraining) {
    const TemporaryFolder folder;
    Training training(folder.path(), {});
    const at::Tensor loss = training.p.sum() * std::nan("");
    EXPECT_THAT(
        [&] {
            training.trainee.step(loss, {{"loss", loss.item<double>()}}, 1);
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("module"), HasSubstr("step 0"), HasSubstr("learning rate"))));
}

TEST(Trainee, DamagedStatesAreRefused) {
    const TemporaryFolder folder;
    Training first(folder.path(), {});
    first.step();
    first.trainee.save_state();
    const auto file = folder / "module.state.safetensors";
    const std::string bytes = read_file(file);
    for (const std::size_t size : {std::size_t{0}, std::size_t{7}, bytes.size() / 2, bytes.size() - 1}) {
        write_file_atomically(file, bytes.substr(0, size));
        EXPECT_THAT([&] { Training(folder.path(), {.resume = true}); }, ThrowsMessage<Error>(HasSubstr("module.state")))
            << size;
    }
}

/// Writes a checkpoint again with other metadata, whose hash is right.
template <typename Edit>
void edit_metadata(const std::filesystem::path& file, const Edit& edit) {
    Metadata metadata;
    const Weights weights = load_weights(file, &metadata);
    edit(metadata);
    save_weights(file, weights, metadata);
}

class CraftedState : public ::testing::Test {
protected:
    CraftedState() {
        Training first(folder_.path(), {});
        for (int i = 0; i < 4; ++i) first.step();
        first.trainee.save_state();
        bytes_ = read_file(file_);
    }

    /// What is said when a state of these metadata is to go on; "" where it does.
    template <typename Edit>
    std::string complaint(const Edit& edit) {
        write_file_atomically(file_, bytes_);
        edit_metadata(file_, edit);
        try {
            Training(folder_.path(), {.resume = true});
            return "";
        } catch (const Error& error) {
            return error.what();
        }
    }

    TemporaryFolder folder_;
    std::filesystem::path file_ = folder_ / "module.state.safetensors";
    std::string bytes_;
};

TEST_F(CraftedState, IsRefusedWhereItsPositionCannotBe) {
    EXPECT_EQ(complaint([](Metadata&) {}), "");
    const std::string epoch = R"(, "epoch": {"weight": 4, "sums": [["loss", 1.5]]}})";
    EXPECT_EQ(complaint([&](Metadata& m) { m["position"] = R"({"steps": 4)" + epoch; }), "");
    for (const char* steps : {"1000000", "7", "-1", "1.5", "\"4\"", "null", "1e3", "18446744073709551615", "[[[4]]]"})
        EXPECT_THAT(complaint([&](Metadata& m) { m["position"] = text("{\"steps\": ", steps, epoch); }),
                    AllOf(HasSubstr("module.state"), HasSubstr("position is damaged"), HasSubstr("--force"),
                          ::testing::Not(HasSubstr("json.exception"))))
            << steps;
    for (const std::string& bad :
         {std::string(), std::string("{}"), std::string("[]"), std::string("4"), std::string(100'000, '['),
          std::string(R"({"steps": 4})"), std::string(R"({"steps": 4, "epoch": {"weight": 4}})"),
          std::string(R"({"steps": 4, "epoch": {"weight": "4", "sums": []}})"),
          std::string(R"({"steps": 4, "epoch": {"weight": -1, "sums": [["loss", 1]]}})"),
          std::string(R"({"steps": 4, "epoch": {"weight": 4, "sums": []}})"),
          std::string(R"({"steps": 4, "epoch": {"weight": 4, "sums": [["loss", null]]}})"),
          std::string(R"({"steps": 4, "epoch": {"weight": 4, "sums": [7]}})")})
        EXPECT_THAT(complaint([&](Metadata& m) { m["position"] = bad; }),
                    AllOf(HasSubstr("module.state"), HasSubstr("position is damaged"), HasSubstr("--force"),
                          ::testing::Not(HasSubstr("json.exception"))))
            << bad.substr(0, 80);
}

TEST_F(CraftedState, IsRefusedWithoutTheKeysItNeeds) {
    for (const char* key : {"format", "settings", "position", "history"})
        EXPECT_THAT(complaint([&](Metadata& m) { m.erase(key); }), HasSubstr("module.state")) << key;
    for (const char* history : {"", "{}", "[1]", "[{}]", R"([{"epoch": 2}])", R"([{"epoch": 1, "loss": "x"}])"})
        EXPECT_THAT(complaint([&](Metadata& m) { m["history"] = history; }),
                    AllOf(HasSubstr("module.state"), HasSubstr("history is damaged"), HasSubstr("--force")))
            << history;
    EXPECT_THAT(complaint([&](Metadata& m) { m["settings"] = std::string(100'000, '['); }), HasSubstr("damaged"));
}

TEST_F(CraftedState, IsRefusedWithoutHashes) {
    write_file_atomically(file_, bytes_);
    for (const char* key : {"tensors_sha256", "metadata_sha256"}) {
        const SafetensorsFile whole(file_);
        Metadata metadata = whole.metadata();
        ASSERT_EQ(metadata.erase(key), 1u);
        // A state, and what would pass for a finished training.
        write_safetensors(folder_ / "crafted", whole.tensors(), metadata);
        Metadata read;
        EXPECT_THAT([&] { (void)load_checkpoint(folder_ / "crafted", read); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("crafted"), HasSubstr(key))));
    }
    Metadata read;
    EXPECT_NO_THROW((void)load_checkpoint(file_, read));
    EXPECT_EQ(steps_in(read), 4);
}

TEST(Schedule, IsConstantOrFallsAlongACosine) {
    const Schedule constant{.total_steps = 10};
    const Schedule cosine{.total_steps = 10, .decay = Decay::cosine};
    for (std::int64_t step = 0; step < 10; ++step) EXPECT_EQ(constant.rate(step), 1);
    EXPECT_EQ(cosine.rate(0), 1);
    EXPECT_NEAR(cosine.rate(5), 0.5, 1e-15);
    EXPECT_NEAR(cosine.rate(10), 0, 1e-15);
    for (std::int64_t step = 0; step < 10; ++step) EXPECT_GT(cosine.rate(step), cosine.rate(step + 1));
}

TEST(Schedule, StepsToATenthAfterFourFifths) {
    const Schedule step{.total_steps = 10, .decay = Decay::step};
    for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(step.rate(i), 1) << i;
    for (std::int64_t i = 8; i < 10; ++i) EXPECT_EQ(step.rate(i), 0.1) << i;
    EXPECT_EQ(decay_named("constant"), Decay::constant);
    EXPECT_EQ(decay_named("cosine"), Decay::cosine);
    EXPECT_EQ(decay_named("step"), Decay::step);
}

TEST(Schedule, WarmsUpLinearlyFirst) {
    const Schedule constant{.total_steps = 10, .warmup_steps = 4};
    const Schedule cosine{.total_steps = 10, .decay = Decay::cosine, .warmup_steps = 4};
    const std::vector<double> rising = {0.2, 0.4, 0.6, 0.8, 1};
    for (std::size_t step = 0; step < rising.size(); ++step) {
        EXPECT_NEAR(constant.rate(static_cast<std::int64_t>(step)), rising[step], 1e-15) << step;
        EXPECT_NEAR(cosine.rate(static_cast<std::int64_t>(step)), rising[step], 1e-15) << step;
    }
    EXPECT_EQ(constant.rate(9), 1);
    EXPECT_NEAR(cosine.rate(6), 0.75, 1e-15);  // a third of the way down
    EXPECT_NEAR(cosine.rate(7), 0.5, 1e-15);
    EXPECT_NEAR(cosine.rate(10), 0, 1e-15);
}

TEST(Settings, DifferencesAreListedByKey) {
    EXPECT_TRUE(differing_settings({{"a", 1}, {"b", {1, 2}}}, {{"b", {1, 2}}, {"a", 1}}).empty());
    EXPECT_THAT(differing_settings({{"a", 1}, {"s", {{"x", 1}, {"y", 2}}}}, {{"a", 2}, {"s", {{"x", 1}}}}),
                ElementsAre("a: 1 there, 2 now", "s.y: 2 there, null now"));
    EXPECT_THAT(
        [] {
            check_checkpoint({{"format", "ltad-checkpoint/1"}, {"settings", "not json"}}, {}, "file");
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("file"), HasSubstr("damaged"))));
    EXPECT_THAT(
        [] {
            check_checkpoint({{"format", "other/7"}, {"settings", "{}"}}, {}, "file");
        },
        ThrowsMessage<Error>(AllOf(HasSubstr("other/7"), HasSubstr("ltad-checkpoint/1"))));
}

}  // namespace
}  // namespace ltad::test
