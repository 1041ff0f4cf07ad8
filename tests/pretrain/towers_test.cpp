#include "pretrain/towers.h"

#include <functional>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/align/align_model.h"
#include "ltad/core/error.h"
#include "support/lite_weights.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::filesystem::path save_lite(const TemporaryFolder& folder, const Weights& weights) {
    const auto file = folder / "lite.safetensors";
    std::filesystem::remove(file);
    save_weights(file, weights, {});
    return file;
}

TEST(LiteTower, TheNetworkFollowsFromTheShapes) {
    const TemporaryFolder folder;
    const Tower tower = read_image_tower(save_lite(folder, lite_weights()));
    const EfficientNetConfig config = parse_efficientnet_config(tower.config, "config");
    const auto blocks = block_specs(config);
    ASSERT_EQ(blocks.size(), lite_blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(blocks[i].in, lite_blocks[i].in) << i;
        EXPECT_EQ(blocks[i].out, lite_blocks[i].out) << i;
        EXPECT_EQ(blocks[i].kernel, lite_blocks[i].kernel) << i;
        EXPECT_EQ(blocks[i].stride, lite_blocks[i].stride) << i;
        EXPECT_EQ(blocks[i].expand_ratio, lite_blocks[i].expand) << i;
        EXPECT_EQ(blocks[i].residual, lite_blocks[i].residual()) << i;
    }
    EXPECT_NO_THROW(check_weights(tower.weights, efficientnet_shapes(config), "tower"));
    EXPECT_EQ(config.hidden_act, "relu6");
    const Preprocessing preprocessing = parse_preprocessing(tower.preprocessing, "preprocessing");
    for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(preprocessing.scale[c], 1.0 / 128);
        EXPECT_EQ(preprocessing.offset[c], -127.0 / 128);
    }
}

TEST(LiteTower, WhatIsNoEfficientNetLiteIsRefused) {
    const TemporaryFolder folder;
    const auto complaint = [&](const std::function<void(Weights&)>& change) {
        Weights weights = lite_weights();
        change(weights);
        const auto file = save_lite(folder, weights);
        return [file] { (void)read_image_tower(file); };
    };
    const auto says = [](const char* word) {
        return ThrowsMessage<Error>(AllOf(HasSubstr("lite.safetensors"), HasSubstr(word)));
    };
    EXPECT_THAT(complaint([](Weights& w) { w.erase("_bn0.running_var"); }), says("'_bn0.running_var' is missing"));
    EXPECT_THAT(complaint([](Weights& w) { w.erase("_blocks.3._project_conv.weight"); }),
                says("'_blocks.3._project_conv.weight' is missing"));
    EXPECT_THAT(complaint([](Weights& w) { w["_blocks.2._bn1.bias"] = at::zeros({48, 1}); }), says("[48, 1]"));
    EXPECT_THAT(complaint([](Weights& w) { w["_conv_stem.weight"] = at::zeros({32, 27}); }), says("[32, 27]"));
    EXPECT_THAT(complaint([](Weights& w) { w["_conv_stem.weight"] = at::zeros({40, 3, 3, 3}); }), says("32 channels"));
    EXPECT_THAT(complaint([](Weights& w) {
                    w["_blocks.4._se_reduce.weight"] = at::zeros({8, 96, 1, 1});
                }),
                says("block 4 has squeeze-excite"));
    EXPECT_THAT(complaint([](Weights& w) {
                    w["_blocks.1._expand_conv.weight"] = at::zeros({32, 15, 1, 1});
                }),
                says("block 1 widens 15 channels to 32"));
    EXPECT_THAT(complaint([](Weights& w) { w.erase("_blocks.6._depthwise_conv.weight"); }), says("5 stages"));
    EXPECT_THAT(complaint([](Weights& w) {
                    w = {{"layer1.conv.weight", at::zeros({2, 2})}};
                }),
                says("'layer1.conv.weight'"));
    EXPECT_THAT(complaint([](Weights& w) { w.clear(); }), says("no image encoder"));
    EXPECT_THAT([&] { (void)read_image_tower(folder / "none.pth"); }, ThrowsMessage<Error>(HasSubstr("none.pth")));
}

/// golden/align_tiny's image encoder as transformers would save it.
class TransformersImage : public ::testing::Test {
protected:
    void SetUp() override { make_align_tiny(folder / "align"); }

    [[nodiscard]] std::filesystem::path file() const { return folder / "align" / "model.safetensors"; }

    void save(const Weights& weights) const {
        std::filesystem::remove(file());
        save_weights(file(), weights, {});
    }

    TemporaryFolder folder;
};

TEST_F(TransformersImage, EveryWayOfNamingGivesTheSameTower) {
    const Weights align = with_prefix(load_weights(golden_path("align_tiny/model.safetensors")), "vision_model.");
    const Tower from_align = read_image_tower(file());
    ASSERT_FALSE(from_align.weights.empty());
    for (const auto& [name, tensor] : from_align.weights) EXPECT_TRUE(at::equal(tensor, align.at(name))) << name;
    EXPECT_EQ(from_align.preprocessing, read_json(folder / "align" / "preprocessor_config.json"));
    EXPECT_EQ(from_align.config["width_coefficient"], 0.25);

    json vision = read_json(folder / "align" / "config.json")["vision_config"];
    vision["model_type"] = "efficientnet";
    write_json(folder / "align" / "config.json", vision);
    for (const std::string prefix : {"", "efficientnet."}) {
        Weights weights = {{prefix + "encoder.top_conv.weight", at::zeros({1})}};
        for (const auto& [name, tensor] : align) weights[prefix + name] = tensor;
        weights["classifier.weight"] = at::zeros({10, 80});
        save(weights);
        const Tower tower = read_image_tower(file());
        ASSERT_EQ(tower.weights.size(), from_align.weights.size());
        for (const auto& [name, tensor] : tower.weights) EXPECT_TRUE(at::equal(tensor, align.at(name))) << name;
        EXPECT_EQ(tower.config, from_align.config);
    }
}

TEST_F(TransformersImage, TheProcessorMayBeInTheFileOfTransformers5) {
    const json settings = read_json(folder / "align" / "preprocessor_config.json");
    std::filesystem::remove(folder / "align" / "preprocessor_config.json");
    write_json(folder / "align" / "processor_config.json", {{"image_processor", settings}});
    EXPECT_EQ(read_image_tower(file()).preprocessing, settings);
}

TEST_F(TransformersImage, WhatDoesNotFitIsNamed) {
    const Weights all = load_weights(golden_path("align_tiny/model.safetensors"));
    const std::string stem = "vision_model.embeddings.batchnorm.bias";
    const auto says = [](const char* word) {
        return ThrowsMessage<Error>(AllOf(HasSubstr("model.safetensors"), HasSubstr(word)));
    };
    const auto read = [&] { (void)read_image_tower(file()); };
    Weights weights = all;
    weights.erase(stem);
    save(weights);
    EXPECT_THAT(read, says("'embeddings.batchnorm.bias'"));
    weights[stem] = at::zeros({9});
    save(weights);
    EXPECT_THAT(read, says("[9]"));
    weights = all;
    weights["vision_model.encoder.blocks.77.extra"] = at::zeros({9});
    save(weights);
    EXPECT_THAT(read, says("'encoder.blocks.77.extra' [9] is not expected"));
    save(all);
    for (const char* name : {"config.json", "preprocessor_config.json"}) {
        std::filesystem::rename(folder / "align" / name, folder / "aside");
        EXPECT_THAT(read, says(name));
        std::filesystem::rename(folder / "aside", folder / "align" / name);
    }
    EXPECT_NO_THROW(read());
    write_text(folder / "align" / "preprocessor_config.json", R"({"image_std": [0, 0, 0]})");
    EXPECT_THAT(read, ThrowsMessage<Error>(AllOf(HasSubstr("preprocessor_config.json"), HasSubstr("image_std"))));
}

class TextTower : public ::testing::Test {
protected:
    void SetUp() override {
        make_tiny_bert(folder / "bert");
        original = load_weights(golden_path("align_tiny/model.safetensors"));
        original = with_prefix(original, "text_model.");
    }

    void save(const Weights& weights) const {
        std::filesystem::remove(folder / "bert" / "model.safetensors");
        save_weights(folder / "bert" / "model.safetensors", weights, {});
    }
    [[nodiscard]] Tower read() const { return read_text_tower(folder / "bert"); }

    TemporaryFolder folder;
    Weights original;
};

TEST_F(TextTower, PlainAndPretrainingNamesGiveTheSame) {
    for (const std::string prefix : {"", "bert."}) {
        Weights weights = {{prefix + "embeddings.position_ids", at::arange(32)}};
        for (const auto& [name, tensor] : original) weights[prefix + name] = tensor;
        if (prefix.empty()) weights["cls.predictions.bias"] = at::zeros({128});
        save(weights);
        const Tower tower = read();
        EXPECT_FALSE(tower.weights.contains("embeddings.position_ids"));
        for (const auto& [name, shape] : bert_shapes(parse_bert_config(tower.config, "config")))
            EXPECT_TRUE(at::equal(tower.weights.at(name), original.at(name))) << name;
        EXPECT_EQ(tower.config["model_type"], "align_text_model");
        EXPECT_EQ(tower.config["hidden_size"], 48);
        EXPECT_FALSE(tower.config.contains("_name_or_path"));
    }
}

TEST_F(TextTower, AnAlignDirectoryGivesItsTextHalf) {
    make_align_tiny(folder / "align");
    const Tower tower = read_text_tower(folder / "align");
    const Shapes shapes = bert_shapes(parse_bert_config(tower.config, "config"));
    EXPECT_EQ(tower.weights.size(), shapes.size());
    for (const auto& [name, shape] : shapes) EXPECT_TRUE(at::equal(tower.weights.at(name), original.at(name))) << name;
}

TEST_F(TextTower, HalfPrecisionBecomesSingle) {
    Weights half;
    for (const auto& [name, tensor] : original) half[name] = tensor.to(at::kHalf);
    save(half);
    for (const auto& [name, tensor] : read().weights) {
        EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
        EXPECT_TRUE(at::equal(tensor, half.at(name).to(at::kFloat))) << name;
    }
}

TEST_F(TextTower, APoolerThatIsMissingIsZeros) {
    Weights weights = original;
    weights.erase("pooler.dense.weight");
    weights.erase("pooler.dense.bias");
    save(weights);
    const Tower tower = read();
    EXPECT_TRUE(at::equal(tower.weights.at("pooler.dense.weight"), at::zeros({48, 48})));
    EXPECT_TRUE(at::equal(tower.weights.at("pooler.dense.bias"), at::zeros({48})));
}

TEST_F(TextTower, WhatDoesNotFitIsNamed) {
    const auto says = [](const char* word) { return ThrowsMessage<Error>(AllOf(HasSubstr("bert"), HasSubstr(word))); };
    const auto run = [this] { (void)read(); };
    const std::string name = "encoder.layer.1.attention.self.query.bias";
    Weights weights = original;
    weights.erase(name);
    save(weights);
    EXPECT_THAT(run, says("'encoder.layer.1.attention.self.query.bias' [48] is missing"));
    weights[name] = at::zeros({47});
    save(weights);
    EXPECT_THAT(run, says("[47]"));
    weights[name] = original.at(name);
    weights["encoder.layer.9.extra"] = at::zeros({1});
    save(weights);
    EXPECT_THAT(run, says("'encoder.layer.9.extra'"));
    patch_json(folder / "bert" / "config.json", {{"num_attention_heads", 5}});
    EXPECT_THAT(run, says("num_attention_heads"));
    std::filesystem::remove(folder / "bert" / "model.safetensors");
    patch_json(folder / "bert" / "config.json", {{"num_attention_heads", 4}});
    EXPECT_THAT(run, says("pytorch_model.bin"));
    write_text(folder / "bert" / "config.json", "[]");
    EXPECT_THAT(run, says("config.json"));
    std::filesystem::remove(folder / "bert" / "config.json");
    EXPECT_THAT(run, says("no config.json"));
}

}  // namespace
}  // namespace ltad::test
