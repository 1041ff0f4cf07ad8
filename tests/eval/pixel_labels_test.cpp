#include "ltad/eval/pixel_labels.h"

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/dataset_tree.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

const Sample broken{.file = "a/test/broken/0.png", .class_name = "a", .defective = true, .mask = "a/mask.png"};

DatasetConfig data_set(const std::filesystem::path& root) { return tree_config("mvtec", root); }

ImageFeatures picture_of(std::int64_t width, std::int64_t height) {
    return {.map = {}, .latent = {}, .width = width, .height = height};
}

TEST(PixelLabels, AreTheMaskAtTheMapsSize) {
    const TemporaryFolder folder;
    const Mask mask{.width = 4,
                    .height = 2,
                    .pixels = {0, 0, 0, 1,  //
                               0, 1, 0, 0}};
    put_file(folder / "a/mask.png", encode_png(mask));
    EXPECT_THAT(pixel_labels(data_set(folder.path()), broken, picture_of(4, 2), 2), ElementsAre(0, 1, 1, 0));
    EXPECT_THAT(pixel_labels(data_set(folder.path()), broken, picture_of(4, 2), 4),
                ElementsAre(0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0));
}

TEST(PixelLabels, AreZeroWithoutAMask) {
    Sample good = broken;
    good.mask.clear();
    EXPECT_THAT(pixel_labels(data_set("nowhere"), good, picture_of(4, 2), 3), AllOf(SizeIs(9), Each(0)));
}

TEST(PixelLabels, RefusesAMaskOfAnotherSize) {
    const TemporaryFolder folder;
    put_file(folder / "a/mask.png", encode_png(tiny_mask(16)));
    EXPECT_THAT([&] { (void)pixel_labels(data_set(folder.path()), broken, picture_of(16, 32), 8); },
                ThrowsMessage<Error>(AllOf(HasSubstr("a/mask.png"), HasSubstr("16 x 16"), HasSubstr("16 x 32"))));
}

TEST(PixelLabels, NamesAMaskThatCannotBeRead) {
    const TemporaryFolder folder;
    EXPECT_THAT([&] { (void)pixel_labels(data_set(folder.path()), broken, picture_of(4, 2), 2); },
                ThrowsMessage<Error>(HasSubstr("a/mask.png")));
}

}  // namespace
}  // namespace ltad::test
