#include "ltad/core/image.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using testing::StartsWith;

cv::Mat decode(const std::string& png) {
    const std::vector<unsigned char> bytes(png.begin(), png.end());
    return cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
}

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";

TEST(EncodePng, KeepsEveryPixelOfAnImageAndItsRgbOrder) {
    const std::pair<int, int> sizes[] = {{1, 1}, {7, 3}, {3, 7}, {64, 1}};
    for (const auto& [width, height] : sizes) {
        Image image{width, height, {}};
        for (int i = 0; i < width * height * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 + 11));
        const std::string png = encode_png(image);
        EXPECT_THAT(png, StartsWith(signature));
        const cv::Mat read = decode(png);
        ASSERT_EQ(read.type(), CV_8UC3);
        ASSERT_EQ(read.cols, width);
        ASSERT_EQ(read.rows, height);
        std::size_t at = 0;
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x, at += 3) {
                const auto bgr = read.at<cv::Vec3b>(y, x);  // OpenCV's order
                ASSERT_EQ(bgr, cv::Vec3b(image.pixels[at + 2], image.pixels[at + 1], image.pixels[at]))
                    << x << ", " << y;
            }
    }
}

TEST(EncodePng, AMaskIsGreyAnd255WhereDefective) {
    const Mask mask{3, 2, {0, 1, 0, 1, 255, 7}};
    const std::string png = encode_png(mask);
    EXPECT_THAT(png, StartsWith(signature));
    const cv::Mat read = decode(png);
    ASSERT_EQ(read.type(), CV_8UC1);
    ASSERT_EQ(read.size(), cv::Size(3, 2));
    EXPECT_THAT(std::vector<int>(read.begin<std::uint8_t>(), read.end<std::uint8_t>()),
                testing::ElementsAre(0, 255, 0, 255, 255, 255));
}

TEST(EncodePng, EqualPicturesGiveEqualBytes) {
    const Image image{2, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    EXPECT_EQ(encode_png(image), encode_png(Image(image)));
}

TEST(EncodePng, APictureWithoutPixelsIsAnError) {
    EXPECT_THROW((void)encode_png(Image{}), Error);
    EXPECT_THROW((void)encode_png(Mask{}), Error);
}

}  // namespace
}  // namespace ltad
