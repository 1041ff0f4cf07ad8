#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/data/dataset.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using test::write_dagm_tree;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(DagmLayout, FindsSamplesAndLeavesDefectiveTrainingPicturesOut) {
    const TemporaryFolder folder;
    const auto config = write_dagm_tree(
        folder / "set", {{.name = "Class2", .train = 1, .test_good = 1, .test_defective = 0, .train_defective = 0},
                         {.name = "Class1", .train = 2, .test_good = 1, .test_defective = 2, .train_defective = 3}});
    const Dataset dataset = list_dataset(config);
    EXPECT_THAT(dataset.train, ElementsAre(Sample{"Class1/Train/001.PNG", "Class1", false, ""},
                                           Sample{"Class1/Train/002.PNG", "Class1", false, ""},
                                           Sample{"Class2/Train/001.PNG", "Class2", false, ""}));
    EXPECT_THAT(dataset.test,
                ElementsAre(Sample{"Class1/Test/001.PNG", "Class1", false, ""},
                            Sample{"Class1/Test/002.PNG", "Class1", true, "Class1/Test/Label/002_label.PNG"},
                            Sample{"Class1/Test/003.PNG", "Class1", true, "Class1/Test/Label/003_label.PNG"},
                            Sample{"Class2/Test/001.PNG", "Class2", false, ""}));
}

TEST(DagmLayout, TakesEitherCaseOfExtensionsAndIgnoresTheRest) {
    const TemporaryFolder folder;
    const auto config =
        write_dagm_tree(folder / "set", {{.name = "Class1", .train = 1, .test_good = 1, .test_defective = 0}});
    put_file(folder / "set/Class1/Test/0500.png", "x");
    put_file(folder / "set/Class1/Test/Label/0500_label.PNG", "x");
    put_file(folder / "set/Class1/Test/0501.PNG", "x");
    put_file(folder / "set/Class1/Test/Label/0501_label.png", "x");
    put_file(folder / "set/Class1/Test/Label/Labels.txt", "1\t0\t0\t0\t0\n");  // DAGM has one in every Label folder
    put_file(folder / "set/Class1/Test/Label/9999_label.PNG", "x");            // belongs to nothing, and is said
    put_file(folder / "set/Class1/Train/.0002.PNG", "x");
    put_file(folder / "set/Class1/Train/Thumbs.db", "x");
    put_file(folder / "set/readme.txt", "x");
    put_file(folder / "set/scripts/convert.png", "x");
    const Dataset dataset = list_dataset(config);
    EXPECT_EQ(dataset.train.size(), 1u);
    EXPECT_THAT(dataset.test,
                ElementsAre(Sample{"Class1/Test/001.PNG", "Class1", false, ""},
                            Sample{"Class1/Test/0500.png", "Class1", true, "Class1/Test/Label/0500_label.PNG"},
                            Sample{"Class1/Test/0501.PNG", "Class1", true, "Class1/Test/Label/0501_label.png"}));
}

// The same number means another picture in the other half, and in another class.
TEST(DagmLayout, KeepsTheHalvesNumberingApart) {
    const TemporaryFolder folder;
    const auto config =
        write_dagm_tree(folder / "set", {{.name = "Class1", .train = 3, .test_good = 1, .test_defective = 1}});
    const Dataset dataset = list_dataset(config);  // 002 has a label in Test only
    EXPECT_EQ(dataset.train.size(), 3u);
    EXPECT_TRUE(dataset.test[1].defective);
}

TEST(DagmLayout, NamesTheEmptyClass) {
    const TemporaryFolder folder;
    const auto config = write_dagm_tree(folder / "set", {{.name = "Class1"}, {.name = "Class2", .train = 0}});
    std::filesystem::create_directories(folder / "set/Class2/Train");
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr((folder / "set/Class2/Train").string()), HasSubstr("'Class2'"))));
}

TEST(DagmLayout, NamesTheClassWhoseTrainingPicturesAreAllDefective) {
    const TemporaryFolder folder;
    auto config =
        write_dagm_tree(folder / "set", {{.name = "Class1"}, {.name = "Class2", .train = 0, .train_defective = 2}});
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(HasSubstr("'Class2' has no training picture")));
    // Without test pictures either, it must not vanish from the data set without a word.
    config = write_dagm_tree(
        folder / "other", {{.name = "Class1"},
                           {.name = "Class2", .train = 0, .test_good = 0, .test_defective = 0, .train_defective = 2}});
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr("Class2")));
}

TEST(DagmLayout, NamesTheClassWithoutTestPictures) {
    const TemporaryFolder folder;
    const auto config =
        write_dagm_tree(folder / "set", {{.name = "Class1"}, {.name = "Class2", .test_good = 0, .test_defective = 0}});
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(HasSubstr("without any test picture: 'Class2'")));
}

// Labels alone tell which pictures are defective: where one is missed, a defect would be trained on as good.
TEST(DagmLayout, NoLabelIsMissed) {
    const auto expect = [](const std::function<void(const std::filesystem::path&)>& change, const std::string& says) {
        const TemporaryFolder folder;
        const auto config = write_dagm_tree(folder / "set", {{.name = "Class1", .train = 2, .train_defective = 2}});
        const Dataset before = list_dataset(config);
        change(folder / "set/Class1/Train");
        SCOPED_TRACE(says);
        if (says.empty())
            EXPECT_EQ(list_dataset(config).train, before.train);
        else
            EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr(says)));
    };
    const auto renamed = [](const char* from, const char* to) {
        return [=](const std::filesystem::path& train) { std::filesystem::rename(train / from, train / to); };
    };
    const auto added = [](const char* name) {
        return [=](const std::filesystem::path& train) { put_file(train / name, "x"); };
    };
    expect(renamed("Label", "label"), "");
    expect(renamed("Label", "LABEL"), "");
    expect(renamed("Label/003_label.PNG", "Label/003_Label.png"), "");
    expect(renamed("Label", "Labels"), "rename it to Label");
    expect(renamed("Label", "masks"), "rename it to Label");
    expect(renamed("Label/003_label.PNG", "Label/003.PNG"), "003.PNG: a label of no picture");
    expect(renamed("Label/003_label.PNG", "Label/3_label.PNG"), "is it that of 003.PNG?");
    expect(renamed("Label/003_label.PNG", "Label/003_label.gif"), "format that is not read");
    expect(added("Label/003_label.bmp"), "a second label of picture 003");
    expect(added("003.bmp"), "is also that of");
    expect(added("Label/9999_label.PNG"), "");  // whose picture somebody has taken away
    expect(added("label/003_label.PNG"), "Label and label");
}

}  // namespace
}  // namespace ltad
