#include "config/load_config.h"

#include <set>

namespace ltad::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace ltad::test
