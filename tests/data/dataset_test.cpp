#include "ltad/data/dataset.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using test::TreeClass;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

using TreeWriter = DatasetConfig (*)(const std::filesystem::path&, const std::vector<TreeClass>&);

struct Layout {
    const char* name;
    TreeWriter write;
};

class EveryLayout : public testing::TestWithParam<Layout> {};

INSTANTIATE_TEST_SUITE_P(Layouts, EveryLayout,
                         testing::Values(Layout{"mvtec", test::write_mvtec_tree}, Layout{"visa", test::write_visa_tree},
                                         Layout{"dagm", test::write_dagm_tree},
                                         Layout{"jsonl", test::write_jsonl_tree}),
                         [](const auto& test) { return test.param.name; });

TEST_P(EveryLayout, ListsTheSamePicturesInBytewiseOrder) {
    const TemporaryFolder folder;
    // "Zebra" < "ant" bytewise, not alphabetically; "a-b" < "a" + "/…" since '-' < '/'.
    const auto config =
        GetParam().write(folder / "set", {{.name = "ant", .train = 12, .test_good = 4, .test_defective = 3},
                                          {.name = "ant-hill", .train = 5},
                                          {.name = "Zebra", .train = 1, .test_good = 1, .test_defective = 0}});
    const Dataset dataset = list_dataset(config);
    EXPECT_EQ(dataset.train.size(), 18u);
    EXPECT_EQ(dataset.test.size(), 12u);
    const auto by_file = [](const Sample& a, const Sample& b) { return a.file < b.file; };
    EXPECT_TRUE(std::is_sorted(dataset.train.begin(), dataset.train.end(), by_file));
    EXPECT_TRUE(std::is_sorted(dataset.test.begin(), dataset.test.end(), by_file));
    EXPECT_EQ(dataset.train.front().class_name, "Zebra");
    EXPECT_EQ(std::count_if(dataset.test.begin(), dataset.test.end(), [](const Sample& s) { return s.defective; }), 5);
    for (const auto* samples : {&dataset.train, &dataset.test})
        for (const Sample& sample : *samples) {
            SCOPED_TRACE(sample.file);
            EXPECT_TRUE(sample.file.starts_with(sample.class_name + "/"));
            EXPECT_EQ(sample.mask.empty(), !sample.defective);
            const Image image = read_image(dataset.root / sample.file);  // paths lead to files from the root
            if (sample.mask.empty()) continue;
            const Mask mask = read_mask(dataset.root / sample.mask);
            ASSERT_EQ(mask.width, image.width);
            for (std::size_t i = 0; i < mask.pixels.size(); ++i)  // the mask is this picture's own
                EXPECT_EQ(mask.pixels[i] != 0, image.pixels[3 * i] == 255);
        }
}

TEST_P(EveryLayout, ListsTheSameAgain) {
    const TemporaryFolder folder;
    const auto config = GetParam().write(folder / "set", {{.name = "b"}, {.name = "a"}});
    const Dataset once = list_dataset(config);
    const Dataset again = list_dataset(config);
    EXPECT_EQ(once.train, again.train);
    EXPECT_EQ(once.test, again.test);
}

TEST_P(EveryLayout, NamesTheMissingRoot) {
    const TemporaryFolder folder;
    auto config = GetParam().write(folder / "set", {{.name = "a"}});
    config.root = (folder / "gone").string();
    EXPECT_THAT(
        [&] { (void)list_dataset(config); },
        ThrowsMessage<Error>(AllOf(HasSubstr(config.root), HasSubstr("no such folder"), HasSubstr(GetParam().name))));
    test::put_file(folder / "file", "x");
    config.root = (folder / "file").string();
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr(config.root)));
}

TEST_P(EveryLayout, NamesARootThatHoldsNoClass) {
    const TemporaryFolder folder;
    const auto config = GetParam().write(folder / "set", {});
    std::filesystem::create_directories(folder / "set/photos");
    test::put_file(folder / "set/photos/1.png", "x");
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr((folder / "set").string()), HasSubstr("no class"))));
}

TEST_P(EveryLayout, FollowsALinkedRoot) {
    const TemporaryFolder folder;
    auto config = GetParam().write(folder / "set", {{.name = "a"}});
    const Dataset direct = list_dataset(config);
    std::filesystem::create_directory_symlink(folder / "set", folder / "link");
    config.root = (folder / "link").string();
    EXPECT_EQ(list_dataset(config).train, direct.train);
    EXPECT_EQ(list_dataset(config).test, direct.test);
}

TEST(ListDataset, NamesTheUnknownLayout) {
    const TemporaryFolder folder;
    DatasetConfig config;
    config.layout = "mvtek";
    config.root = folder.path().string();
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("mvtek"), HasSubstr("mvtec, visa, dagm or jsonl"))));
}

// A wrong layout finds nothing; the message says where to look for the mistake.
TEST(ListDataset, AnotherLayoutsTreeHasNoClass) {
    const TemporaryFolder folder;
    auto config = test::write_mvtec_tree(folder / "set", {{.name = "a"}});
    config.layout = "dagm";
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr("dataset.layout")));
    config.layout = "visa";
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr("1cls.csv")));
}

}  // namespace
}  // namespace ltad
