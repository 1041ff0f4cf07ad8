#include "ltad/data/mask.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

/// A grey raster of side × side whose pixels are what `level` says.
Raster grey(int side, const std::function<int(int x, int y)>& level, int bits = 8, bool lossy = false) {
    Raster raster{.width = side, .height = side, .channels = 1, .bits = bits, .lossy = lossy, .samples = {}};
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) raster.samples.push_back(static_cast<std::uint16_t>(level(x, y)));
    return raster;
}

/// A disc in the middle, `outside` around it and a ramp of `edge` pixels between.
std::function<int(int, int)> disc(int side, int inside, int outside, double edge = 0) {
    return [=](int x, int y) {
        const double away = std::hypot(x - side / 2.0, y - side / 2.0) - side / 4.0;
        const double share = edge > 0 ? std::clamp(0.5 - away / edge, 0.0, 1.0) : away < 0 ? 1.0 : 0.0;
        return static_cast<int>(std::lround(outside + share * (inside - outside)));
    };
}

std::int64_t defective(const ReadMask& read) { return std::count(read.mask.pixels.begin(), read.mask.pixels.end(), 1); }

TEST(MaskOf, TwoValuesOrFewLabelsAreAnythingButZero) {
    const auto reference = defective(mask_of(grey(32, disc(32, 255, 0)), "m"));
    EXPECT_GT(reference, 100);
    for (const auto& [value, bits] : {std::pair(1, 8), {7, 8}, {128, 8}, {254, 8}, {1, 16}, {255, 16}, {65535, 16}})
        EXPECT_EQ(defective(mask_of(grey(32, disc(32, value, 0), bits), "m")), reference) << value << ' ' << bits;
    // Labels of kinds of defects, some of them below half of the range, are all defects.
    const auto labels = [](int x, int y) { return y < 16 ? 0 : 50 * (x / 8 + 1); };
    EXPECT_EQ(defective(mask_of(grey(32, labels), "m")), 32 * 16);
    // Numbers of regions: many, but nowhere near the end of the range.
    const auto regions = [](int x, int y) { return y < 16 ? 0 : x + 1; };
    EXPECT_EQ(defective(mask_of(grey(32, regions), "m")), 32 * 16);
}

TEST(MaskOf, SoftEdgesAreCutAtHalf) {
    const ReadMask sharp = mask_of(grey(64, disc(64, 255, 0)), "m");
    const ReadMask soft = mask_of(grey(64, disc(64, 255, 0, 12)), "m");
    EXPECT_FALSE(sharp.look.soft);
    EXPECT_TRUE(soft.look.soft);
    EXPECT_NEAR(static_cast<double>(defective(soft)), static_cast<double>(defective(sharp)), 20);
    const ReadMask deep = mask_of(grey(64, disc(64, 65535, 0, 12), 16), "m");
    EXPECT_EQ(deep.mask.pixels, soft.mask.pixels);
}

TEST(MaskOf, ALossyMaskIsCutAtHalfOrRefused) {
    const auto noisy = [](int x, int y) { return disc(32, 250, 0)(x, y) + (x + y) % 4; };
    EXPECT_EQ(mask_of(grey(32, noisy, 8, true), "m").mask.pixels, mask_of(grey(32, disc(32, 255, 0)), "m").mask.pixels);
    EXPECT_THAT([&] { (void)mask_of(grey(32, disc(32, 100, 0, 8), 8, true), "m.jpg"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("m.jpg"), HasSubstr("100 of 255"), HasSubstr("PNG"))));
    const auto faint = [](int x, int y) { return (x + y) % 3; };
    EXPECT_EQ(defective(mask_of(grey(32, faint, 8, true), "m")), 0);  // what is left of an empty one
}

TEST(MaskOf, ColoursCountByTheirBrightest) {
    Raster raster{.width = 2, .height = 2, .channels = 3, .samples = {0, 0, 0, 200, 0, 0, 0, 0, 1, 9, 9, 9}};
    EXPECT_THAT(mask_of(raster, "m").mask.pixels, ElementsAre(0, 1, 1, 1));
    EXPECT_THAT(mask_of(raster, "m", true).mask.pixels, ElementsAre(1, 0, 0, 0));
}

/// A class of test pictures of 64 × 64 with masks that a test writes.
class ProblemsOfMasks : public testing::Test {
protected:
    /// Adds a defective picture and the mask that `encode_png` makes of an image.
    void add(const Image& mask, const std::string& class_name = "gear") {
        const std::string number = text(samples_.size());
        put_file(folder_ / class_name / (number + ".png"), encode_png(test::tiny_image(1, 64)));
        put_file(folder_ / class_name / (number + "_mask.png"), encode_png(mask));
        samples_.push_back(
            {class_name + '/' + number + ".png", class_name, true, class_name + '/' + number + "_mask.png"});
    }

    static Image image(const std::function<int(int x, int y)>& level, int side = 64) {
        Image image{.width = side, .height = side, .pixels = {}};
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x)
                image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(level(x, y)));
        return image;
    }

    std::vector<std::string> problems(const std::string& masks = "defects") {
        DatasetConfig config;
        config.root = folder_.path().string();
        config.masks = masks;
        return problems_of_masks(config, samples_, 2);
    }

    TemporaryFolder folder_;
    std::vector<Sample> samples_;
};

TEST_F(ProblemsOfMasks, GoodOnesHaveNone) {
    for (int i = 0; i < 3; ++i) add(image(disc(64, 255, 0)));
    add(image(disc(64, 255, 0, 10)));
    add(image([](int, int) { return 0; }));                   // a warning
    add(image([](int x, int) { return x < 62 ? 255 : 0; }));  // a large one among others
    samples_.push_back({"gear/good.png", "gear", false, ""});
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(ProblemsOfMasks, InvertedOnesAreNamedByClass) {
    for (int i = 0; i < 3; ++i) add(image(disc(64, 0, 255)), "gear");
    for (int i = 0; i < 3; ++i) add(image(disc(64, 255, 0)), "nut");
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("'gear': 3 of 3 masks"), HasSubstr("gear/0_mask.png"),
                                              HasSubstr("inverted"), HasSubstr("dataset.masks"))));
    EXPECT_THAT(problems("unchecked"), IsEmpty());
    // Read the other way round the other class's are wrong.
    EXPECT_THAT(problems("background"), ElementsAre(HasSubstr("'nut': 3 of 3 masks")));
}

TEST_F(ProblemsOfMasks, SoAreFullOnes) {
    for (int i = 0; i < 3; ++i) add(image([](int, int) { return 255; }));
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("'gear': 3 of 3 masks mark their whole picture")));
}

TEST_F(ProblemsOfMasks, AMaskWithoutBackgroundIsNone) {
    add(image(disc(64, 2, 1)));
    EXPECT_THAT(problems(),
                ElementsAre(AllOf(HasSubstr("0_mask.png"), HasSubstr("no pixel"), HasSubstr("2 values up to 2"))));
}

TEST_F(ProblemsOfMasks, APictureIsNoMask) {
    add(image([](int x, int y) { return 60 + (x * 5 + y * 3) % 120; }));
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("0_mask.png"), HasSubstr("a picture rather than a mask"))));
    EXPECT_THAT(problems("unchecked"), IsEmpty());
}

TEST_F(ProblemsOfMasks, SizesAreThoseOfThePictures) {
    add(image(disc(32, 255, 0), 32));
    add(image(disc(64, 255, 0)));
    put_file(folder_ / samples_[1].mask, "no picture");
    EXPECT_THAT(problems("unchecked"),
                ElementsAre(AllOf(HasSubstr("0_mask.png"), HasSubstr("32 x 32"), HasSubstr("64 x 64")),
                            HasSubstr("1_mask.png")));
}

}  // namespace
}  // namespace ltad
