// The default encoder as `ltad-pretrain import` makes it, against what the packages' own models gave:
// EfficientNet-Lite0 in PyTorch and all-MiniLM-L6-v2 in transformers. Those weights are not ours to ship;
// scripts/setup.sh fetches them. Where there was no network these tests are skipped.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ltad/align/align_model.h"
#include "ltad/align/feature_layout.h"
#include "ltad/core/error.h"
#include "ltad/features/extract.h"
#include "ltad/pretrain/import.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

const std::filesystem::path packages = LTAD_WEIGHTS;

/// The only weights file of a package.
std::filesystem::path weights_in(const std::string& package) {
    for (const auto& entry : std::filesystem::directory_iterator(packages / package))
        if (entry.path().extension() == ".pth") return entry.path();
    return {};
}

class AlignLite : public ::testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(packages / "lite0") || !std::filesystem::exists(packages / "minilm"))
            GTEST_SKIP() << packages << " lacks lite0 or minilm; scripts/weights.sh fetches them, with a network";
        import_model_directory(
            {.image = weights_in("lite0"), .text = packages / "minilm", .projection = {}, .out = folder / "model"});
        model.emplace(folder / "model", at::kCPU);
        expected = load_weights(golden_path("align_lite/expected.safetensors"), &metadata);
    }

    TemporaryFolder folder;
    std::optional<AlignModel> model;
    Weights expected;
    Metadata metadata;
};

TEST_F(AlignLite, FeaturesAndPooledEmbeddingAreEfficientNetLites) {
    const FeatureLayout layout = feature_layout(Config(), *model);
    EXPECT_EQ(layout.taps, (std::vector<std::int64_t>{0, 2, 4, 10}));
    EXPECT_EQ(layout.latent, 320);
    const ExtractedFeatures features = extract_features(*model, layout, expected.at("picture"));
    EXPECT_CLOSE(features.maps, expected.at("features"));
    EXPECT_CLOSE(features.latents, expected.at("pooled"));
}

TEST_F(AlignLite, IdsAndTextStatesAreMiniLMs) {
    const json texts = json::parse(metadata.at("texts"));
    ASSERT_EQ(texts.size(), 6u);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::vector<std::int64_t> ids = model->tokenizer().encode(texts[i].get<std::string>());
        EXPECT_TRUE(at::equal(at::tensor(ids), expected.at(ltad::text("ids.", i)))) << texts[i];
        const at::Tensor words = model->text().word_embeddings(at::tensor(ids).unsqueeze(0));
        EXPECT_CLOSE(model->text().hidden_states(words).back()[0][0], expected.at(ltad::text("cls.", i)));
    }
}

TEST_F(AlignLite, TheFamilysLargerEncodersImportByTheSameCommand) {
    for (const auto& [package, blocks, embedding] : {std::tuple("lite1", 21, 320), std::tuple("lite2", 21, 352)}) {
        if (!std::filesystem::exists(packages / package)) continue;  // fetched when asked for: scripts/weights.sh lite2
        import_model_directory(
            {.image = weights_in(package), .text = packages / "minilm", .projection = {}, .out = folder / package});
        const AlignModel larger(folder / package, at::kCPU);
        EXPECT_EQ(block_specs(larger.config().vision).size(), static_cast<std::size_t>(blocks));
        EXPECT_EQ(larger.image().embedding_dim(), embedding);
    }
}

}  // namespace
}  // namespace ltad::test
