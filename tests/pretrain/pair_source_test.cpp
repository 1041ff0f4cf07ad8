#include "pretrain/pair_source.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/image.h"
#include "ltad/synth/pairs.h"
#include "support/temporary_folder.h"
#include "support/tiny_pretraining.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

at::Tensor tensor_of(const Image& image) {
    return at::tensor(at::ArrayRef<std::uint8_t>(image.pixels), at::kByte).view({image.height, image.width, 3});
}

class ListedPairs : public ::testing::Test {
protected:
    [[nodiscard]] PretrainConfig config() const { return toy_config(folder.path()); }

    /// What is said of a list of these lines.
    [[nodiscard]] std::string complaint(const std::string& lines) const {
        write_text(folder / "pairs.jsonl", lines);
        try {
            (void)open_pairs(config(), PairUse::training);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }

    TemporaryFolder folder;
};

TEST_F(ListedPairs, EverySoManiethIsHeldOut) {
    write_toy_pairs(folder.path(), 10);
    std::string list;
    for (int i = 0; i < 10; ++i)
        list += json{{"image", text(i, ".png")}, {"text", text("pair ", i)}}.dump() + (i == 4 ? "\r\n \n\n" : "\n");
    write_text(folder / "pairs.jsonl", list);
    const auto training = open_pairs(config(), PairUse::training);
    const auto held_out = open_pairs(config(), PairUse::new_pictures);
    ASSERT_EQ(training->size(), 8u);
    ASSERT_EQ(held_out->size(), 2u);
    EXPECT_THAT(training->load(std::vector<std::size_t>{0, 2, 3, 7, 6}, 0).captions,
                ElementsAre("pair 0", "pair 2", "pair 4", "pair 9", "pair 8"));
    const Pairs pairs = held_out->load(std::vector<std::size_t>{1, 0}, 5);
    EXPECT_THAT(pairs.captions, ElementsAre("pair 7", "pair 3"));
    EXPECT_EQ(pairs.meanings, pairs.captions);
    EXPECT_TRUE(at::equal(pairs.pictures[0], tensor_of(toy_picture(7))));
    EXPECT_TRUE(at::equal(pairs.pictures[1], tensor_of(toy_picture(3))));
}

TEST_F(ListedPairs, PicturesAreResizedAndPathsCountFromTheList) {
    std::filesystem::create_directories(folder / "deep");
    write_text(folder / "deep" / "large.png", encode_png(toy_picture(1, 90)));
    write_text(folder / "small.png", encode_png(toy_picture(2, 20)));
    const json absolute = {{"image", (folder / "small.png").string()}, {"text", "b"}};
    write_text(folder / "pairs.jsonl", R"({"image": "deep/large.png", "text": "ü", "more": 1})"
                                       "\n" +
                                           absolute.dump());
    const auto source = open_pairs(config(), PairUse::training);
    const Pairs pairs = source->load(std::vector<std::size_t>{0, 1}, 0);
    EXPECT_TRUE(at::equal(pairs.pictures[0], tensor_of(resize_bilinear(toy_picture(1, 90), 32, 32))));
    EXPECT_TRUE(at::equal(pairs.pictures[1], tensor_of(resize_bilinear(toy_picture(2, 20), 32, 32))));
    EXPECT_THAT(pairs.captions, ElementsAre("ü", "b"));
}

TEST_F(ListedPairs, AListMayHaveAMarkAndAnyLineEnds) {
    write_toy_pairs(folder.path(), 6);
    std::string list = read_file(folder / "pairs.jsonl");
    std::replace(list.begin(), list.end(), '\n', '\r');
    write_text(folder / "pairs.jsonl", "\xEF\xBB\xBF" + list);
    EXPECT_EQ(open_pairs(config(), PairUse::training)->load(std::vector<std::size_t>{0, 1}, 0).captions.size(), 2u);
}

TEST_F(ListedPairs, APictureThatCannotBeReadIsNamed) {
    write_toy_pairs(folder.path(), 6);
    const auto source = open_pairs(config(), PairUse::training);
    std::filesystem::remove(folder / "1.png");
    write_text(folder / "2.png", "no picture");
    const auto load = [&](std::size_t index) {
        return [&source, index] { (void)source->load(std::vector<std::size_t>{0, index}, 0); };
    };
    EXPECT_THAT(load(1), ThrowsMessage<Error>(HasSubstr((folder / "1.png").string())));
    EXPECT_THAT(load(2), ThrowsMessage<Error>(HasSubstr((folder / "2.png").string())));
    EXPECT_NO_THROW(load(3)());
}

TEST_F(ListedPairs, APictureThatIsNotThereIsNamedBeforeAnyIsRead) {
    write_toy_pairs(folder.path(), 6);
    std::filesystem::remove(folder / "3.png");
    EXPECT_THAT([&] { (void)open_pairs(config(), PairUse::training); },
                ThrowsMessage<Error>(AllOf(HasSubstr("pairs.jsonl:4: no picture"), HasSubstr("3.png"))));
}

TEST_F(ListedPairs, AWrongLineIsNamedByItsNumber) {
    write_toy_pairs(folder.path(), 1);
    const std::string good = R"({"image": "0.png", "text": "a"})"
                             "\n";
    for (const char* wrong :
         {R"({"image": "0.png"})", R"({"text": "a"})", R"({"image": 3, "text": "a"})", R"({"image": "", "text": "a"})",
          R"({"image": "0.png", "text": ""})", R"({"image": "0.png", "text": null})", "[1]", "3", R"("x")", "no json",
          R"({"image": "0.png", "text": "a")"}) {
        const std::string message = complaint(good + "\n" + good + wrong + "\n" + good);
        EXPECT_THAT(message, AllOf(HasSubstr("pairs.jsonl:4: "), HasSubstr(wrong))) << wrong;
    }
}

TEST_F(ListedPairs, AListNeedsTwoPairsOfEachSort) {
    write_toy_pairs(folder.path(), 1);
    std::string lines;
    for (int i = 0; i < 7; ++i)
        lines += R"({"image": "0.png", "text": "a"})"
                 "\n";
    EXPECT_EQ(complaint(lines), "");
    EXPECT_THAT([&] { (void)open_pairs(config(), PairUse::new_pictures); },
                ThrowsMessage<Error>(AllOf(HasSubstr("pairs.jsonl"), HasSubstr("of its 7 pairs 1 are held out"))));
    EXPECT_THAT(complaint(""), HasSubstr("of its 0 pairs 0 are not held out"));
    std::filesystem::remove(folder / "pairs.jsonl");
    EXPECT_THAT([&] { (void)open_pairs(config(), PairUse::training); }, ThrowsMessage<Error>(HasSubstr("pairs.jsonl")));
}

TEST_F(ListedPairs, SayNothingOfClasses) {
    write_toy_pairs(folder.path(), 10);
    EXPECT_THAT([&] { (void)open_pairs(config(), PairUse::new_classes); },
                ThrowsMessage<Error>(AllOf(HasSubstr("pairs.jsonl"), HasSubstr("classes"))));
}

TEST_F(ListedPairs, SettingsFollowTheListAndWhatIsReadOfIt) {
    write_toy_pairs(folder.path(), 10);
    PretrainConfig other = config();
    const json settings = open_pairs(config(), PairUse::training)->settings();
    EXPECT_EQ(open_pairs(config(), PairUse::training)->settings(), settings);
    other.pairs.held_out_every = 5;
    EXPECT_NE(open_pairs(other, PairUse::training)->settings(), settings);
    other = config();
    other.pairs.image_size = 48;
    EXPECT_NE(open_pairs(other, PairUse::training)->settings(), settings);
    write_toy_pairs(folder.path(), 11);
    EXPECT_NE(open_pairs(config(), PairUse::training)->settings(), settings);
}

PretrainConfig generated_config() {
    PretrainConfig config;
    config.seed = 3;
    config.pairs.count = 40;
    config.pairs.image_size = 32;
    config.held_out.pairs = 10;
    return config;
}

TEST(GeneratedPairs, AreTheSameWhateverTheBatch) {
    const auto source = open_pairs(generated_config(), PairUse::training);
    ASSERT_EQ(source->size(), 40u);
    const Pairs together = source->load(std::vector<std::size_t>{5, 39, 0, 5}, 2);
    ASSERT_EQ(together.pictures.sizes(), (std::vector<std::int64_t>{4, 32, 32, 3}));
    const Pairs alone = source->load(std::vector<std::size_t>{39}, 2);
    EXPECT_TRUE(at::equal(alone.pictures[0], together.pictures[1]));
    EXPECT_EQ(alone.captions[0], together.captions[1]);
    EXPECT_TRUE(at::equal(together.pictures[0], together.pictures[3]));
    EXPECT_TRUE(
        at::equal(open_pairs(generated_config(), PairUse::training)->load(std::vector<std::size_t>{0}, 2).pictures[0],
                  together.pictures[2]));
}

/// What is drawn for a pair of generated_config().
CaptionedPicture drawn(PairSide side, std::int64_t index) {
    return draw_pair({.seed = 3, .side = side, .index = index, .size = 32});
}

TEST(GeneratedPairs, AreTheGeneratorsNewInEveryEpoch) {
    for (const PairUse use : {PairUse::training, PairUse::new_classes}) {
        const auto source = open_pairs(generated_config(), use);
        EXPECT_EQ(source->size(), use == PairUse::training ? 40u : 10u);
        for (const std::int64_t epoch : {0, 3}) {
            const Pairs pairs = source->load(std::vector<std::size_t>{4, 7}, epoch);
            for (const std::int64_t i : {0, 1}) {
                const std::int64_t index = epoch * static_cast<std::int64_t>(source->size()) + (i == 0 ? 4 : 7);
                const auto expected = drawn(use == PairUse::training ? PairSide::training : PairSide::held_out, index);
                EXPECT_TRUE(at::equal(pairs.pictures[i], tensor_of(expected.image))) << index;
                EXPECT_EQ(pairs.captions[static_cast<std::size_t>(i)], expected.caption) << index;
            }
        }
    }
}

TEST(GeneratedPairs, NewPicturesAreOfTrainingsClassesButNoneOfItsOwn) {
    const auto source = open_pairs(generated_config(), PairUse::new_pictures);
    ASSERT_EQ(source->size(), 10u);
    const Pairs pairs = source->load(std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 0);
    const auto subjects = pair_subjects(PairSide::training);
    for (std::int64_t i = 0; i < 10; ++i) {
        const std::string& meaning = pairs.meanings[static_cast<std::size_t>(i)];
        const std::string subject = meaning.substr(0, meaning.find(','));
        EXPECT_TRUE(std::any_of(subjects.begin(), subjects.end(), [&](const std::string& known) {
            return subject.ends_with(known);
        })) << meaning;
        for (std::int64_t index = 0; index < 120; ++index)  // three epochs of training
            EXPECT_FALSE(at::equal(pairs.pictures[i], tensor_of(drawn(PairSide::training, index).image))) << index;
    }
}

TEST(GeneratedPairs, MeaningsTellWhatIsShownAndWhetherItIsBroken) {
    const auto source = open_pairs(generated_config(), PairUse::training);
    std::vector<std::size_t> all(40);
    std::iota(all.begin(), all.end(), std::size_t{0});
    const Pairs pairs = source->load(all, 0);
    std::size_t broken = 0;
    for (std::size_t i = 0; i < 40; ++i) {
        const auto expected = drawn(PairSide::training, static_cast<std::int64_t>(i));
        EXPECT_EQ(pairs.meanings[i], expected.subject + (expected.defect.empty() ? "" : ", broken"));
        broken += pairs.meanings[i].ends_with(", broken") ? 1 : 0;
    }
    EXPECT_GT(broken, 8u);
    EXPECT_LT(broken, 32u);
}

TEST(GeneratedPairs, SettingsFollowTheConfig) {
    const json settings = open_pairs(generated_config(), PairUse::training)->settings();
    std::vector<PretrainConfig> others(3, generated_config());
    others[0].seed = 4;
    others[1].pairs.count = 41;
    others[2].pairs.image_size = 64;
    for (const PretrainConfig& other : others) EXPECT_NE(open_pairs(other, PairUse::training)->settings(), settings);
}

}  // namespace
}  // namespace ltad::test
