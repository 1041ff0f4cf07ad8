#include "config/load_config.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(LoadConfig, LayersCountFromTheBaseUp) {
    put("base.json", json{{"name", "base"},
                          {"seed", 1},
                          {"dataset", {{"root", "data"}, {"image_size", 448}}},
                          {"phase1", {{"epochs", 1}, {"batch_size", 2}}},
                          {"encoder", {{"taps", {1, 2, 3}}}}});
    put("deep/middle.json",
        json{{"extends", "../base.json"}, {"seed", 2}, {"phase1", {{"epochs", 2}}}, {"encoder", {{"taps", {5}}}}});
    const auto top =
        put("deep/er/top.json", json{{"extends", "../middle.json"}, {"seed", 3}, {"phase1", json::object()}});
    const Config c = load_config(top, {"seed=4", "phase1.learning_rate=0.5", "seed=5"});
    EXPECT_EQ(c.name, "base");
    EXPECT_EQ(c.seed, 5) << "the last --set wins";
    EXPECT_EQ(c.dataset.image_size, 448);
    EXPECT_EQ(c.phase1.epochs, 2);
    EXPECT_EQ(c.phase1.batch_size, 2) << "sections are merged";
    EXPECT_EQ(c.phase1.learning_rate, 0.5);
    EXPECT_EQ(c.phase2.epochs, 500);
    EXPECT_THAT(c.encoder.taps, ElementsAre(5)) << "lists are replaced";
    EXPECT_EQ(load_config(top, {}).seed, 3);
    // An absolute path needs no folder to start from.
    EXPECT_EQ(load_config(put("else/where.json", json{{"extends", top.string()}}), {}).seed, 3);
}

TEST_F(LoadConfig, ABaseMayBeIncompleteAndAMistakeOfItMayBeMended) {
    put("base.json", json{{"phase1", {{"epochs", -1}}}});
    const auto file =
        put("a.json", json{{"extends", "base.json"}, {"dataset", {{"root", "data"}}}, {"phase1", {{"epochs", 4}}}});
    EXPECT_EQ(load_config(file, {}).phase1.epochs, 4);
    put("base.json", json{{"phase1", 7}});
    EXPECT_EQ(load_config(file, {}).phase1.epochs, 4);
    put("base.json", json{{"phase1", {{"epoch", 7}}}});
    EXPECT_THAT(complaint(file), AllOf(HasSubstr("phase1.epoch: no such key"), HasSubstr("base.json")));
}

TEST_F(LoadConfig, AWrongChainOfFilesIsNamed) {
    const auto one = put("one.json", json{{"extends", "two.json"}});
    const auto two = put("two.json", json{{"extends", "sub/../one.json"}});
    std::filesystem::create_directory(folder_ / "sub");
    EXPECT_THAT(complaint(one), AllOf(HasSubstr("circle"), HasSubstr("one.json")));
    EXPECT_THAT(complaint(two), HasSubstr("circle"));
    EXPECT_THAT(complaint(put("self.json", json{{"extends", "self.json"}})),
                AllOf(HasSubstr("circle"), HasSubstr("self.json")));
    EXPECT_THAT(complaint(put("a.json", json{{"extends", "none.json"}})), HasSubstr((folder_ / "none.json").string()));
    for (const json& wrong : {json(7), json(nullptr), json::array({"base.json"}), json::object()})
        EXPECT_THAT(complaint(put("a.json", json{{"extends", wrong}})),
                    AllOf(HasSubstr((folder_ / "a.json").string()), HasSubstr("extends")));
    EXPECT_THAT(complaint(folder_ / "nowhere.json"),
                HasSubstr("no config file " + (folder_ / "nowhere.json").string()));
    EXPECT_THAT(complaint(folder_.path()), HasSubstr("no config file " + folder_.path().string()));
}

TEST_F(LoadConfig, AFileThatIsNoJsonObjectIsAUsageError) {
    for (const std::string content :
         {"", "{", "[]", "7", "{'name': 1}", "{\"name\": NaN}", "{\"seed\": 1e999}", "{\"name\": \"\xff\"}"}) {
        const auto file = put("a.json", content);
        EXPECT_THAT(complaint(file), HasSubstr(file.string())) << content;
    }
    EXPECT_THAT(complaint(put("a.json", std::string("{\n\"name\": x}"))), HasSubstr("line 2"));
}

TEST_F(LoadConfig, SetTakesJsonAndBareWords) {
    EXPECT_EQ(with({"phase2.sampling=class_aware"}).phase2.sampling, "class_aware");
    EXPECT_EQ(with({"phase2.sampling=\"class_aware\""}).phase2.sampling, "class_aware");
    EXPECT_THAT(with({"prompts.abnormal=a damaged"}).prompts.abnormal, ElementsAre("a damaged"));
    EXPECT_THAT(with({"prompts.abnormal=[\"a broken\", \"a bad\"]"}).prompts.abnormal,
                ElementsAre("a broken", "a bad"));
    EXPECT_EQ(with({"output=a=b/c.d"}).output, "a=b/c.d") << "only the first = and the key's dots count";
    EXPECT_EQ(with({"output=x", "output="}).output, "");
    EXPECT_EQ(with({"output=\"123\""}).output, "123");
    EXPECT_EQ(with({"split.reverse=true"}).split.reverse, true);
    EXPECT_EQ(with({"phase1.learning_rate=3e-5"}).phase1.learning_rate, 3e-5);
    EXPECT_EQ(with({"phase1.epochs=1e3"}).phase1.epochs, 1000);
    EXPECT_THAT(with({"encoder.taps=[1, 5]"}).encoder.taps, ElementsAre(1, 5));
    EXPECT_THAT(with({"encoder.taps=[1]", "encoder.taps=auto"}).encoder.taps, IsEmpty());
    EXPECT_EQ(with({"scoring.lambda=400"}).scoring.lambda, 400);
    EXPECT_EQ(with({"scoring.lambda=400", "scoring.lambda=auto"}).scoring.lambda, std::nullopt);
    const Config section = with({R"(phase1={"epochs": 3, "batch_size": 4})", "phase1.batch_size=5"});
    EXPECT_EQ(section.phase1.epochs, 3);
    EXPECT_EQ(section.phase1.batch_size, 5);
}

TEST_F(LoadConfig, AWrongSetIsNamed) {
    for (const std::string wrong : {"phase1.epochs", "=5", "", "phase1.epochs 5"})
        EXPECT_THAT(complaint_with({wrong}), AllOf(HasSubstr("--set " + wrong), HasSubstr("KEY=VALUE"))) << wrong;
    const std::pair<std::string, std::string> cases[] = {
        {"phase1.epochs=ten", "phase1.epochs: \"ten\" is not allowed"},
        {"phase1.epochs=", "phase1.epochs: \"\" is not allowed"},
        {"phase1.epoch=5", "did you mean phase1.epochs?"},
        {"phase1.epochs.x=5", "phase1.epochs.x: no such key"},
        {"phase1..epochs=5", "no such key"},
        {"phase1.=5", "no such key"},
        {".phase1=5", "no such key"},
        {".=5", "no such key"},
        {"extends=base.json", "extends: no such key"},
        {"phase1=5", "phase1: 5 is not allowed (a section"},
    };
    for (const auto& [set, expected] : cases)
        EXPECT_THAT(complaint_with({set}), AllOf(HasSubstr(expected), HasSubstr("in --set"))) << set;
}

TEST_F(LoadConfig, SettingsThatAreNotUtf8AreAUsageError) {
    // A terminal in Latin-1, say. JSON, in which they are reported and kept, is UTF-8.
    EXPECT_THROW((void)with({"device=gr\xfcn"}), UsageError);
    EXPECT_THROW((void)with({"output=gr\xfcn"}), UsageError)
        << "accepted, it could not be written to the run's config.json";
    EXPECT_THROW((void)with({"gr\xfcn=1"}), UsageError);
}

TEST_F(LoadConfig, AnEmptyKeyIsUnknownAndDisturbsNoOther) {
    const auto base =
        put("base.json", json{{"name", "base"}, {"phase1", json::object()}, {"dataset", {{"root", "data"}}}});
    const auto file = put("a.json", json{{"extends", "base.json"}, {"", 1}});
    const auto load = [&] {
        const std::string said = complaint(file);
        // One mistake, and no other comes from settings that were lost.
        std::_Exit(
            said.find(": 1 mistake\n") != std::string::npos && said.find("no such key") != std::string::npos ? 0 : 1);
    };
    EXPECT_EXIT(load(), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ltad::test
