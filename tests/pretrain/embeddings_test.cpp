#include "pretrain/embeddings.h"

#include <functional>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"
#include "support/tiny_pretraining.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class Embeddings : public ::testing::Test {
protected:
    void SetUp() override { write_toy_pairs(folder.path(), 54); }  // 41 to train on

    [[nodiscard]] PairEmbeddings embed() const { return embed_once(*pairs(), model(), file); }
    [[nodiscard]] std::unique_ptr<PairSource> pairs() const { return open_pairs(config, PairUse::training); }
    [[nodiscard]] ContrastiveModel model() const { return {config.contrastive, config.model, 1, at::kCPU}; }

    /// Puts other numbers under the settings of the file that is there, so that reading it can be told from encoding.
    void plant(const std::string& changed_settings = "") const {
        Metadata metadata;
        Weights saved = load_weights(file, &metadata);
        saved["image"] = at::full_like(saved.at("image"), 42);
        if (!changed_settings.empty()) metadata["settings"] = changed_settings;
        save_weights(folder / "planted", saved, metadata);
        std::filesystem::rename(folder / "planted", file);
    }
    [[nodiscard]] bool is_planted(const PairEmbeddings& all) const { return all.image.eq(42).all().item<bool>(); }

    TemporaryFolder folder;
    PretrainConfig config = make_toy_training(folder.path());
    std::filesystem::path file = folder / "embeddings.safetensors";
};

TEST_F(Embeddings, AreOfEveryPairInOrder) {
    const PairEmbeddings all = embed();
    ASSERT_EQ(all.captions.size(), 41u) << "more than one batch";
    const std::vector<std::size_t> some = {40, 0, 33, 7};
    const Pairs loaded = pairs()->load(some, 0);
    EXPECT_CLOSE_WITHIN(all.rows(some), model().embed_pictures(loaded.pictures), 1e-5);
    for (std::size_t i = 0; i < some.size(); ++i) EXPECT_EQ(all.captions[some[i]], loaded.captions[i]);
}

TEST_F(Embeddings, AreReadInsteadOfMadeAgain) {
    const PairEmbeddings first = embed();
    const std::string bytes = read_file(file);
    const PairEmbeddings again = embed();
    EXPECT_TRUE(at::equal(again.image, first.image));
    EXPECT_EQ(again.captions, first.captions);
    EXPECT_EQ(read_file(file), bytes);
    plant();
    EXPECT_TRUE(is_planted(embed()));
}

TEST_F(Embeddings, OfOtherPairsOrAnotherEncoderAreMadeAgain) {
    const PairEmbeddings first = embed();
    const std::vector<std::function<void()>> changes = {
        [&] { plant("{}"); },
        [&] {
            plant();
            config.pairs.held_out_every = 5;
        },
        [&] {
            plant();
            config.pairs.image_size = 48;
        },
        [&] {
            plant();
            patch_json(folder / "model" / "preprocessor_config.json", {{"rescale_factor", 0.01}});
        },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        changes[i]();
        const PairEmbeddings fresh = embed();
        EXPECT_FALSE(is_planted(fresh)) << i;
        EXPECT_TRUE(at::equal(embed().image, fresh.image)) << i << ": the new ones are kept";
    }
}

TEST_F(Embeddings, DoNotDependOnTheText) {
    (void)embed();
    plant();
    patch_json(folder / "model" / "config.json", {{"text_config", {{"num_attention_heads", 4}}}});
    EXPECT_TRUE(is_planted(embed()));
}

TEST_F(Embeddings, AreMadeAgainWhereTheFileIsDamaged) {
    const PairEmbeddings sound = embed();
    const std::string whole = read_file(file);
    std::string bytes = whole;
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    for (const std::string& damaged : {bytes, bytes.substr(0, bytes.size() / 2), std::string()}) {
        write_text(file, damaged);
        EXPECT_TRUE(at::equal(embed().image, sound.image));
        EXPECT_EQ(read_file(file), whole);
    }
}

TEST_F(Embeddings, APictureThatCannotBeReadLeavesNoFile) {
    write_text(folder / "50.png", "no picture");
    EXPECT_THAT([this] { (void)embed(); }, ThrowsMessage<Error>(HasSubstr("50.png")));
    EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace ltad::test
