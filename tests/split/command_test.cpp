#include "ltad/split/command.h"

#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "ltad/data/dataset.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// A data set of four classes on disk.
class SplitCommands : public testing::Test {
protected:
    SplitCommands()
        : config_(test::write_mvtec_tree(folder_ / "set", {{.name = "ant", .train = 4},
                                                           {.name = "bee", .train = 12},
                                                           {.name = "cat", .train = 8},
                                                           {.name = "dog", .train = 8}})) {}

    /// All the options that `make` needs.
    [[nodiscard]] SplitCommand options(const std::string& out = "split") const {
        SplitCommand command;
        command.layout = "mvtec";
        command.root = (folder_ / "set").string();
        command.type = "step";
        command.imbalance = 4;
        command.directory = folder_ / out;
        return command;
    }
    [[nodiscard]] static std::vector<std::string> order(const Split& split) {
        std::vector<std::string> names;
        for (const ClassSplit& c : split.classes) names.push_back(c.name);
        return names;
    }
    static void expect_usage_error(const SplitCommand& command, const std::string& says) {
        EXPECT_THAT([&] { (void)make(command); }, ThrowsMessage<UsageError>(HasSubstr(says)));
        EXPECT_FALSE(std::filesystem::exists(command.directory)) << "a refused command left something behind";
    }

    TemporaryFolder folder_;
    DatasetConfig config_;
};

TEST_F(SplitCommands, MakeFromOptions) {
    EXPECT_EQ(make(options()),
              "class  group   available  requested       kept\n"
              "bee    high           12         12         12\n"
              "cat    high            8         12          8\n"
              "dog    low             8          3          3\n"
              "ant    low             4          3          3\n"
              "all                   32         30         26\n"
              "26 training pictures, 16 test pictures\n");
    const Split split = read_split(folder_ / "split");
    EXPECT_EQ(split.seed, Config{}.seed);
    EXPECT_EQ(split.train.size(), 26u);
    EXPECT_EQ(split.test, list_dataset(config_).test);
    EXPECT_EQ(read_json(folder_ / "split/split.json").at("dataset").at("layout"), "mvtec");
}

TEST_F(SplitCommands, MakeTakesOrderReverseAndSeed) {
    SplitCommand command = options("alphabetical");
    command.order = "alphabetical";
    command.reverse = true;
    command.seed = 7;
    (void)make(command);
    Split split = read_split(command.directory);
    EXPECT_THAT(order(split), ElementsAre("dog", "cat", "bee", "ant"));
    EXPECT_TRUE(split.reverse);
    EXPECT_EQ(split.seed, 7);

    command = options("list");
    command.order = "cat,ant,dog,bee";
    command.type = "exp";
    (void)make(command);
    split = read_split(command.directory);
    EXPECT_THAT(order(split), ElementsAre("cat", "ant", "dog", "bee"));
    EXPECT_EQ(split.type, "exp");
    EXPECT_EQ(split.class_order.names, order(split));
}

TEST_F(SplitCommands, OptionsWinOverTheConfig) {
    write_json(folder_ / "config.json",
               {{"seed", 5},
                {"dataset", {{"layout", "mvtec"}, {"root", (folder_ / "set").string()}}},
                {"split", {{"type", "exp"}, {"imbalance_factor", 3}, {"class_order", "alphabetical"}}}});
    SplitCommand command;
    command.config_file = folder_ / "config.json";
    command.directory = folder_ / "plain";
    (void)make(command);
    Split split = read_split(command.directory);
    EXPECT_EQ(split.type, "exp");
    EXPECT_EQ(split.imbalance_factor, 3);
    EXPECT_EQ(split.seed, 5);
    EXPECT_THAT(order(split), ElementsAre("ant", "bee", "cat", "dog"));

    command.directory = folder_ / "overridden";
    command.imbalance = 2;
    command.order = "cardinality";
    command.overrides = {"split.type=step", "seed=6"};
    (void)make(command);
    split = read_split(command.directory);
    EXPECT_EQ(split.type, "step");
    EXPECT_EQ(split.imbalance_factor, 2);
    EXPECT_EQ(split.seed, 6);
    EXPECT_THAT(order(split), ElementsAre("bee", "cat", "dog", "ant"));
}

TEST_F(SplitCommands, MakeNeedsDatasetTypeAndFactor) {
    for (const auto& forget : std::vector<void (*)(SplitCommand&)>{
             [](SplitCommand& c) { c.layout.reset(); }, [](SplitCommand& c) { c.root.reset(); },
             [](SplitCommand& c) { c.type.reset(); }, [](SplitCommand& c) { c.imbalance.reset(); }}) {
        SplitCommand command = options();
        forget(command);
        expect_usage_error(command, "--layout, --root, --type and --imbalance are needed");
    }
}

TEST_F(SplitCommands, MakeNamesTheWrongOption) {
    const std::vector<std::pair<void (*)(SplitCommand&), std::string>> cases = {
        {[](SplitCommand& c) { c.imbalance = 0; }, "split.imbalance_factor: 0"},
        {[](SplitCommand& c) { c.imbalance = 0.5; }, "split.imbalance_factor: 0.5"},
        {[](SplitCommand& c) { c.imbalance = -3; }, "split.imbalance_factor: -3"},
        {[](SplitCommand& c) { c.imbalance = 1e300; }, "split.imbalance_factor"},
        {[](SplitCommand& c) { c.imbalance = std::numeric_limits<double>::infinity(); }, "split.imbalance_factor"},
        {[](SplitCommand& c) { c.type = "stairs"; }, "split.type: \"stairs\""},
        {[](SplitCommand& c) { c.layout = "coco"; }, "dataset.layout: \"coco\""},
        {[](SplitCommand& c) { c.root = ""; }, "dataset.root"},
        {[](SplitCommand& c) { c.seed = -1; }, "seed: -1"},
        {[](SplitCommand& c) { c.order = ""; }, "split.class_order"},
        {[](SplitCommand& c) { c.order = "size"; }, "'size' is not in the data set"},
        {[](SplitCommand& c) { c.order = "ant,bee,cat"; }, "'dog' is missing"},
        {[](SplitCommand& c) { c.order = "ant,bee,cat,dog,ant"; }, "'ant' is listed twice"},
        {[](SplitCommand& c) { c.overrides = {"split.tpye=exp"}; }, "did you mean split.type?"},
        {[](SplitCommand& c) { c.overrides = {"nonsense"}; }, "KEY=VALUE"},
        {[](SplitCommand& c) { c.config_file = "no-such-config.json"; }, "no-such-config.json"},
    };
    for (const auto& [change, says] : cases) {
        SCOPED_TRACE(says);
        SplitCommand command = options();
        change(command);
        expect_usage_error(command, says);
    }
}

TEST_F(SplitCommands, MakeNamesTheMissingDataSet) {
    SplitCommand command = options();
    command.root = (folder_ / "gone").string();
    EXPECT_THAT([&] { (void)make(command); }, ThrowsMessage<Error>(HasSubstr((folder_ / "gone").string())));
    EXPECT_FALSE(std::filesystem::exists(command.directory));
}

TEST_F(SplitCommands, AnExistingSplitIsNeverOverwritten) {
    (void)make(options());
    const std::string before = read_file(folder_ / "split/train.jsonl");
    SplitCommand command = options();
    command.seed = 99;
    const auto refused =
        ThrowsMessage<Error>(AllOf(HasSubstr((folder_ / "split").string()), HasSubstr("a split is there already")));
    EXPECT_THAT([&] { (void)make(command); }, refused);
    command.train = folder_ / "split/train.jsonl";
    command.test = folder_ / "split/test.jsonl";
    EXPECT_THAT([&] { (void)import(command); }, refused);
    EXPECT_EQ(read_file(folder_ / "split/train.jsonl"), before);
}

TEST_F(SplitCommands, ImportTakesOtherPeoplesLists) {
    (void)make(options());
    SplitCommand command;
    command.layout = "mvtec";
    command.root = (folder_ / "set").string();
    command.train = folder_ / "split/train.jsonl";
    command.test = folder_ / "split/test.jsonl";
    command.directory = folder_ / "imported";
    EXPECT_EQ(import(command),
              "class  group   available  requested       kept\n"
              "bee    high           12         12         12\n"
              "cat    high            8          8          8\n"
              "ant    low             3          3          3\n"
              "dog    low             3          3          3\n"
              "all                   26         26         26\n"
              "26 training pictures, 16 test pictures\n");
    const Split split = read_split(command.directory);
    EXPECT_EQ(split.type, "import");
    EXPECT_EQ(split.train, read_split(folder_ / "split").train);
    const json dataset = read_json(command.directory / "split.json").at("dataset");
    EXPECT_EQ(dataset.at("layout"), "mvtec");
    EXPECT_EQ(dataset.at("root"), (folder_ / "set").string());
    SplitCommand check;
    check.directory = command.directory;
    EXPECT_THAT(verify(check), HasSubstr("sound"));
}

TEST_F(SplitCommands, ImportNamesWhatIsWrong) {
    (void)make(options());
    SplitCommand command;
    command.layout = "mvtec";
    command.root = (folder_ / "set").string();
    command.train = folder_ / "split/train.jsonl";
    command.test = folder_ / "split/test.jsonl";
    command.directory = folder_ / "imported";
    const auto with = [&](void (*change)(SplitCommand&)) {
        SplitCommand changed = command;
        change(changed);
        return [changed] { (void)import(changed); };
    };
    EXPECT_THAT(with([](SplitCommand& c) { c.layout.reset(); }),
                ThrowsMessage<UsageError>(HasSubstr("--layout and --root")));
    EXPECT_THAT(with([](SplitCommand& c) { c.root.reset(); }),
                ThrowsMessage<UsageError>(HasSubstr("--layout and --root")));
    EXPECT_THAT(with([](SplitCommand& c) { c.train = "nowhere.jsonl"; }),
                ThrowsMessage<Error>(HasSubstr("nowhere.jsonl")));
    EXPECT_THAT(with([](SplitCommand& c) { c.root = "nowhere"; }), ThrowsMessage<Error>(HasSubstr("nowhere")));
    EXPECT_THROW(with([](SplitCommand& c) { c.train.clear(); })(), Error);

    put_file(folder_ / "bad.jsonl", "{\"filename\": 1}\n");
    command.train = folder_ / "bad.jsonl";
    EXPECT_THAT([&] { (void)import(command); },
                ThrowsMessage<Error>(HasSubstr((folder_ / "bad.jsonl").string() + ":1")));
    put_file(folder_ / "gone.jsonl", R"({"filename": "ant/train/good/999.png", "label": 0, "clsname": "ant"})");
    command.train = folder_ / "gone.jsonl";
    command.test = folder_ / "one.jsonl";
    put_file(folder_ / "one.jsonl", R"({"filename": "ant/test/good/000.png", "label": 0, "clsname": "ant"})");
    EXPECT_THAT([&] { (void)import(command); }, ThrowsMessage<Error>(HasSubstr("ant/train/good/999.png")));
    EXPECT_FALSE(std::filesystem::exists(command.directory));
}

TEST_F(SplitCommands, ImportedListsAreNotOverwritten) {
    (void)make(options());
    make_directories(folder_ / "lists");
    for (const char* name : {"train.jsonl", "test.jsonl"})
        std::filesystem::copy_file(folder_ / "split" / name, folder_ / "lists" / name);
    put_file(folder_ / "lists/train.jsonl", "\n" + read_file(folder_ / "lists/train.jsonl"));  // a person's own form
    const std::string before = read_file(folder_ / "lists/train.jsonl");
    SplitCommand command;
    command.layout = "mvtec";
    command.root = (folder_ / "set").string();
    command.train = folder_ / "lists/train.jsonl";
    command.test = folder_ / "lists/test.jsonl";
    command.directory = folder_ / "lists";
    EXPECT_THAT([&] { (void)import(command); },
                ThrowsMessage<UsageError>(
                    AllOf(HasSubstr("--out"), HasSubstr("train.jsonl"), HasSubstr("a list of the data set"))));
    EXPECT_EQ(read_file(folder_ / "lists/train.jsonl"), before);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "lists/split.json"));

    // The same lists by way of a config.
    SplitCommand drawn = options("lists");
    drawn.layout = "jsonl";
    drawn.overrides = {"dataset.train=" + command.train.string(), "dataset.test=" + command.test.string()};
    EXPECT_THAT([&] { (void)make(drawn); }, ThrowsMessage<UsageError>(HasSubstr("a list of the data set")));
    EXPECT_EQ(read_file(folder_ / "lists/train.jsonl"), before);
    drawn.directory = folder_ / "elsewhere";
    EXPECT_NO_THROW((void)make(drawn));
}

TEST_F(SplitCommands, ATerminalGetsNothingToActOn) {
    std::filesystem::rename(folder_ / "set/ant", folder_ / "set/a\x1b[2Jnt");
    const std::string shown = make(options());
    EXPECT_THAT(shown, HasSubstr("a\\x1b[2Jnt"));
    EXPECT_EQ(shown.find('\x1b'), std::string::npos);
}

TEST_F(SplitCommands, ImportRefusesAnUnknownLayout) {
    (void)make(options());
    SplitCommand command;
    command.layout = "coco";
    command.root = (folder_ / "set").string();
    command.train = folder_ / "split/train.jsonl";
    command.test = folder_ / "split/test.jsonl";
    command.directory = folder_ / "imported";
    EXPECT_THAT([&] { (void)import(command); }, ThrowsMessage<UsageError>(HasSubstr("coco")));
}

TEST_F(SplitCommands, VerifySaysSoundOrHowManyProblems) {
    (void)make(options());
    SplitCommand command;
    command.directory = folder_ / "split";
    EXPECT_THAT(verify(command), AllOf(HasSubstr("sound"), HasSubstr("26 training and 16 test pictures")));

    std::filesystem::rename(folder_ / "set", folder_ / "moved");
    command.root = (folder_ / "moved").string();
    EXPECT_THAT(verify(command), HasSubstr("sound"));

    std::filesystem::remove(folder_ / "moved/ant/test/good/000.png");
    put_file(folder_ / "moved/bee/test/good/000.png", "not a picture");
    testing::internal::CaptureStderr();
    EXPECT_THAT([&] { (void)verify(command); },
                ThrowsMessage<Error>(AllOf(HasSubstr(command.directory.string()), HasSubstr("2 problems"))));
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr("ant/test/good/000.png"), HasSubstr("bee/test/good/000.png")));
}

TEST_F(SplitCommands, VerifyNamesTheChangedList) {
    (void)make(options());
    append_to_file(folder_ / "split/test.jsonl", "\n");
    SplitCommand command;
    command.directory = folder_ / "split";
    EXPECT_THAT([&] { (void)verify(command); },
                ThrowsMessage<Error>(HasSubstr((folder_ / "split/test.jsonl").string())));
    command.directory = folder_ / "set";
    EXPECT_THAT([&] { (void)verify(command); }, ThrowsMessage<Error>(HasSubstr("no split.json")));
}

}  // namespace
}  // namespace ltad
