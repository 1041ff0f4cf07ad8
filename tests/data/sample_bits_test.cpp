#include "ltad/data/sample_bits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/data/image.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

/// A binary TIFF of one row of grey samples, little-endian, of 16 bits or 8.
std::string tiff(const std::vector<int>& samples, int bits) {
    const auto number = [](std::uint32_t value, int bytes) {
        std::string out;
        for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
        return out;
    };
    std::string data;
    for (const int sample : samples) data += number(static_cast<std::uint32_t>(sample), bits / 8);
    if (data.size() % 2 != 0) data += '\0';
    const auto count = static_cast<std::uint32_t>(samples.size());
    const std::vector<std::pair<std::uint32_t, std::uint32_t>> tags = {
        {256, count}, {257, 1}, {258, bits}, {259, 1}, {262, 1}, {273, 8}, {277, 1}, {278, 1}, {279, count * bits / 8}};
    std::string out = "II" + number(42, 2) + number(8 + static_cast<std::uint32_t>(data.size()), 4) + data +
                      number(static_cast<std::uint32_t>(tags.size()), 2);
    for (const auto& [tag, value] : tags) out += number(tag, 2) + number(4, 2) + number(1, 4) + number(value, 4);
    return out + number(0, 4);
}

std::vector<int> greys(const Image& image) {
    std::vector<int> out;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) out.push_back(image.pixels[i]);
    return out;
}

TEST(DecodePicture, ScalesSixteenBitSamplesFromTheBitsThatTheyUse) {
    const std::string twelve = tiff({0, 1, 8, 2048, 4095}, 16);
    EXPECT_THAT(greys(decode_image(twelve, "x", 12)), ElementsAre(0, 0, 0, 128, 255));
    EXPECT_THAT(greys(decode_image(twelve, "x", 13)), ElementsAre(0, 0, 0, 64, 127));
    EXPECT_THAT(greys(decode_image(twelve, "x")), ElementsAre(0, 0, 0, 8, 16));
    EXPECT_EQ(decode_image(twelve, "x", 16).pixels, decode_image(twelve, "x").pixels);
    EXPECT_EQ(decode_picture(twelve, "x").largest, 4095);
    for (int value = 0; value < 1024; ++value)
        EXPECT_EQ(greys(decode_image(tiff({value}, 16), "x", 10))[0], (value * 255 + 511) / 1023);
}

TEST(DecodePicture, LeavesEightBitPicturesAlone) {
    const std::string eight = tiff({0, 7, 200, 255}, 8);
    EXPECT_THAT(greys(decode_image(eight, "x", 12)), ElementsAre(0, 7, 200, 255));
    EXPECT_EQ(decode_picture(eight, "x", 12).largest, 0);
}

TEST(DecodePicture, NamesASampleThatTheBitsDoNotHold) {
    EXPECT_THAT(
        [&] {
            (void)decode_image(tiff({5, 4096, 9}, 16), "x.tif", 12);
        },
        ThrowsMessage<Error>(
            AllOf(HasSubstr("x.tif"), HasSubstr("4096"), HasSubstr("4095"), HasSubstr("dataset.bits to 13"))));
}

TEST(SampleBits, WarnsOfClassesThatUseFewBits) {
    SampleBits bits;
    bits.add("bottle", 4031);
    bits.add("bottle", 120);
    bits.add("cable", 20000);
    bits.add("cable", 900);
    bits.add("eight bit", 0);
    bits.add("nut", 1023);
    EXPECT_THAT(bits.warnings(),
                ElementsAre(AllOf(HasSubstr("bottle have"), HasSubstr("4031"), HasSubstr("dataset.bits to 12")),
                            AllOf(HasSubstr("nut have"), HasSubstr("1023"), HasSubstr("dataset.bits to 10"))));
    EXPECT_THAT(SampleBits().warnings(), IsEmpty());
}

// One camera setting for the good pictures and another for the defects would find every defect.
TEST(SampleBits, TellsTheHalvesOfAClassApart) {
    SampleBits bits;
    bits.add({"a/0.tif", "a", false, ""}, true, 60000);
    bits.add({"a/1.tif", "a", false, ""}, false, 60000);
    bits.add({"a/2.tif", "a", true, ""}, false, 4000);
    EXPECT_THAT(bits.warnings(), ElementsAre(HasSubstr("class 'a': its 16-bit defective test pictures")));
}

}  // namespace
}  // namespace ltad
