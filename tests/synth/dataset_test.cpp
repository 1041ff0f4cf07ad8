#include "ltad/synth/dataset.h"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/dataset.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "ltad/synth/picture.h"
#include "support/dataset_tree.h"
#include "support/folder_contents.h"
#include "support/quietly.h"

namespace ltad {
namespace {

using test::contents;
using test::put_file;
using test::TemporaryFolder;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::ThrowsMessage;

SynthOptions small() { return {.classes = 2, .train = 3, .test_good = 2, .test_defective = 1, .size = 64, .seed = 0}; }

void write_quietly(const std::filesystem::path& out, const SynthOptions& options) {
    test::quietly([&] { write_synth_dataset(out, options); });
}

TEST(SynthDataset, IsAnMvtecDataSet) {
    const TemporaryFolder folder;
    SynthOptions options = small();
    options.classes = 12;
    options.train = 2;
    options.test_good = 1;
    write_quietly(folder / "set", options);
    const Dataset dataset = list_dataset(test::tree_config("mvtec", folder / "set"));
    EXPECT_EQ(dataset.train.size(), 12u * 2u);
    EXPECT_EQ(dataset.test.size(), 12u * (1u + 5u));
    const auto names = synth_class_names();
    for (const Sample& sample : dataset.train) EXPECT_THAT(names, Contains(sample.class_name));
    int masks = 0;
    for (const Sample& sample : dataset.test) {
        const Image image = read_image(dataset.root / sample.file);
        EXPECT_EQ(image.width, 64);
        EXPECT_EQ(image.height, 64);
        EXPECT_EQ(sample.mask.empty(), !sample.defective);
        if (!sample.defective) continue;
        ++masks;
        const Mask mask = read_mask(dataset.root / sample.mask);
        EXPECT_EQ(mask.width, 64);
        EXPECT_THAT(mask.pixels, Contains(1)) << sample.mask;
        EXPECT_THAT(mask.pixels, Contains(0)) << sample.mask;
    }
    EXPECT_EQ(masks, 12 * 5);
}

TEST(SynthDataset, HoldsThePicturesOfTheirKeys) {
    const TemporaryFolder folder;
    SynthOptions options = small();
    options.seed = 9;
    write_quietly(folder / "set", options);
    const auto names = synth_class_names();
    const SynthKey key{.class_index = 1, .seed = 9, .part = "train", .index = 2, .size = 64};
    EXPECT_EQ(read_image(folder / ("set/" + names[1] + "/train/good/002.png")).pixels, draw_good(key).image.pixels);
    const SynthKey bad{.class_index = 0, .seed = 9, .part = "test", .index = 0, .size = 64};
    const SynthPicture picture = draw_defective(bad, "pit");
    EXPECT_EQ(read_image(folder / ("set/" + names[0] + "/test/pit/000.png")).pixels, picture.image.pixels);
    EXPECT_EQ(read_mask(folder / ("set/" + names[0] + "/ground_truth/pit/000_mask.png")).pixels, picture.mask.pixels);
}

TEST(SynthDataset, TheSameOptionsGiveTheSameBytes) {
    const TemporaryFolder folder;
    SynthOptions options = small();
    write_quietly(folder / "one", options);
    write_quietly(folder / "two", options);
    const auto one = contents(folder / "one");
    EXPECT_EQ(one.size(), 2u * (3u + 2u + 5u * 2u));
    EXPECT_EQ(one, contents(folder / "two"));
    options.seed = 1;
    write_quietly(folder / "other", options);
    const auto other = contents(folder / "other");
    ASSERT_EQ(other.size(), one.size());
    for (const auto& [name, bytes] : one) EXPECT_NE(other.at(name), bytes) << name;
}

// More pictures or classes leave the ones that were there as they are.
TEST(SynthDataset, GrowsWithoutChanging) {
    const TemporaryFolder folder;
    SynthOptions options = small();
    write_quietly(folder / "small", options);
    options.classes = 3;
    options.train = 4;
    options.test_defective = 2;
    write_quietly(folder / "large", options);
    const auto large = contents(folder / "large");
    for (const auto& [name, bytes] : contents(folder / "small")) {
        ASSERT_TRUE(large.contains(name)) << name;
        EXPECT_EQ(large.at(name), bytes) << name;
    }
}

TEST(SynthDataset, NamesTheOptionOutOfRange) {
    const TemporaryFolder folder;
    const std::vector<std::pair<std::function<void(SynthOptions&)>, std::vector<const char*>>> cases = {
        {[](SynthOptions& o) { o.classes = 0; }, {"--classes: 0", "from 1 to 12"}},
        {[](SynthOptions& o) { o.classes = 13; }, {"--classes: 13", "from 1 to 12"}},
        {[](SynthOptions& o) { o.train = 0; }, {"--train: 0", "from 1"}},
        {[](SynthOptions& o) { o.test_good = 0; }, {"--test-good: 0", "from 1"}},
        {[](SynthOptions& o) { o.test_defective = -5; }, {"--test-defective: -5", "from 1"}},
        {[](SynthOptions& o) { o.size = 31; }, {"--size: 31", "from 32 to 4096"}},
        {[](SynthOptions& o) { o.size = 4097; }, {"--size: 4097", "from 32 to 4096"}},
        {[](SynthOptions& o) { o.size = int64_t{1} << 33; }, {"--size: 8589934592", "from 32 to 4096"}},
        {[](SynthOptions& o) { o.seed = -1; }, {"--seed: -1", "from 0"}},
    };
    for (const auto& [change, says] : cases) {
        SynthOptions options = small();
        change(options);
        EXPECT_THAT([&] { write_synth_dataset(folder / "set", options); },
                    ThrowsMessage<UsageError>(AllOf(HasSubstr(says[0]), HasSubstr(says[1]))));
        EXPECT_FALSE(std::filesystem::exists(folder / "set"));
    }
}

TEST(SynthDataset, LeavesAFolderThatIsNotEmptyAlone) {
    const TemporaryFolder folder;
    put_file(folder / "set/thesis.txt", "three years of work");
    EXPECT_THAT([&] { write_synth_dataset(folder / "set", small()); },
                ThrowsMessage<Error>(AllOf(HasSubstr((folder / "set").string()), HasSubstr("not an empty folder"))));
    put_file(folder / "file", "x");
    EXPECT_THAT([&] { write_synth_dataset(folder / "file", small()); },
                ThrowsMessage<Error>(HasSubstr((folder / "file").string())));
    EXPECT_EQ(read_file(folder / "set/thesis.txt"), "three years of work");
    EXPECT_EQ(read_file(folder / "file"), "x");
}

TEST(SynthDataset, TakesAnEmptyFolderAndMakesMissingOnes) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "empty");
    for (const char* name : {"empty", "not/there/yet"}) {
        write_quietly(folder / name, small());
        EXPECT_EQ(contents(folder / name).size(), 30u) << name;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("empty", "not")) << "left behind";
}

// Shells complete folder names with a slash.
TEST(SynthDataset, TakesAFolderWithATrailingSlash) {
    const TemporaryFolder folder;
    EXPECT_NO_THROW(write_quietly(folder / "set/", small()));
    EXPECT_TRUE(std::filesystem::exists(folder / "set"));
    EXPECT_EQ(list_dataset(test::tree_config("mvtec", folder / "set")).train.size(), 6u);
}

TEST(SynthDataset, NamesAPlaceThatCannotBeWritten) {
    const TemporaryFolder folder;
    put_file(folder / "file", "x");
    EXPECT_THAT([&] { write_quietly(folder / "file/set", small()); },
                ThrowsMessage<Error>(HasSubstr((folder / "file").string())));
}

}  // namespace
}  // namespace ltad
