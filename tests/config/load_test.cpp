#include "ltad/config/load.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::ThrowsMessage;

/// The value at a dotted key.
json at(json document, const std::string& key) {
    std::string pointer = "/" + key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    return document.at(json::json_pointer(pointer));
}

/// {"a": {"b": value}} for "a.b".
json nested(const std::string& key, const json& value) {
    std::string pointer = "/" + key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    json document;
    document[json::json_pointer(pointer)] = value;
    return document;
}

class LoadConfig : public testing::Test {
protected:
    std::filesystem::path put(const std::string& name, const std::string& content) const {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::filesystem::remove(folder_ / name);
        append_to_file(folder_ / name, content);
        return folder_ / name;
    }
    std::filesystem::path put(const std::string& name, const json& content) const { return put(name, content.dump()); }

    /// The least a config needs, changed by the given settings.
    static Config with(std::vector<std::string> overrides) {
        overrides.insert(overrides.begin(), "dataset.root=data");
        return load_config({}, overrides);
    }

    /// What is said about the settings; "" where nothing is wrong with them.
    static std::string complaint(const std::filesystem::path& file, const std::vector<std::string>& overrides = {}) {
        try {
            (void)load_config(file, overrides);
            return "";
        } catch (const UsageError& error) {
            return error.what();
        }
    }
    static std::string complaint_with(std::vector<std::string> overrides) {
        overrides.insert(overrides.begin(), "dataset.root=data");
        return complaint(std::filesystem::path(), overrides);
    }
    /// The same of a config file that holds only this key beside dataset.root.
    std::string complaint_about(const std::string& key, const json& value) const {
        json document = {{"dataset", {{"root", "data"}}}};
        document.merge_patch(nested(key, value));
        if (value.is_null()) document[json::json_pointer("/" + key)] = nullptr;
        return complaint(put("one.json", document));
    }

    test::TemporaryFolder folder_;
};

/// The line of a message that speaks of this key; mistakes stand on lines of their own.
std::string line_about(const std::string& message, const std::string& key) {
    const std::size_t start = message.find("\n  " + key + ":");
    if (start == std::string::npos) return "nothing about " + key + " in: " + message;
    return message.substr(start + 3, message.find('\n', start + 1) - start - 3);
}

TEST_F(LoadConfig, DefaultsAreThoseOfThePaper) {
    const Config c = with({});
    EXPECT_EQ(c.dataset.root, "data");
    EXPECT_EQ(c.dataset.layout, "mvtec");
    EXPECT_EQ(c.dataset.image_size, 224);
    EXPECT_EQ(c.split.class_order.kind, "cardinality");
    EXPECT_THAT(c.encoder.taps, IsEmpty()) << "auto";
    EXPECT_EQ(c.grid(), 14);
    EXPECT_EQ(c.prompts.length, 2);
    EXPECT_EQ(c.prompts.init, "object");
    EXPECT_THAT(c.prompts.normal, ElementsAre("a"));
    EXPECT_THAT(c.prompts.abnormal, ElementsAre("a broken"));
    EXPECT_EQ(c.phase1.epochs, 100);
    EXPECT_EQ(c.phase1.batch_size, 8);
    EXPECT_EQ(c.phase1.learning_rate, 1e-4);
    EXPECT_EQ(c.phase1.weight_decay, 1e-4);
    EXPECT_EQ(c.decoder.resolution, "native");
    EXPECT_EQ(c.decoder.seed_size, 7);
    EXPECT_EQ(c.phase2.epochs, 500);
    EXPECT_EQ(c.phase2.real_probability, 0.5);
    EXPECT_EQ(c.phase2.sampling, "constant");
    EXPECT_EQ(c.phase2.jitter, 20);
    EXPECT_EQ(c.phase2.jitter_scale, "token");
    EXPECT_EQ(c.reconstruction.hidden_dim, 256);
    EXPECT_EQ(c.reconstruction.heads, 8);
    EXPECT_EQ(c.reconstruction.encoder_layers, 4);
    EXPECT_EQ(c.reconstruction.decoder_layers, 4);
    EXPECT_EQ(c.reconstruction.feedforward_dim, 1024);
    EXPECT_EQ(c.reconstruction.dropout, 0.1);
    EXPECT_EQ(c.reconstruction.neighbor_size, 7);
    EXPECT_EQ(c.semantic.projection, "per_layer");
    EXPECT_EQ(c.semantic.pooling, "max");
    EXPECT_EQ(c.semantic.temperature, 1);
    EXPECT_TRUE(c.semantic.normalize_text);
    EXPECT_FALSE(c.scoring.lambda) << "auto";
    EXPECT_EQ(c.scoring.class_source, "given");
    EXPECT_EQ(c.scoring.image_pooling, 16);
    EXPECT_EQ(c.scoring.map_size, 224);
    EXPECT_EQ(to_json(c), to_json(with({}))) << "nothing is random";
    Config plain;
    plain.dataset.root = "data";
    EXPECT_EQ(to_json(c), to_json(plain)) << "the structs are the only home of defaults";
}

TEST_F(LoadConfig, OutputAndGridFollowOtherKeys) {
    EXPECT_EQ(with({"name=x"}).output_path(), "runs/x");
    EXPECT_EQ(with({"name=x", "output=elsewhere"}).output_path(), "elsewhere");
    EXPECT_EQ(with({"dataset.image_size=448"}).grid(), 28);
    EXPECT_EQ(with({"dataset.image_size=448", "encoder.grid=14"}).grid(), 14);
}

TEST_F(LoadConfig, TheDesignsExampleLoads) {
    put("base.json", json::object());
    const auto file = put("configs/mvtec-step100.json", std::string(R"(
{ "extends": "../base.json", "name": "mvtec-step100", "seed": 133, "device": "auto", "threads": 0,
  "dataset": {"layout": "mvtec", "root": "data/mvtec", "image_size": 224},
  "split":   {"type": "step", "imbalance_factor": 100, "class_order": "cardinality", "reverse": false, "path": ""},
  "encoder": {"path": "models/align-base", "taps": [3, 10, 17, 37], "grid": 14, "precision": "float32"},
  "features": {"path": "features"},
  "prompts": {"length": 2, "init": "object", "normal": "a", "abnormal": "a broken"},
  "phase1":  {"epochs": 100, "batch_size": 8, "learning_rate": 1e-4, "kl_weight": 0.01},
  "decoder": {"resolution": "native"},
  "phase2":  {"epochs": 500, "batch_size": 8, "learning_rate": 1e-4, "real_probability": 0.5, "sampling": "constant", "jitter": 20},
  "reconstruction": {"hidden_dim": 256, "heads": 8, "encoder_layers": 4, "decoder_layers": 4, "feedforward_dim": 1024, "dropout": 0.1, "neighbor_size": 7},
  "semantic": {"projection": "per_layer", "pooling": "max", "temperature": 1.0, "normalize_text": true},
  "scoring": {"lambda": 500, "class": "given", "image_pooling": 16},
  "output": "runs/mvtec-step100" })"));
    const Config c = load_config(file, {});
    EXPECT_EQ(c.name, "mvtec-step100");
    EXPECT_EQ(c.seed, 133);
    EXPECT_EQ(c.split.imbalance_factor, 100);
    EXPECT_THAT(c.encoder.taps, ElementsAre(3, 10, 17, 37));
    EXPECT_EQ(c.phase1.learning_rate, 1e-4);
    EXPECT_EQ(c.scoring.lambda, 500);
    EXPECT_EQ(c.output_path(), "runs/mvtec-step100");
}

/// Another allowed value than the default for every key there is.
const std::vector<std::pair<std::string, json>>& other_values() {
    static const std::vector<std::pair<std::string, json>> values = {
        {"name", "ü \"x\""},
        {"method", "patchcore"},
        {"seed", std::numeric_limits<std::int64_t>::max()},
        {"device", "cpu"},
        {"threads", 2},
        {"checkpoint_seconds", 0.5},
        {"dataset.layout", "jsonl"},
        {"dataset.root", "/data/with space"},
        {"dataset.train", "train.jsonl"},
        {"dataset.test", "test.jsonl"},
        {"dataset.image_size", 448},
        {"split.type", "exp"},
        {"split.imbalance_factor", 1.5},
        {"split.class_order", {"zebra", "ant"}},
        {"split.reverse", true},
        {"split.path", "splits/x"},
        {"encoder.path", "models/align-lite"},
        {"encoder.taps", {0, 2, 7}},
        {"encoder.grid", 20},
        {"encoder.precision", "bfloat16"},
        {"features.path", "f"},
        {"features.batch_size", 3},
        {"prompts.length", 4},
        {"prompts.init", "random"},
        {"prompts.learned", false},
        {"prompts.normal", {"a", "a perfect"}},
        {"prompts.abnormal", ""},
        {"phase1.epochs", 7},
        {"phase1.batch_size", 9},
        {"phase1.learning_rate", 0.1 + 0.2},
        {"phase1.schedule", "cosine"},
        {"phase1.weight_decay", 0.0},
        {"phase1.kl_weight", 1e-300},
        {"phase1.generator", "autoencoder"},
        {"decoder.resolution", "grid"},
        {"decoder.norm", "group"},
        {"decoder.norm_momentum", 1.0},
        {"decoder.seed_size", 5},
        {"phase2.epochs", 11},
        {"phase2.batch_size", 12},
        {"phase2.learning_rate", 1.0 / 3},
        {"phase2.schedule", "step"},
        {"phase2.weight_decay", 1e-5},
        {"phase2.real_probability", 1.0},
        {"phase2.sampling", "class_aware"},
        {"phase2.jitter", 0.0},
        {"phase2.jitter_scale", "channel"},
        {"reconstruction.hidden_dim", 24},
        {"reconstruction.heads", 3},
        {"reconstruction.encoder_layers", 1},
        {"reconstruction.decoder_layers", 2},
        {"reconstruction.feedforward_dim", 33},
        {"reconstruction.dropout", 0.0},
        {"reconstruction.neighbor_size", 0},
        {"reconstruction.precision", "bfloat16"},
        {"semantic.projection", "concatenated"},
        {"semantic.pooling", "mean"},
        {"semantic.text", "free"},
        {"semantic.temperature", 0.07},
        {"semantic.normalize_text", false},
        {"scoring.lambda", 0.25},
        {"scoring.class", "predicted"},
        {"scoring.names", "exchanged"},
        {"scoring.image_pooling", 1},
        {"scoring.map_size", 256},
        {"scoring.mixed_pixels", false},
        {"scoring.threshold_quantile", 0.5},
        {"uniad.clip_norm", 0.0},
        {"patchcore.coreset", 0.25},
        {"patchcore.projection_dim", 0},
        {"patchcore.neighborhood", 1},
        {"patchcore.smoothing", 0.0},
        {"output", "out/put"},
    };
    return values;
}

TEST_F(LoadConfig, EveryKeyIsListedOnce) {
    const std::vector<std::string> keys = config_keys();
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
    std::vector<std::string> expected;
    for (const auto& [key, value] : other_values()) expected.push_back(key);
    EXPECT_EQ(keys, expected) << "a new key belongs into other_values(), too";
    const json defaults = to_json(Config{});
    for (const std::string& key : keys) EXPECT_NO_THROW((void)at(defaults, key)) << key;
}

TEST_F(LoadConfig, EveryKeySurvivesWritingAndReading) {
    json document = json::object();
    for (const auto& [key, value] : other_values()) document.merge_patch(nested(key, value));
    const Config first = load_config(put("first.json", document), {});
    EXPECT_EQ(to_json(first), document);
    const Config second = load_config(put("second.json", to_json(first).dump(2)), {});
    EXPECT_EQ(to_json(second), document);
    // And a value is what the file says, not what is default.
    const json defaults = to_json(Config{});
    for (const auto& [key, value] : other_values()) EXPECT_NE(at(defaults, key), value) << key;
    EXPECT_EQ(second.phase1.learning_rate, 0.1 + 0.2) << "to the last bit";
    EXPECT_EQ(second.scoring.class_source, "predicted");
    EXPECT_THAT(second.split.class_order.names, ElementsAre("zebra", "ant"));
    EXPECT_EQ(second.scoring.lambda, 0.25);
    EXPECT_EQ(second.seed, std::numeric_limits<std::int64_t>::max());
}

TEST_F(LoadConfig, TheDefaultsSurviveWritingAndReading) {
    const Config first = with({});
    EXPECT_EQ(to_json(load_config(put("a.json", to_json(first)), {})), to_json(first));
    EXPECT_EQ(at(to_json(first), "encoder.taps"), "auto");
    EXPECT_EQ(at(to_json(first), "scoring.lambda"), "auto");
}

TEST_F(LoadConfig, EveryKeyCanBeSet) {
    for (const auto& [key, value] : other_values()) {
        if (key == "dataset.layout" || key == "reconstruction.heads") continue;  // need others with them
        EXPECT_EQ(at(to_json(with({key + "=" + value.dump()})), key), value) << key;
    }
}

TEST_F(LoadConfig, ARunsRecordOfTheProgramIsNoSetting) {
    json document = to_json(with({"name=x"}));
    document["program"] = {{"version", "0.1.0"}, {"git", "abc"}};
    EXPECT_EQ(load_config(put("config.json", document), {}).name, "x");
}

TEST_F(LoadConfig, KeysThatOnlyBeginLikeProgramAreUnknown) {
    for (const std::string key : {"programme", "program_name", "programs"})
        EXPECT_THAT(line_about(complaint_about(key, 1), key), HasSubstr("no such key")) << key;
}

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
        {{"prompts.init="}, "prompts.init", "not allowed"},
        {{"encoder.path="}, "encoder.path", "not allowed"},
        {{"features.path="}, "features.path", "not allowed"},
        {{"dataset.root="}, "dataset.root", "not allowed"},
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
}  // namespace ltad
