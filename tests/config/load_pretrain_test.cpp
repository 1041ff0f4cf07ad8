#include "ltad/config/load.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

json::json_pointer pointer(std::string key) {
    std::replace(key.begin(), key.end(), '.', '/');
    return json::json_pointer("/" + key);
}

/// "a.b" for every value of {"a": {"b": …}}.
std::vector<std::string> keys_of(const json& document) {
    std::vector<std::string> keys;
    const json flat = document.flatten();
    for (const auto& [path, value] : flat.items()) {
        std::string key = path.substr(1);
        std::replace(key.begin(), key.end(), '/', '.');
        keys.push_back(key);
    }
    return keys;
}

/// What is said about the settings; "" where nothing is wrong with them.
std::string complaint(const std::vector<std::string>& overrides, const std::filesystem::path& file = {}) {
    try {
        (void)load_pretrain_config(file, overrides);
        return "";
    } catch (const UsageError& error) {
        return error.what();
    }
}

/// Another allowed value than the default for every key there is.
const std::vector<std::pair<std::string, json>> other_values = {
    {"name", "ü \"x\""},
    {"seed", std::numeric_limits<std::int64_t>::max()},
    {"device", "cpu"},
    {"threads", 2},
    {"checkpoint_seconds", 0.5},
    {"model", "/models/with space"},
    {"pairs.list", "pairs.jsonl"},
    {"pairs.count", 400},
    {"pairs.image_size", 448},
    {"pairs.held_out_every", 2},
    {"contrastive.image_tower", "trained"},
    {"contrastive.text_tower", "low_rank"},
    {"contrastive.rank", 16},
    {"contrastive.epochs", 1},
    {"contrastive.batch_size", 64},
    {"contrastive.learning_rate", 0.1 + 0.2},
    {"contrastive.warmup_steps", 0},
    {"contrastive.weight_decay", 0.0},
    {"contrastive.label_smoothing", 0.9},
    {"contrastive.temperature", 1.0 / 3},
    {"held_out.every", 2},
    {"held_out.pairs", 200},
    {"held_out.pictures_per_class", 1},
    {"output", "out/put"},
};

json document_of_other_values() {
    json document = json::object();
    for (const auto& [key, value] : other_values) document[pointer(key)] = value;
    return document;
}

TEST(LoadPretrainConfig, DefaultsAreTheStructs) {
    const PretrainConfig c = load_pretrain_config({}, {});
    EXPECT_EQ(to_json(c), to_json(PretrainConfig()));
    EXPECT_EQ(c.contrastive.image_tower, "frozen");
    EXPECT_EQ(c.contrastive.text_tower, "frozen");
    EXPECT_EQ(c.output_path(), "runs/pretrain");
    EXPECT_EQ(load_pretrain_config({}, {"name=x"}).output_path(), "runs/x");
    EXPECT_EQ(load_pretrain_config({}, {"name=x", "output=elsewhere"}).output_path(), "elsewhere");
}

TEST(LoadPretrainConfig, EveryKeySurvivesWritingAndReading) {
    const test::TemporaryFolder folder;
    const json document = document_of_other_values();
    const json defaults = to_json(PretrainConfig());
    EXPECT_EQ(keys_of(defaults), keys_of(document)) << "a new key belongs into other_values, too";
    write_json(folder / "first.json", document);
    const PretrainConfig first = load_pretrain_config(folder / "first.json", {});
    EXPECT_EQ(to_json(first), document);
    write_json(folder / "second.json", to_json(first));
    const PretrainConfig second = load_pretrain_config(folder / "second.json", {});
    EXPECT_EQ(to_json(second), document);
    for (const auto& [key, value] : other_values) EXPECT_NE(defaults.at(pointer(key)), value) << key;
    EXPECT_EQ(second.contrastive.learning_rate, 0.1 + 0.2) << "to the last bit";
    EXPECT_EQ(second.seed, std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(second.pairs.held_out_every, 2);
    EXPECT_EQ(second.held_out.every, 2);
}

TEST(LoadPretrainConfig, EveryKeyCanBeSet) {
    for (const auto& [key, value] : other_values) {
        const PretrainConfig c = load_pretrain_config({}, {key + "=" + value.dump()});
        json expected = to_json(PretrainConfig());
        expected[pointer(key)] = value;
        EXPECT_EQ(to_json(c), expected) << key;
    }
}

TEST(LoadPretrainConfig, UnknownKeysAreNamedWithTheNearest) {
    const std::vector<std::tuple<const char*, const char*, const char*>> mistakes = {
        {"contrastive.learning_rte=1", "contrastive.learning_rte: no such key", "contrastive.learning_rate?"},
        {"epochs=3", "epochs: no such key", "contrastive.epochs?"},
        {"pairs.size=64", "pairs.size: no such key", ", in --set"},
        {"held_out.pair=64", "held_out.pair: no such key", "held_out.pairs?"},
        {"phase1.batch_size=8", "phase1.batch_size: no such key", "contrastive.batch_size?"},
    };
    for (const auto& [setting, key, nearest] : mistakes)
        EXPECT_THAT(complaint({setting}), AllOf(HasSubstr(key), HasSubstr(nearest))) << setting;
}

TEST(LoadPretrainConfig, ValuesOutOfRangeNameKeyValueAndRange) {
    const std::vector<std::vector<const char*>> mistakes = {
        {"seed=-1", "seed: -1", "from 0"},
        {"device=gpu", "device: \"gpu\"", "\"cuda\""},
        {"threads=4097", "threads: 4097", "4096"},
        {"checkpoint_seconds=-1", "checkpoint_seconds: -1", "from 0"},
        {"pairs.count=1", "pairs.count: 1", "from 2"},
        {"pairs.image_size=31", "pairs.image_size: 31", "from 32 to 4096"},
        {"pairs.held_out_every=1", "pairs.held_out_every: 1", "from 2"},
        {"contrastive.image_tower=low_rank", "contrastive.image_tower: \"low_rank\"", "\"frozen\", \"trained\""},
        {"contrastive.text_tower=lora", "contrastive.text_tower: \"lora\"", "\"low_rank\""},
        {"contrastive.rank=0", "contrastive.rank: 0", "from 1"},
        {"contrastive.epochs=0", "contrastive.epochs: 0", "from 1"},
        {"contrastive.epochs=1.5", "contrastive.epochs: 1.5", "a whole number"},
        {"contrastive.batch_size=1", "contrastive.batch_size: 1", "from 2"},
        {"contrastive.learning_rate=0", "contrastive.learning_rate: 0", "above 0"},
        {"contrastive.learning_rate=fast", "contrastive.learning_rate: \"fast\"", "a number"},
        {"contrastive.warmup_steps=-1", "contrastive.warmup_steps: -1", "from 0"},
        {"contrastive.weight_decay=-0.1", "contrastive.weight_decay: -0.1", "from 0"},
        {"contrastive.label_smoothing=0.91", "contrastive.label_smoothing: 0.91", "to 0.9"},
        {"contrastive.temperature=0", "contrastive.temperature: 0", "to 10"},
        {"held_out.every=0", "held_out.every: 0", "from 1"},
        {"held_out.pairs=1", "held_out.pairs: 1", "from 2"},
        {"held_out.pictures_per_class=0", "held_out.pictures_per_class: 0", "from 1"},
        {"contrastive=3", "contrastive: 3", "a section"},
    };
    for (const auto& mistake : mistakes)
        EXPECT_THAT(complaint({mistake[0]}),
                    AllOf(HasSubstr("1 mistake\n"), HasSubstr(mistake[1]), HasSubstr(mistake[2])));
}

TEST(LoadPretrainConfig, RulesBetweenKeysAreChecked) {
    EXPECT_THAT(complaint({"pairs.count=100", "contrastive.batch_size=101"}),
                AllOf(HasSubstr("pairs.count: 100"), HasSubstr("contrastive.batch_size = 101"), HasSubstr("--set")));
    EXPECT_EQ(complaint({"pairs.count=100", "contrastive.batch_size=100"}), "");
    EXPECT_EQ(complaint({"pairs.count=100", "contrastive.batch_size=101", "pairs.list=own.jsonl"}), "")
        << "a list has a length of its own";
    EXPECT_THAT(complaint({"name=a/b"}), HasSubstr("name: 'a/b'"));
    EXPECT_THAT(complaint({"name="}), HasSubstr("name: ''"));
    EXPECT_THAT(complaint({"model="}), HasSubstr("model: ''"));
    EXPECT_THAT(complaint({"contrastive.batch_size=0", "pairs.count=1"}),
                AllOf(HasSubstr("2 mistakes"), Not(HasSubstr("at least contrastive.batch_size"))));
}

TEST(LoadPretrainConfig, AllMistakesAreListedWithTheirFile) {
    const test::TemporaryFolder folder;
    write_json(folder / "base.json", {{"contrastive", {{"rank", 0}}}, {"seed", 7}});
    write_json(folder / "top.json",
               {{"extends", "base.json"}, {"pairs", {{"count", "many"}, {"kind", 1}}}, {"held_out", {{"every", 3}}}});
    EXPECT_THAT(complaint({"threads=-1"}, folder / "top.json"),
                AllOf(HasSubstr("4 mistakes"), HasSubstr("contrastive.rank: 0"), HasSubstr("base.json"),
                      HasSubstr("pairs.count: \"many\""), HasSubstr("pairs.kind: no such key"), HasSubstr("top.json"),
                      HasSubstr("threads: -1")));
    write_json(folder / "top.json", {{"extends", "base.json"}, {"pairs", {{"count", 300}}}});
    const PretrainConfig mended = load_pretrain_config(folder / "top.json", {"contrastive.rank=2"});
    EXPECT_EQ(mended.contrastive.rank, 2);
    EXPECT_EQ(mended.pairs.count, 300);
    EXPECT_EQ(mended.seed, 7);
}

TEST(LoadPretrainConfig, ARunsRecordOfTheProgramIsNoSetting) {
    const test::TemporaryFolder folder;
    json document = to_json(PretrainConfig());
    document["program"] = {{"version", "0.1.0"}, {"revision", "abc"}};
    write_json(folder / "config.json", document);
    EXPECT_EQ(to_json(load_pretrain_config(folder / "config.json", {})), to_json(PretrainConfig()));
}

}  // namespace
}  // namespace ltad
