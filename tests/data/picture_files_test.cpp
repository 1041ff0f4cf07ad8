#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/image.h"
#include "ltad/data/raster.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(LTAD_TEST_DATA) / "pictures" / name;
}

/// tests/golden/pictures/expected.txt, whose first lines say what its lines are.
struct Expected {
    struct File {
        std::string name;
        std::string pixels;
        int tolerance = 0;
    };
    std::map<std::string, Raster> pixels;
    std::vector<File> files;
    std::map<std::string, std::string> refused;  ///< and what the message says

    Expected() {
        std::ifstream file(golden("expected.txt"));
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::string kind;
            std::string name;
            words >> kind >> name;
            if (kind == "pixels") {
                Raster& raster = pixels[name];
                words >> raster.width >> raster.height >> raster.channels >> raster.bits;
                for (std::uint16_t sample = 0; words >> sample;) raster.samples.push_back(sample);
            } else if (kind == "file") {
                files.push_back({.name = name, .pixels = {}});
                words >> files.back().pixels >> files.back().tolerance;
            } else {
                std::getline(words >> std::ws, refused[name]);
            }
        }
    }
};

const Expected& expected() {
    static const Expected expected;
    return expected;
}

TEST(PictureFiles, HoldThePixelsThatTheirWritersMeant) {
    ASSERT_GT(expected().files.size(), 140u);
    testing::internal::CaptureStderr();
    for (const auto& [name, pixels, tolerance] : expected().files) {
        SCOPED_TRACE(name);
        const Raster& wanted = expected().pixels.at(pixels);
        const Raster read = read_raster(golden(name));
        ASSERT_EQ(read.width, wanted.width);
        ASSERT_EQ(read.height, wanted.height);
        ASSERT_EQ(read.channels, wanted.channels);
        ASSERT_EQ(read.bits, wanted.bits);
        ASSERT_EQ(read.samples.size(), wanted.samples.size());
        int largest = 0;
        for (std::size_t i = 0; i < wanted.samples.size(); ++i)
            largest = std::max(largest, std::abs(read.samples[i] - wanted.samples[i]));
        EXPECT_LE(largest, tolerance);
        EXPECT_TRUE(tolerance == 0 || read.lossy || name.starts_with("ycbcr"));
        const PictureHeader header = read_picture_header(golden(name));
        EXPECT_EQ(header.width, wanted.width);
        EXPECT_EQ(header.height, wanted.height);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a library has its own say on the terminal";
}

TEST(PictureFiles, AreRefusedByNameWhereTheyCannotBeReadRight) {
    ASSERT_GT(expected().refused.size(), 40u);
    testing::internal::CaptureStderr();
    for (const auto& [name, says] : expected().refused) {
        SCOPED_TRACE(name);
        const auto read = [file = golden(name)] { (void)read_raster(file); };
        EXPECT_THAT(read, ThrowsMessage<Error>(AllOf(HasSubstr(name), HasSubstr(says))));
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a library has its own say on the terminal";
}

// The image is the raster in 8 bits, grey for red, green and blue.
TEST(PictureFiles, GiveTheSameImageAsRaster) {
    for (const auto& [name, pixels, tolerance] : expected().files) {
        SCOPED_TRACE(name);
        const Raster raster = read_raster(golden(name));
        const Image image = read_image(golden(name));
        ASSERT_EQ(image.pixels.size() / 3, raster.samples.size() / static_cast<std::size_t>(raster.channels));
        for (std::size_t i = 0; i < image.pixels.size(); ++i) {
            const double sample = raster.samples[raster.channels == 3 ? i : i / 3];
            ASSERT_NEAR(image.pixels[i], raster.bits == 8 ? sample : sample / 257, 0.51);
        }
    }
}

// Whatever is cut off or turned over: an error that names the file, or a picture; never a crash or a word on stderr.
TEST(PictureFiles, NeverCrashWhereBytesAreWrong) {
    testing::internal::CaptureStderr();
    const auto attempt = [](const std::string& bytes) {
        try {
            const Raster raster = decode_raster(bytes, "the file");
            EXPECT_EQ(raster.samples.size(), static_cast<std::size_t>(raster.width) *
                                                 static_cast<std::size_t>(raster.height) *
                                                 static_cast<std::size_t>(raster.channels));
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("the file"));
        }
    };
    for (const auto& file : expected().files) {
        SCOPED_TRACE(file.name);
        const std::string whole = read_file(golden(file.name));
        for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 30) attempt(whole.substr(0, size));
        for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 60) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 3));
            attempt(bytes);
        }
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a library has its own say on the terminal";
}

}  // namespace
}  // namespace ltad
