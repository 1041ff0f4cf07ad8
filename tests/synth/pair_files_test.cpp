#include "ltad/synth/pair_files.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "support/folder_contents.h"
#include "support/quietly.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::contents;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing::ThrowsMessage;

PairOptions small() { return {.count = 12, .size = 32, .seed = 4, .side = PairSide::training}; }

void write_quietly(const std::filesystem::path& out, const PairOptions& options) {
    test::quietly([&] { write_pairs(out, options); });
}

TEST(PairFiles, HoldThePairsInOrder) {
    const TemporaryFolder folder;
    write_quietly(folder / "pairs", small());
    EXPECT_THAT(contents(folder / "pairs"), SizeIs(13));
    std::istringstream lines(read_file(folder / "pairs/pairs.jsonl"));
    std::string line;
    for (std::int64_t i = 0; i < 12; ++i) {
        ASSERT_TRUE(std::getline(lines, line));
        const CaptionedPicture pair = draw_pair({.seed = 4, .index = i, .size = 32});
        const std::string name = std::string("images/0000") + (i < 10 ? "0" : "") + std::to_string(i) + ".png";
        EXPECT_EQ(line, R"({"image":")" + name + R"(","text":")" + pair.caption + R"("})");
        EXPECT_EQ(read_file(folder / ("pairs/" + name)), encode_png(pair.image));
    }
    EXPECT_FALSE(std::getline(lines, line));
}

TEST(PairFiles, TheSameOptionsGiveTheSameBytesAndOthersDoNot) {
    const TemporaryFolder folder;
    write_quietly(folder / "one", small());
    write_quietly(folder / "two/", small());
    EXPECT_EQ(contents(folder / "one"), contents(folder / "two"));
    PairOptions other = small();
    other.side = PairSide::held_out;
    write_quietly(folder / "held-out", other);
    EXPECT_NE(contents(folder / "one").at("pairs.jsonl"), contents(folder / "held-out").at("pairs.jsonl"));
    other = small();
    other.seed = 5;
    write_quietly(folder / "seed", other);
    EXPECT_NE(contents(folder / "one").at("pairs.jsonl"), contents(folder / "seed").at("pairs.jsonl"));
}

TEST(PairFiles, FillAnEmptyFolderButNoOther) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "empty");
    write_quietly(folder / "empty", small());
    EXPECT_THAT(contents(folder / "empty"), SizeIs(13));
    EXPECT_THAT([&] { write_quietly(folder / "empty", small()); },
                ThrowsMessage<Error>(AllOf(HasSubstr("empty"), HasSubstr("remove it"))));
}

TEST(PairFiles, LeaveNothingBehindWhenTheyCannotBeWritten) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "file", "in the way");
    EXPECT_THROW(write_quietly(folder / "file/pairs", small()), Error);
    EXPECT_THAT(contents(folder.path()), SizeIs(1));
}

TEST(PairFiles, NameTheOptionThatIsOutOfRange) {
    const TemporaryFolder folder;
    const auto expect = [&](const char* name, auto change) {
        PairOptions options = small();
        change(options);
        EXPECT_THAT([&] { write_quietly(folder / "pairs", options); },
                    ThrowsMessage<UsageError>(AllOf(HasSubstr(name), HasSubstr("not allowed"))));
    };
    expect("--pairs", [](PairOptions& o) { o.count = 0; });
    expect("--pairs", [](PairOptions& o) { o.count = 1000001; });
    expect("--size", [](PairOptions& o) { o.size = 31; });
    expect("--size", [](PairOptions& o) { o.size = 4097; });
    expect("--seed", [](PairOptions& o) { o.seed = -1; });
    EXPECT_TRUE(contents(folder.path()).empty());
}

}  // namespace
}  // namespace ltad
