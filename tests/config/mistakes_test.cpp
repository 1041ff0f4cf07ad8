#include "config/load_config.h"

#include <tuple>

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(LoadConfig, AllMistakesAreReportedAtOnce) {
    const auto file = put("bad.json", std::string(R"({
        "dataset": {"root": "data", "layout": "mvtek"},
        "phase1": {"epoch": 10, "learning_rate": -1},
        "phase2": {"real_probability": 1.5},
        "semantic": {"normalize_text": "yes"}})"));
    const std::string said = complaint(file, {"reconstruction.heads=0"});
    EXPECT_THAT(said, HasSubstr(file.string() + ": 6 mistakes\n"));
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 6) << said;
    const std::string in = ", in " + file.string();
    EXPECT_THAT(line_about(said, "dataset.layout"),
                AllOf(HasSubstr("\"mvtek\""), HasSubstr("\"mvtec\", \"visa\", \"dagm\", \"jsonl\""), HasSubstr(in)));
    EXPECT_THAT(line_about(said, "phase1.epoch"),
                AllOf(HasSubstr("no such key (set to 10); did you mean phase1.epochs?"), HasSubstr(in)));
    EXPECT_THAT(line_about(said, "phase1.learning_rate"),
                AllOf(HasSubstr("-1"), HasSubstr("a number above 0"), HasSubstr(in)));
    EXPECT_THAT(line_about(said, "phase2.real_probability"),
                AllOf(HasSubstr("1.5"), HasSubstr("from 0 to 1"), HasSubstr(in)));
    EXPECT_THAT(line_about(said, "semantic.normalize_text"),
                AllOf(HasSubstr("\"yes\""), HasSubstr("true or false"), HasSubstr(in)));
    EXPECT_THAT(line_about(said, "reconstruction.heads"),
                AllOf(HasSubstr("0"), HasSubstr("from 1 to 1024"), HasSubstr("in --set")));
}

TEST_F(LoadConfig, AFileThatCannotBeReadIsNoMistakeOfItsWriter) {
    // Status 1, not 2: the disk fails, not the config. Reading this one fails with EIO, whoever asks.
    const std::filesystem::path unreadable = "/proc/self/mem";
    const auto extending = put("top.json", json{{"extends", unreadable.string()}});
    for (const auto& file : {unreadable, extending}) {
        try {
            (void)load_config(file, {});
            FAIL();
        } catch (const UsageError& error) {
            FAIL() << error.what();
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("cannot read /proc/self/mem"));
        }
    }
    EXPECT_THROW((void)load_config(folder_ / "none.json", {}), UsageError);
    EXPECT_THROW((void)load_config(folder_.path(), {}), UsageError);
    EXPECT_THROW((void)load_config(put("bad.json", std::string("{")), {}), UsageError);
}

TEST_F(LoadConfig, AMistakeNamesTheFileThatMadeIt) {
    const auto base = put("base.json", json{{"phase1", {{"epochs", 0}}}, {"bogus", 1}});
    const auto file = put("top.json", json{{"extends", "base.json"}, {"dataset", {{"root", "data"}}}, {"seed", -1}});
    const std::string said = complaint(file);
    EXPECT_THAT(line_about(said, "phase1.epochs"), HasSubstr(base.string()));
    EXPECT_THAT(line_about(said, "bogus"), HasSubstr(base.string()));
    EXPECT_THAT(line_about(said, "seed"), HasSubstr(file.string()));
}

TEST_F(LoadConfig, OneMistakeIsReportedOnce) {
    EXPECT_THAT(complaint_about("dataset.root", 5), HasSubstr(": 1 mistake\n"));
    EXPECT_THAT(complaint_about("encoder.path", 5), HasSubstr(": 1 mistake\n"));
    EXPECT_THAT(complaint_about("reconstruction.neighbor_size", 256), HasSubstr(": 1 mistake\n"));
    EXPECT_THAT(complaint_about("phase1", 7), HasSubstr(": 1 mistake\n"));
}

TEST_F(LoadConfig, AMistakeBetweenFieldsNamesItsFileToo) {
    const auto base =
        put("base.json", json{{"dataset", {{"root", "data"}}}, {"reconstruction", {{"neighbor_size", 6}}}});
    const auto file = put("top.json", json{{"extends", "base.json"}});
    EXPECT_THAT(line_about(complaint(file), "reconstruction.neighbor_size"), HasSubstr(base.string()));
    EXPECT_THAT(line_about(complaint(put("good.json", json{{"dataset", {{"root", "data"}}}}), {"name=a/b"}), "name"),
                HasSubstr("--set"));
}

TEST_F(LoadConfig, WrongTypesAndRangesOfEveryKindOfField) {
    const std::tuple<std::string, std::vector<json>, std::string> cases[] = {
        {"phase1.epochs",
         {0, -1, 1.5, 1e12, 2147483648u, UINT64_MAX, "5", true, json::array(), json::array({5})},
         "a whole number from 1 to"},
        {"seed", {-1, 1.5, 1e300, UINT64_MAX, "auto", false}, "a whole number from 0 to 9223372036854775807"},
        {"dataset.image_size", {31, 4097, 0}, "from 32 to 4096"},
        {"dataset.bits", {-1, 17}, "from 0 to 16"},
        {"phase1.learning_rate", {0, 0.0, -1e-9, "1e-4", true, json::array()}, "a number above 0"},
        {"phase1.kl_weight", {-0.1, "small"}, "a number from 0"},
        {"phase2.real_probability", {-0.01, 1.01, 2, "half"}, "a number from 0 to 1"},
        {"split.imbalance_factor", {0, 0.5, 0.999, -100, 1e300, "100"}, "a number from 1 to"},
        {"reconstruction.dropout", {1, 0.96, -0.1}, "a number from 0 to 0.95"},
        {"split.reverse", {0, 1, "true", json::array()}, "true or false"},
        {"name", {5, true, json::array({"x"})}, "a string"},
        {"device", {"gpu", "CPU", "", 0}, "\"auto\", \"cpu\", \"cuda\""},
        {"split.class_order",
         {"random", "", 3, json::array(), json::array({1, 2}), json::array({"a", 2})},
         "\"cardinality\", \"alphabetical\" or a list of class names"},
        {"encoder.taps",
         {"all", 3, json::array(), json::array({3, 3}), json::array({5, 3}), json::array({-1, 3}), json::array({1.5}),
          json::array({"3"}), json::array({UINT64_MAX})},
         "\"auto\" or increasing block indices"},
        {"scoring.lambda", {"automatic", -1, true, json::array()}, "\"auto\" or a number from 0"},
    };
    for (const auto& [key, values, allowed] : cases)
        for (const json& value : values)
            EXPECT_THAT(line_about(complaint_about(key, value), key),
                        AllOf(HasSubstr(value.dump() + " is not allowed"), HasSubstr(allowed), HasSubstr("one.json")))
                << value;
}

TEST_F(LoadConfig, NullAndSectionsAreNoValuesForAnyKey) {
    for (const std::string& key : config_keys()) {
        EXPECT_THAT(complaint_with({key + "=null"}), HasSubstr(key + ": null is not allowed"));
        EXPECT_THAT(complaint_with({key + R"(={"a": 1})"}), HasSubstr(key)) << key;
        EXPECT_THAT(complaint_with({key + "={}"}), HasSubstr(key + ": {} is not allowed"));
    }
}

TEST_F(LoadConfig, NumbersAtTheEdges) {
    EXPECT_EQ(with({"phase1.epochs=2147483647"}).phase1.epochs, 2147483647);
    EXPECT_EQ(with({"phase1.epochs=2.0"}).phase1.epochs, 2);
    EXPECT_EQ(with({"seed=0"}).seed, 0);
    EXPECT_EQ(with({"split.imbalance_factor=1"}).split.imbalance_factor, 1);
    EXPECT_EQ(with({"phase2.real_probability=0"}).phase2.real_probability, 0);
    EXPECT_EQ(with({"phase2.real_probability=1"}).phase2.real_probability, 1);
    EXPECT_EQ(with({"scoring.lambda=0"}).scoring.lambda, 0);
    EXPECT_EQ(with({"phase1.learning_rate=1"}).phase1.learning_rate, 1);
    for (const std::string word : {"NaN", "nan", "inf", "Infinity", "1e999", "-1e999", "0x10", "1,5"}) {
        EXPECT_THAT(complaint_with({"phase1.learning_rate=" + word}), HasSubstr("phase1.learning_rate: ")) << word;
        EXPECT_THAT(complaint_with({"phase1.epochs=" + word}), HasSubstr("phase1.epochs: ")) << word;
        EXPECT_THAT(complaint_with({"scoring.lambda=" + word}), HasSubstr("scoring.lambda: ")) << word;
    }
}

TEST_F(LoadConfig, ClassOrderIsAWordOrNames) {
    EXPECT_EQ(with({"split.class_order=alphabetical"}).split.class_order.kind, "alphabetical");
    const Config c = with({R"(split.class_order=["screw", "bottle", "cardinality"])"});
    EXPECT_THAT(c.split.class_order.names, ElementsAre("screw", "bottle", "cardinality"));
    // Names of a lower layer do not stay behind a word.
    const auto file = put("a.json", json{{"dataset", {{"root", "data"}}}, {"split", {{"class_order", {"a", "b"}}}}});
    EXPECT_THAT(load_config(file, {"split.class_order=cardinality"}).split.class_order.names, IsEmpty());
}

TEST_F(LoadConfig, FieldsMustFitTogether) {
    const std::tuple<std::vector<std::string>, std::string, std::string> cases[] = {
        {{"reconstruction.neighbor_size=6"}, "reconstruction.neighbor_size", "6 is even"},
        {{"reconstruction.neighbor_size=15"}, "reconstruction.neighbor_size", "middle of a grid of 14"},  // grid 14
        {{"reconstruction.neighbor_size=7", "encoder.grid=4"}, "reconstruction.neighbor_size", "middle of a grid of 4"},
        {{"reconstruction.hidden_dim=100"}, "reconstruction.hidden_dim", "not divisible by reconstruction.heads = 8"},
        {{"reconstruction.hidden_dim=15", "reconstruction.heads=3"}, "reconstruction.hidden_dim", "odd"},
        {{"scoring.image_pooling=300"}, "scoring.image_pooling", "larger than scoring.map_size = 224"},
        {{"name="}, "name", "not allowed"},
        {{"name=a/b"}, "name", "'a/b' is not allowed"},
        {{"name=.."}, "name", "'..' is not allowed"},
        {{"name=."}, "name", "'.' is not allowed"},
        {{"name=a\tb"}, "name", "not allowed"},
        {{"prompts.init="}, "prompts.init", "not allowed"},
        {{"encoder.path="}, "encoder.path", "not allowed"},
        {{"features.path="}, "features.path", "not allowed"},
        {{"dataset.root="}, "dataset.root", "missing"},
        {{"dataset.bits=7"}, "dataset.bits", "8 to 16"},
        {{"dataset.layout=jsonl", "dataset.train=t.jsonl"}, "dataset.train, dataset.test", "needs both lists"},
    };
    for (const auto& [overrides, key, expected] : cases)
        EXPECT_THAT(line_about(complaint_with(overrides), key), HasSubstr(expected)) << overrides.front();
    EXPECT_THAT(complaint(std::filesystem::path()), HasSubstr("dataset.root")) << "the one key without a default";

    EXPECT_EQ(with({"reconstruction.neighbor_size=13"}).reconstruction.neighbor_size, 13);
    EXPECT_EQ(with({"reconstruction.neighbor_size=3", "encoder.grid=4"}).grid(), 4);
    EXPECT_EQ(with({"reconstruction.neighbor_size=0", "encoder.grid=1"}).grid(), 1);
    EXPECT_EQ(with({"scoring.image_pooling=224"}).scoring.image_pooling, 224);
    EXPECT_EQ(with({"dataset.layout=jsonl", "dataset.train=t", "dataset.test=u"}).dataset.test, "u");
}

TEST_F(LoadConfig, UnknownKeysNameTheNearestKnownOne) {
    const std::pair<std::string, std::string> cases[] = {
        {"sede", "seed"},
        {"phase1.lerning_rate", "phase1.learning_rate"},
        {"scoring.lamda", "scoring.lambda"},
        {"semantic.normalise_text", "semantic.normalize_text"},
        {"reconstruction.neighbour_size", "reconstruction.neighbor_size"},
        {"phase_2.epochs", "phase2.epochs"},
        {"dataset.imagesize", "dataset.image_size"},
        {"image_size", "dataset.image_size"},  // right word, wrong place
        {"encoder.neighbor_size", "reconstruction.neighbor_size"},
    };
    for (const auto& [wrong, right] : cases)
        EXPECT_THAT(line_about(complaint_about(wrong, 1), wrong),
                    HasSubstr("no such key (set to 1); did you mean " + right + "?"));
    EXPECT_THAT(line_about(complaint_about("colour_of_the_sky", "blue"), "colour_of_the_sky"),
                AllOf(HasSubstr("no such key"), Not(HasSubstr("did you mean"))));
    EXPECT_THAT(complaint_about("colours", json{{"sky", "blue"}, {"sea", {{"north", "grey"}}}}),
                AllOf(HasSubstr("2 mistakes"), HasSubstr("colours.sky: no such key"),
                      HasSubstr("colours.sea.north: no such key")));
    EXPECT_THAT(complaint_about("colours", json::object()), Not(IsEmpty()))
        << "an empty unknown section is a mistake, too";
}

TEST_F(LoadConfig, ASectionMustBeASection) {
    for (const json& value : {json(7), json("x"), json(true), json::array({1}), json(nullptr)})
        EXPECT_THAT(line_about(complaint_about("phase1", value), "phase1"),
                    AllOf(HasSubstr(value.dump() + " is not allowed (a section"), HasSubstr("one.json")));
    EXPECT_EQ(complaint_about("phase1", json::object()), "");
}

TEST_F(LoadConfig, FlippedBytesNeverDoWorseThanAUsageError) {
    json document = json::object();
    for (const auto& [key, value] : other_values()) document.merge_patch(nested(key, value));
    const std::string whole = document.dump();
    int accepted = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ (at % 8 == 7 ? 0x80 : 1 << at % 3));
        const auto file = put("a.json", bytes);
        const std::string said = complaint(file);  // anything but UsageError ends the test
        if (said.empty())
            ++accepted;
        else
            ASSERT_THAT(said, HasSubstr(file.string()));
    }
    EXPECT_GT(accepted, 0) << "names and numbers may change";
}

}  // namespace
}  // namespace ltad::test
