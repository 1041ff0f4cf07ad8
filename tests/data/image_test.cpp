#include "ltad/data/image.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/core/random.h"
#include "ltad/data/mask.h"
#include "support/dataset_tree.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(LTAD_TEST_DATA) / "resize" / name;
}

std::string encode(const std::string& ending, const cv::Mat& picture, const std::vector<int>& options = {}) {
    std::vector<unsigned char> bytes;
    cv::imencode(ending, picture, bytes, options);
    return {bytes.begin(), bytes.end()};
}

/// A colour picture that is smooth enough for JPEG: red grows to the right, green downwards.
cv::Mat gradient(int width, int height) {
    cv::Mat picture(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            picture.at<cv::Vec3b>(y, x) = {40, static_cast<unsigned char>(255 * y / height),
                                           static_cast<unsigned char>(255 * x / width)};
    return picture;
}

std::vector<int> pixel(const Image& image, int x, int y) {
    const auto* p =
        image.pixels.data() +
        (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) * 3;
    return {p[0], p[1], p[2]};
}

int largest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    EXPECT_EQ(a.size(), b.size());
    int largest = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

/// libpng and its like print their opinion of damaged bytes; tests that feed them many keep it off the terminal.
class QuietStderr {
public:
    QuietStderr() { testing::internal::CaptureStderr(); }
    ~QuietStderr() { (void)testing::internal::GetCapturedStderr(); }
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;
};

Image random_image(Random& random, int width, int height) {
    Image image{.width = width, .height = height, .pixels = {}};
    image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    for (auto& value : image.pixels) value = static_cast<std::uint8_t>(random.below(256));
    return image;
}

// A PNG writer of the plainest sort, for kinds that OpenCV does not write: chunks, stored (not compressed) data.
namespace png {

std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 255);
    return bytes;
}

std::string chunk(const std::string& body) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : body) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
    }
    return big_endian(static_cast<std::uint32_t>(body.size() - 4)) + body + big_endian(~crc);
}

/// `rows`: each row's bytes behind a filter byte 0. `more`: chunks between header and data.
std::string file(int width, int height, int depth, int colour_type, const std::string& rows,
                 const std::string& more = "") {
    const std::string header = "IHDR" + big_endian(static_cast<std::uint32_t>(width)) +
                               big_endian(static_cast<std::uint32_t>(height)) + static_cast<char>(depth) +
                               static_cast<char>(colour_type) + std::string(3, '\0');
    std::uint32_t a = 1;
    std::uint32_t b = 0;
    for (const char c : rows) {
        a = (a + static_cast<unsigned char>(c)) % 65521;
        b = (b + a) % 65521;
    }
    const auto size = static_cast<std::uint16_t>(rows.size());
    std::string data = "IDAT\x78\x01\x01";
    for (const int value : {size & 255, size >> 8, ~size & 255, (~size >> 8) & 255}) data += static_cast<char>(value);
    data += rows + big_endian((b << 16) | a);
    return "\x89PNG\r\n\x1a\n" + chunk(header) + more + chunk(data) + chunk("IEND");
}

std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values) out += static_cast<char>(value);
    return out;
}

}  // namespace png

// ------------------------------------------------------------------------------------------------ decoding

TEST(DecodeImage, GivesRgbNotBgr) {
    const Image image = decode_image(encode(".png", gradient(64, 32)), "gradient.png");
    ASSERT_EQ(image.width, 64);
    ASSERT_EQ(image.height, 32);
    ASSERT_EQ(image.pixels.size(), 64u * 32u * 3u);
    EXPECT_THAT(pixel(image, 32, 0), ElementsAre(127, 0, 40));
    EXPECT_THAT(pixel(image, 0, 16), ElementsAre(0, 127, 40));
}

TEST(DecodeImage, UndoesEncodePng) {
    Random random(RandomUse::test, {1});
    for (const auto& [width, height] : {std::pair{1, 1}, {7, 3}, {1, 40}, {33, 17}}) {
        const Image image = random_image(random, width, height);
        const Image back = decode_image(encode_png(image), "x.png");
        EXPECT_EQ(back.width, width);
        EXPECT_EQ(back.height, height);
        EXPECT_EQ(back.pixels, image.pixels);
    }
}

TEST(DecodeImage, TakesGreyAlphaPaletteAndSixteenBit) {
    const cv::Mat grey8(1, 1, CV_8UC1, cv::Scalar(77));
    const cv::Mat grey16(1, 1, CV_16UC1, cv::Scalar(77 * 257));
    const cv::Mat rgba8(1, 1, CV_8UC4, cv::Scalar(30, 20, 10, 0));  // BGRA, wholly transparent
    const cv::Mat rgb16(1, 1, CV_16UC3, cv::Scalar(65535, 128 * 257, 0));
    const cv::Mat rgba16(1, 1, CV_16UC4, cv::Scalar(3 * 257, 2 * 257, 257, 5));
    const std::string palette = png::chunk("PLTE" + png::bytes({1, 2, 3, 200, 100, 50}));
    struct Case {
        const char* what;
        std::string bytes;
        std::vector<int> expected;
    };
    const std::vector<Case> cases = {
        {"8 bit grey", encode(".png", grey8), {77, 77, 77}},
        {"16 bit grey", encode(".png", grey16), {77, 77, 77}},
        {"RGBA", encode(".png", rgba8), {10, 20, 30}},
        {"16 bit RGB", encode(".png", rgb16), {0, 128, 255}},
        {"16 bit RGBA", encode(".png", rgba16), {1, 2, 3}},
        {"16 bit TIFF", encode(".tiff", grey16), {77, 77, 77}},
        {"BMP", encode(".bmp", grey8), {77, 77, 77}},
        {"palette", png::file(1, 1, 8, 3, png::bytes({0, 1}), palette), {200, 100, 50}},
        {"palette of 1 bit", png::file(1, 1, 1, 3, png::bytes({0, 0x80}), palette), {200, 100, 50}},
        {"palette with transparency",
         png::file(1, 1, 8, 3, png::bytes({0, 1}), palette + png::chunk("tRNS" + png::bytes({9, 0}))),
         {200, 100, 50}},
        {"grey with alpha", png::file(1, 1, 8, 4, png::bytes({0, 99, 3})), {99, 99, 99}},
        {"grey of 1 bit", png::file(1, 1, 1, 0, png::bytes({0, 0x80})), {255, 255, 255}},
        {"grey of 4 bit", png::file(1, 1, 4, 0, png::bytes({0, 0x30})), {51, 51, 51}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        const Image image = decode_image(c.bytes, c.what);
        EXPECT_EQ(image.width, 1);
        EXPECT_EQ(image.height, 1);
        EXPECT_THAT(pixel(image, 0, 0), testing::ElementsAreArray(c.expected));
    }
}

TEST(DecodeImage, RoundsSixteenBitToTheNearestEight) {
    for (int value = 0; value <= 65535; value += 251) {
        const cv::Mat grey(1, 1, CV_16UC1, cv::Scalar(value));
        EXPECT_EQ(pixel(decode_image(encode(".png", grey), "x"), 0, 0)[0],
                  static_cast<int>(std::lround(value / 257.0)));
    }
}

TEST(DecodeImage, IgnoresExifOrientation) {
    const std::string plain = encode(".jpg", gradient(48, 16), {cv::IMWRITE_JPEG_QUALITY, 98});
    // APP1 behind the start marker: a little-endian TIFF with the one tag 0x112, orientation 6 (turn right).
    const std::string tiff =
        png::bytes({'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0});
    const std::string exif = std::string("Exif\0\0", 6) + tiff;
    const std::string turned =
        plain.substr(0, 2) + png::bytes({0xff, 0xe1, 0, static_cast<int>(exif.size()) + 2}) + exif + plain.substr(2);

    // The segment is a real one: who heeds it gets a picture on its side.
    const cv::Mat heeded = cv::imdecode(std::vector<char>(turned.begin(), turned.end()), cv::IMREAD_COLOR);
    ASSERT_EQ(heeded.cols, 16) << "the test's EXIF segment is not understood";

    const Image image = decode_image(turned, "turned.jpg");
    EXPECT_EQ(image.width, 48);
    EXPECT_EQ(image.height, 16);
    EXPECT_EQ(image.pixels, decode_image(plain, "plain.jpg").pixels);
}

TEST(DecodeImage, NamesWhatIsNoPicture) {
    const QuietStderr quiet;
    const std::string whole = encode(".png", gradient(40, 40));
    const std::string jpeg = encode(".jpg", gradient(200, 200));
    struct Case {
        const char* name;
        std::string bytes;
        const char* says;
    };
    const std::vector<Case> cases = {
        {"zero.png", "", "empty"},
        {"one.png", "x", "not a picture"},
        {"text.png", "This is a note that somebody saved under the wrong name.\n", "not a picture"},
        {"magic-only.png", "\x89PNG\r\n\x1a\n", "damaged"},
        {"half.png", whole.substr(0, whole.size() / 2), "damaged"},
        {"header-only.jpg", jpeg.substr(0, 30), "damaged"},
        {"float.tiff", encode(".tiff", cv::Mat(4, 4, CV_32FC1, cv::Scalar(0.5))), "neither 8 nor 16 bit"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_THAT([&] { (void)decode_image(c.bytes, c.name); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(c.name), HasSubstr(c.says))));
    }
}

// A picture cut off by a full disk or a broken copy must not pass for a whole one with a grey lower half.
TEST(DecodeImage, RefusesEveryKindCutInHalf) {
    const QuietStderr quiet;
    Random random(RandomUse::test, {2});
    cv::Mat noise(60, 60, CV_8UC3);
    for (int i = 0; i < 60 * 60 * 3; ++i) noise.data[i] = static_cast<unsigned char>(random.below(256));
    for (const char* ending : {".png", ".jpg", ".bmp", ".tiff", ".webp"}) {
        SCOPED_TRACE(ending);
        const std::string whole = encode(ending, noise);
        ASSERT_EQ(decode_image(whole, "whole").width, 60);
        EXPECT_THAT([&] { (void)decode_image(whole.substr(0, whole.size() / 2), std::string("half") + ending); },
                    ThrowsMessage<Error>(HasSubstr(std::string("half") + ending)));
    }
}

TEST(DecodeImage, NeverCrashesOnDamagedBytes) {
    const QuietStderr quiet;
    Random random(RandomUse::test, {3});
    for (const char* ending : {".png", ".jpg", ".bmp", ".webp"}) {
        const std::string whole = encode(ending, gradient(24, 20));
        const auto attempt = [&](const std::string& bytes) {
            try {
                const Image image = decode_image(bytes, "damaged");
                EXPECT_EQ(image.pixels.size(),
                          static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3);
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr("damaged"));
            }
        };
        for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 100) attempt(whole.substr(0, size));
        for (int i = 0; i < 150; ++i) {
            std::string bytes = whole;
            // Not the header's width and height, which would only ask for gigabytes.
            const std::size_t at = 40 + random.below(bytes.size() - 40);
            bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 << random.below(8)));
            attempt(bytes);
        }
    }
}

TEST(ReadImage, NamesTheFileThatIsMissingOrBad) {
    const TemporaryFolder folder;
    put_file(folder / "note.png", "no picture");
    put_file(folder / "zero.png", "");
    std::filesystem::create_directories(folder / "folder.png");
    for (const char* name : {"missing.png", "note.png", "zero.png", "folder.png"}) {
        EXPECT_THAT([&] { (void)read_image(folder / name); },
                    ThrowsMessage<Error>(HasSubstr((folder / name).string())));
        EXPECT_THAT([&] { (void)read_mask(folder / name); }, ThrowsMessage<Error>(HasSubstr((folder / name).string())));
    }
}

TEST(ReadImage, GoesByContentNotByName) {
    const TemporaryFolder folder;
    put_file(folder / "picture.jpg", encode(".png", gradient(5, 4)));
    EXPECT_EQ(read_image(folder / "picture.jpg").width, 5);
}

// Some writers leave out where the pixels begin.
TEST(DecodeImage, ABmpsPixelsFollowItsHeadersWhereItDoesNotSay) {
    cv::Mat grey(5, 7, CV_8UC1);
    for (int i = 0; i < 35; ++i) grey.data[i] = static_cast<unsigned char>(7 * i);
    for (const std::string& whole : {encode(".bmp", gradient(7, 5)), encode(".bmp", grey)}) {
        std::string without = whole;
        without.replace(10, 4, 4, '\0');
        EXPECT_EQ(decode_image(without, "a.bmp").pixels, decode_image(whole, "a.bmp").pixels);
    }
}

// --------------------------------------------------------------------------------------------------- masks

TEST(ReadMask, AnyNonZeroValueIsDefective) {
    const TemporaryFolder folder;
    const std::vector<std::uint8_t> expected = {0, 1, 0, 1};
    const cv::Mat ones = (cv::Mat_<unsigned char>(2, 2) << 0, 1, 0, 1);
    const cv::Mat full = (cv::Mat_<unsigned char>(2, 2) << 0, 255, 0, 128);
    const cv::Mat wide = (cv::Mat_<std::uint16_t>(2, 2) << 0, 1, 0, 65535);  // 1 of 65535 would round to 0 in 8 bits
    cv::Mat colour(2, 2, CV_8UC3, cv::Scalar::all(0));
    colour.at<cv::Vec3b>(0, 1) = {3, 0, 0};  // one channel alone is enough, whichever it is
    colour.at<cv::Vec3b>(1, 1) = {0, 0, 1};
    cv::Mat alpha(2, 2, CV_8UC4, cv::Scalar(0, 0, 0, 255));  // opaque black is not a defect
    alpha.at<cv::Vec4b>(0, 1) = {9, 9, 9, 0};
    alpha.at<cv::Vec4b>(1, 1) = {0, 200, 0, 255};
    const std::string palette = png::chunk("PLTE" + png::bytes({0, 0, 0, 0, 255, 0}));
    const std::vector<std::pair<const char*, std::string>> cases = {
        {"1", encode(".png", ones)},
        {"255 and 128", encode(".png", full)},
        {"16 bit", encode(".png", wide)},
        {"RGB", encode(".png", colour)},
        {"RGBA", encode(".png", alpha)},
        {"BMP", encode(".bmp", full)},
        {"palette", png::file(2, 2, 8, 3, png::bytes({0, 0, 1, 0, 0, 1}), palette)},
        {"1 bit", png::file(2, 2, 1, 0, png::bytes({0, 0x40, 0, 0x40}))},
        {"grey with opaque alpha", png::file(2, 2, 8, 4, png::bytes({0, 0, 255, 7, 255, 0, 0, 255, 7, 0}))},
    };
    for (const auto& [what, bytes] : cases) {
        SCOPED_TRACE(what);
        put_file(folder / "mask.png", bytes);
        const Mask mask = read_mask(folder / "mask.png");
        EXPECT_EQ(mask.width, 2);
        EXPECT_EQ(mask.height, 2);
        EXPECT_EQ(mask.pixels, expected);
    }
}

TEST(ReadMask, UndoesEncodePng) {
    const TemporaryFolder folder;
    Mask mask{.width = 9, .height = 5, .pixels = {}};
    for (int i = 0; i < 45; ++i) mask.pixels.push_back(i % 3 == 0 ? 1 : 0);
    put_file(folder / "mask.png", encode_png(mask));
    EXPECT_EQ(read_mask(folder / "mask.png").pixels, mask.pixels);
    const Image seen = read_image(folder / "mask.png");
    EXPECT_THAT(pixel(seen, 0, 0), Each(255));
    EXPECT_THAT(pixel(seen, 1, 0), Each(0));
}

// ------------------------------------------------------------------------------------------------ resizing

TEST(ResizeBilinear, IsWithinOneGreyLevelOfPil) {
    const Image input = read_image(golden("input.png"));
    for (const auto& [width, height] : {std::pair{224, 224}, {64, 64}, {97, 33}, {422, 300}}) {
        const std::string name = text("pil_bilinear_", width, "x", height, ".png");
        const Image expected = read_image(golden(name));
        ASSERT_EQ(expected.width, width);
        const Image image = resize_bilinear(input, width, height);
        EXPECT_EQ(image.width, width);
        EXPECT_EQ(image.height, height);
        EXPECT_LE(largest_difference(image.pixels, expected.pixels), 1) << name;
    }
}

/// The filter as it is defined: every input pixel weighted by a triangle around the output pixel's centre, as wide as
/// the reduction asks for. Slow, in double precision, without windows or passes.
double triangle_filter(const Image& in, int width, int height, int x, int y, int channel) {
    const auto weights = [](int size, int out, int at) {
        const double scale = static_cast<double>(size) / out;
        const double reach = std::max(1.0, scale);
        std::vector<double> w;
        double sum = 0;
        for (int i = 0; i < size; ++i) {
            w.push_back(std::max(0.0, 1 - std::abs(i + 0.5 - (at + 0.5) * scale) / reach));
            sum += w.back();
        }
        for (double& v : w) v /= sum;
        return w;
    };
    const auto wx = weights(in.width, width, x);
    const auto wy = weights(in.height, height, y);
    double value = 0;
    for (int row = 0; row < in.height; ++row)
        for (int column = 0; column < in.width; ++column)
            value += wy[static_cast<std::size_t>(row)] * wx[static_cast<std::size_t>(column)] *
                     in.pixels[static_cast<std::size_t>((row * in.width + column) * 3 + channel)];
    return value;
}

TEST(ResizeBilinear, EqualsTheTriangleFilterAtAnySize) {
    Random random(RandomUse::test, {4});
    const auto size = [&] { return 1 + static_cast<int>(random.below(40)); };
    for (int i = 0; i < 60; ++i) {
        const Image input = random_image(random, size(), size());
        const int width = size();
        const int height = size();
        SCOPED_TRACE(text(input.width, "x", input.height, " to ", width, "x", height));
        const Image image = resize_bilinear(input, width, height);
        ASSERT_EQ(image.pixels.size(), static_cast<std::size_t>(width * height * 3));
        for (int k = 0; k < 20; ++k) {
            const int x = static_cast<int>(random.below(static_cast<std::uint64_t>(width)));
            const int y = static_cast<int>(random.below(static_cast<std::uint64_t>(height)));
            const int c = static_cast<int>(random.below(3));
            // Half a level is the rounding to 8 bits; the rest is single precision.
            EXPECT_NEAR(pixel(image, x, y)[static_cast<std::size_t>(c)], triangle_filter(input, width, height, x, y, c),
                        0.501);
        }
    }
}

TEST(ResizeBilinear, ToTheSameSizeIsTheSamePicture) {
    Random random(RandomUse::test, {5});
    const Image image = random_image(random, 19, 31);
    EXPECT_EQ(resize_bilinear(image, 19, 31).pixels, image.pixels);
    // A picture whose rows are all the same keeps them when only its height changes, and the other way round.
    Image columns{.width = 5, .height = 8, .pixels = {}};
    for (int i = 0; i < 5 * 8 * 3; ++i) columns.pixels.push_back(static_cast<std::uint8_t>(i % 15 * 17));
    const Image taller = resize_bilinear(columns, 5, 21);
    for (int y = 0; y < 21; ++y)
        for (int x = 0; x < 5; ++x) EXPECT_EQ(pixel(taller, x, y), pixel(columns, x, 0));
}

TEST(ResizeBilinear, AConstantPictureStaysConstant) {
    for (const int value : {0, 1, 128, 254, 255})
        for (const auto& [width, height] : {std::pair{1, 1}, {3, 200}, {224, 224}, {50, 7}}) {
            Image image{.width = 37,
                        .height = 23,
                        .pixels = std::vector<std::uint8_t>(37 * 23 * 3, static_cast<std::uint8_t>(value))};
            EXPECT_THAT(resize_bilinear(image, width, height).pixels, Each(value));
        }
}

TEST(ResizeBilinear, AntialiasesAFineGrid) {
    Image image{.width = 128, .height = 128, .pixels = {}};
    for (int i = 0; i < 128 * 128; ++i)
        for (int c = 0; c < 3; ++c) image.pixels.push_back((i + i / 128) % 2 == 0 ? 255 : 0);
    // Plain bilinear interpolation of a chessboard gives moiré from 0 to 255.
    EXPECT_THAT(resize_bilinear(image, 17, 17).pixels, Each(testing::AllOf(testing::Ge(120), testing::Le(135))));
}

TEST(ResizeNearest, EqualsPilExactly) {
    const Mask expected = read_mask(golden("pil_nearest_mask_64x64.png"));
    const Mask mask = resize_nearest(read_mask(golden("mask.png")), 64, 64);
    EXPECT_EQ(mask.width, 64);
    EXPECT_EQ(mask.height, 64);
    EXPECT_EQ(mask.pixels, expected.pixels);
}

TEST(ResizeNearest, TakesThePixelUnderTheCentre) {
    Random random(RandomUse::test, {6});
    for (int i = 0; i < 100; ++i) {
        const auto size = [&] { return 1 + static_cast<int>(random.below(300)); };
        Mask mask{.width = size(), .height = size(), .pixels = {}};
        for (int k = 0; k < mask.width * mask.height; ++k) mask.pixels.push_back(random.chance(0.5) ? 1 : 0);
        const int width = size();
        const int height = size();
        const Mask resized = resize_nearest(mask, width, height);
        ASSERT_EQ(resized.pixels.size(), static_cast<std::size_t>(width * height));
        std::vector<std::uint8_t> expected;
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                expected.push_back(mask.pixels[static_cast<std::size_t>(
                    (2 * y + 1) * mask.height / (2 * height) * mask.width + (2 * x + 1) * mask.width / (2 * width))]);
        EXPECT_EQ(resized.pixels, expected) << mask.width << "x" << mask.height << " to " << width << "x" << height;
    }
}

}  // namespace
}  // namespace ltad
