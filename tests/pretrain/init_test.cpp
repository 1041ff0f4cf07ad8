#include "ltad/pretrain/init.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/align/align_model.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/synth/picture.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

json small_config() {
    return {{"model_type", "align"},
            {"projection_dim", 40},
            {"vision_config", {{"width_coefficient", 0.25}, {"depth_coefficient", 1.0}}},
            {"text_config",
             {{"vocab_size", 200},
              {"hidden_size", 16},
              {"num_hidden_layers", 1},
              {"num_attention_heads", 2},
              {"intermediate_size", 32},
              {"max_position_embeddings", 16}}}};
}

TEST(InitModelDirectory, LoadsAndSaysThatItIsRandom) {
    const TemporaryFolder folder;
    write_json(folder / "config.json", small_config());
    init_model_directory(folder / "config.json", 3, folder / "model");
    const AlignModel model(folder / "model", at::kCPU);
    EXPECT_TRUE(model.config().random_weights);
    EXPECT_EQ(model.tokenizer().ids("object").size(), 1u);
    EXPECT_GT(model.tokenizer().ids("zebra17!").size(), 1u);  // any ASCII word can be spelled
    EXPECT_EQ(model.text().text_dim(), 40);
}

TEST(InitModelDirectory, TheSeedDecidesTheBytes) {
    const TemporaryFolder folder;
    write_json(folder / "config.json", small_config());
    for (const char* name : {"a", "b"}) init_model_directory(folder / "config.json", 3, folder / name);
    init_model_directory(folder / "config.json", 4, folder / "c");
    const auto weights = [&](const char* name) { return read_file(folder / name / "model.safetensors"); };
    EXPECT_EQ(weights("a"), weights("b"));
    EXPECT_NE(weights("a"), weights("c"));
}

TEST(InitModelDirectory, FeaturesNeitherVanishNorExplodeAndDifferBetweenPictures) {
    const TemporaryFolder folder;
    write_json(folder / "config.json", small_config());
    init_model_directory(folder / "config.json", 3, folder / "model");
    const AlignModel model(folder / "model", at::kCPU);
    std::vector<at::Tensor> pictures;
    for (std::size_t c = 0; c < 6; ++c) {
        const Image image = draw_good({.class_index = c, .seed = 9, .part = "test", .index = 0, .size = 128}).image;
        pictures.push_back(at::tensor(at::ArrayRef<std::uint8_t>(image.pixels), at::kByte).view({128, 128, 3}));
    }
    const auto taps = auto_taps(model.config().vision);
    const auto out = model.image().forward(model.preprocess(at::stack(pictures)), taps);
    for (const at::Tensor& tap : out.taps) {
        const double deviation = tap.std().item<double>();
        EXPECT_GT(deviation, 0.2);
        EXPECT_LT(deviation, 20);
    }
    EXPECT_GT(out.pooled.std(0).mean().item<double>(), 0.01) << "all pictures look the same";
}

TEST(InitModelDirectory, MakesImageOnlyBackbones) {
    const TemporaryFolder folder;
    json config = small_config()["vision_config"];
    config["model_type"] = "efficientnet";
    write_json(folder / "config.json", config);
    init_model_directory(folder / "config.json", 3, folder / "model");
    const AlignModel model(folder / "model", at::kCPU);
    EXPECT_THAT([&] { (void)model.text(); }, ThrowsMessage<Error>(HasSubstr("no text encoder")));
}

TEST(InitModelDirectory, RefusesWhatItCannotDo) {
    const TemporaryFolder folder;
    write_json(folder / "config.json", small_config());
    init_model_directory(folder / "config.json", 3, folder / "model");
    EXPECT_THAT([&] { init_model_directory(folder / "config.json", 3, folder / "model"); },
                ThrowsMessage<Error>(HasSubstr("already")));
    json small = small_config();
    small["text_config"]["vocab_size"] = 5;
    write_json(folder / "small.json", small);
    EXPECT_THAT([&] { init_model_directory(folder / "small.json", 3, folder / "x"); },
                ThrowsMessage<Error>(HasSubstr("vocab_size is 5")));
    EXPECT_THAT([&] { init_model_directory(folder / "none.json", 3, folder / "x"); },
                ThrowsMessage<Error>(HasSubstr("none.json")));
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}

}  // namespace
}  // namespace ltad::test
