#include "ltad/core/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class OutputsTest : public testing::Test {
protected:
    OutputsTest() {
        write_file_atomically(folder_ / "data/test/a.png", "a");
        outputs_.keep(folder_ / "data/test/a.png", "a picture of the data set");
    }

    [[nodiscard]] bool is_refused(const std::filesystem::path& file) {
        try {
            outputs_.claim(file, "--maps out");
            return false;
        } catch (const UsageError&) {
            return true;
        }
    }

    TemporaryFolder folder_;
    Outputs outputs_;
};

TEST_F(OutputsTest, NothingTakesThePlaceOfWhatIsKept) {
    EXPECT_THAT(
        [&] { outputs_.claim(folder_ / "data/test/a.png", "--maps data", "b.jpg"); },
        ThrowsMessage<UsageError>(AllOf(HasSubstr("--maps data"), HasSubstr("data/test/a.png"), HasSubstr("b.jpg"),
                                        HasSubstr("a picture of the data set"), HasSubstr("choose another folder"))));
    EXPECT_FALSE(is_refused(folder_ / "data/test/b.png"));
    EXPECT_FALSE(is_refused(folder_ / "data/new/test/a.png"));
}

TEST_F(OutputsTest, WhateverWayLeadsThere) {
    std::filesystem::create_directory_symlink(folder_ / "data", folder_ / "link");
    EXPECT_TRUE(is_refused(folder_ / "link/test/a.png"));
    EXPECT_TRUE(is_refused(folder_ / "data/test/../test/./a.png"));
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(folder_ / "data");
    const bool refused = is_refused("test/a.png");
    std::filesystem::current_path(here);
    EXPECT_TRUE(refused);
}

TEST_F(OutputsTest, WhatALinkLeadsToIsKeptAsWell) {
    write_file_atomically(folder_ / "store/x.png", "x");
    std::filesystem::create_symlink("../store/x.png", folder_ / "data/x.png");
    outputs_.keep(folder_ / "data/x.png", "a picture");
    EXPECT_TRUE(is_refused(folder_ / "data/x.png"));
    EXPECT_TRUE(is_refused(folder_ / "store/x.png"));
    // One in a circle.
    std::filesystem::create_symlink("loop.png", folder_ / "data/loop.png");
    outputs_.keep(folder_ / "data/loop.png", "a picture");
    EXPECT_TRUE(is_refused(folder_ / "data/loop.png"));
}

TEST_F(OutputsTest, NoTwoOutputsShareAFile) {
    outputs_.claim(folder_ / "out/new/a.png", "--maps out", "a.png");
    EXPECT_NO_THROW(outputs_.claim(folder_ / "out/new/a.png", "--maps out", "a.png")) << "the same picture twice";
    EXPECT_THAT([&] { outputs_.claim(folder_ / "out/new/a.png", "--maps out", "a.jpg"); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("a.jpg"), HasSubstr("made from a.png"))));
    EXPECT_FALSE(is_refused(folder_ / "out/maps.json"));
    EXPECT_TRUE(is_refused(folder_ / "out/maps.json"));
}

}  // namespace
}  // namespace ltad
