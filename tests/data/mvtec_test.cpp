#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/data/dataset.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using test::write_mvtec_tree;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

TEST(MvtecLayout, FindsSamplesAndMasksSorted) {
    const TemporaryFolder folder;
    const auto config =
        write_mvtec_tree(folder / "set", {{.name = "zipper", .train = 1, .test_good = 1, .test_defective = 1},
                                          {.name = "bottle", .train = 2, .test_good = 1, .test_defective = 2}});
    const Dataset dataset = list_dataset(config);
    EXPECT_EQ(dataset.root, folder / "set");
    EXPECT_THAT(dataset.train, ElementsAre(Sample{"bottle/train/good/000.png", "bottle", false, ""},
                                           Sample{"bottle/train/good/001.png", "bottle", false, ""},
                                           Sample{"zipper/train/good/000.png", "zipper", false, ""}));
    EXPECT_THAT(
        dataset.test,
        ElementsAre(Sample{"bottle/test/broken/000.png", "bottle", true, "bottle/ground_truth/broken/000_mask.png"},
                    Sample{"bottle/test/broken/001.png", "bottle", true, "bottle/ground_truth/broken/001_mask.png"},
                    Sample{"bottle/test/good/000.png", "bottle", false, ""},
                    Sample{"zipper/test/broken/000.png", "zipper", true, "zipper/ground_truth/broken/000_mask.png"},
                    Sample{"zipper/test/good/000.png", "zipper", false, ""}));
}

// macOS and editors leave files behind; MVTec AD itself comes with a licence and a readme beside the classes.
TEST(MvtecLayout, IgnoresHiddenAndOtherFiles) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    const Dataset before = list_dataset(config);
    for (const char* name :
         {"set/.DS_Store", "set/readme.txt", "set/bottle/train/good/._000.png", "set/bottle/train/good/Thumbs.db",
          "set/bottle/test/.hidden/000.png", "set/bottle/test/broken/notes.txt", "set/.cache/train/good/000.png",
          "set/bottle/ground_truth/broken/._000_mask.png", "set/docs/figure.png"})
        put_file(folder / name, "x");
    const Dataset after = list_dataset(config);
    EXPECT_EQ(after.train, before.train);
    EXPECT_EQ(after.test, before.test);
}

TEST(MvtecLayout, TakesOtherPictureTypesAndMaskNames) {
    const TemporaryFolder folder;
    const auto config =
        write_mvtec_tree(folder / "set", {{.name = "bottle", .train = 1, .test_good = 1, .test_defective = 1}});
    put_file(folder / "set/bottle/train/good/A.JPG", "x");
    put_file(folder / "set/bottle/train/good/b.TiFF", "x");
    put_file(folder / "set/bottle/test/scratch/1.bmp", "x");
    put_file(folder / "set/bottle/ground_truth/scratch/1.png", "x");  // without "_mask"
    put_file(folder / "set/bottle/test/scratch/11.bmp", "x");         // not the mask of 1
    put_file(folder / "set/bottle/ground_truth/scratch/11_mask.bmp", "x");
    const Dataset dataset = list_dataset(config);
    ASSERT_EQ(dataset.train.size(), 3u);
    EXPECT_EQ(dataset.train[1].file, "bottle/train/good/A.JPG");  // bytewise: digits, capitals, small letters
    EXPECT_EQ(dataset.train[2].file, "bottle/train/good/b.TiFF");
    EXPECT_EQ(dataset.test[2].mask, "bottle/ground_truth/scratch/1.png");
    EXPECT_EQ(dataset.test[3].mask, "bottle/ground_truth/scratch/11_mask.bmp");
}

TEST(MvtecLayout, AClassWithoutGroundTruthIsLabelledByImage) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}, {.name = "own", .masks = false}});
    int with_mask = 0;
    int without = 0;
    for (const Sample& sample : list_dataset(config).test) {
        if (!sample.defective) continue;
        EXPECT_EQ(sample.mask.empty(), sample.class_name == "own");
        ++(sample.mask.empty() ? without : with_mask);
    }
    EXPECT_EQ(with_mask, 2);
    EXPECT_EQ(without, 2);
}

TEST(MvtecLayout, NamesTheDefectivePictureWithoutMask) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    std::filesystem::remove(folder / "set/bottle/ground_truth/broken/001_mask.png");
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr("bottle/test/broken/001.png"), HasSubstr("001_mask.png"))));
    // A kind of defect without a folder of masks, in a class that has masks, is the same mistake.
    std::filesystem::remove_all(folder / "set/bottle/ground_truth/broken");
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr("bottle/test/broken/000.png")));
}

TEST(MvtecLayout, KnownFoldersMayBeWrittenWithCapitals) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    const Dataset before = list_dataset(config);
    const auto rename = [&](const char* from, const char* to) {
        std::filesystem::rename(folder / "set/bottle" / from, folder / "set/bottle" / to);
    };
    rename("ground_truth/broken", "ground_truth/Broken");
    rename("ground_truth", "Ground_Truth");
    rename("train/good", "train/GOOD");
    rename("train", "Train");
    rename("test/good", "test/Good");
    rename("test", "TEST");
    const Dataset after = list_dataset(config);
    ASSERT_EQ(after.test.size(), before.test.size());
    EXPECT_EQ(after.train.at(0), (Sample{"bottle/Train/GOOD/000.png", "bottle", false, ""}));
    EXPECT_THAT(after.test, Contains(Sample{"bottle/TEST/broken/000.png", "bottle", true,
                                            "bottle/Ground_Truth/Broken/000_mask.png"}));
    EXPECT_THAT(after.test, Contains(Sample{"bottle/TEST/Good/000.png", "bottle", false, ""}));
    put_file(folder / "set/bottle/TEST/good/000.png", "x");
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr("bottle/TEST"), HasSubstr("Good and good"))));
}

TEST(MvtecLayout, EveryDefectHasOneMaskOfItsOwn) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    const auto expect_error = [&](const char* one, const char* two) {
        EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(AllOf(HasSubstr(one), HasSubstr(two))));
    };
    for (const char* beside : {"000.png", "000_mask.bmp", "000_MASK.png", "000.jpg"}) {
        const auto file = folder / "set/bottle/ground_truth/broken" / beside;
        put_file(file, "x");
        expect_error("ground_truth/broken/000_mask.png", beside);
        std::filesystem::remove(file);
    }
    for (const char* beside : {"000.jpg", "000_mask.png"}) {  // two pictures, one mask
        const auto file = folder / "set/bottle/test/broken" / beside;
        put_file(file, "x");
        expect_error("test/broken/000.png", beside);
        std::filesystem::remove(file);
    }
    EXPECT_NO_THROW((void)list_dataset(config));
}

TEST(MvtecLayout, WhatIsNotUsedIsCounted) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    for (const char* name :
         {"train/good/batch2/1.png", "train/good/batch2/2.png", "train/crack/1.png", "test/3.png",
          "test/broken/cam1/4.png", "test/scratch/5.gif", "ground_truth/good/000.png", "ground_truth/broken/9_mask.png",
          "Masks/1.png", "readme.txt", "train/good/Thumbs.db", ".cache/1.png"})
        put_file(folder / "set/bottle" / name, "x");
    testing::internal::CaptureStderr();
    (void)list_dataset(config);
    const std::string said = testing::internal::GetCapturedStderr();
    for (const char* words :
         {"2 files are not used (in a folder below; move them up into train/good), e.g. "
          "bottle/train/good/batch2/1.png",
          "1 file is not used (in train, but not in train/good), e.g. bottle/train/crack/1.png",
          "1 file is not used (directly in test, in no kind's folder), e.g. bottle/test/3.png",
          "(in a folder below; move them up into test/<kind>), e.g. bottle/test/broken/cam1/4.png",
          "e.g. bottle/test/scratch/5.gif", "(masks of good pictures), e.g. bottle/ground_truth/good/000.png",
          "(masks without a picture in test), e.g. bottle/ground_truth/broken/9_mask.png", "e.g. bottle/Masks/1.png"})
        EXPECT_THAT(said, HasSubstr(words));
    for (const char* name : {"readme.txt", "Thumbs.db", ".cache"}) EXPECT_THAT(said, Not(HasSubstr(name)));
}

TEST(MvtecLayout, NamesAreUtf8) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    put_file(folder / "set/bottle/test/good/caf\xe9.png", "x");
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr("bottle/test/good/caf"), HasSubstr("UTF-8"))));
}

TEST(MvtecLayout, NamesTheEmptyClass) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}, {.name = "cable", .train = 0}});
    std::filesystem::create_directories(folder / "set/cable/train/good");
    put_file(folder / "set/cable/train/good/notes.txt", "no picture");
    EXPECT_THAT(
        [&] { (void)list_dataset(config); },
        ThrowsMessage<Error>(AllOf(HasSubstr((folder / "set/cable/train/good").string()), HasSubstr("'cable'"))));
}

TEST(MvtecLayout, SaysWhereTheGoodPicturesMayBe) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    std::filesystem::rename(folder / "set/bottle/train/good", folder / "set/bottle/train/ok");
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(HasSubstr("bottle/train holds ok, where \"good\" is expected")));
    std::filesystem::rename(folder / "set/bottle/train/ok", folder / "set/bottle/pictures");
    std::filesystem::remove(folder / "set/bottle/train");
    std::filesystem::rename(folder / "set/bottle/pictures", folder / "set/bottle/train");
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr("3 pictures lie in ")));
}

TEST(MvtecLayout, MasksInFoldersAreNamed) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    std::filesystem::remove(folder / "set/bottle/ground_truth/broken/000_mask.png");
    put_file(folder / "set/bottle/ground_truth/broken/000/000.png", "x");  // as MVTec LOCO has them
    EXPECT_THAT([&] { (void)list_dataset(config); }, ThrowsMessage<Error>(HasSubstr("broken/000 is a folder")));
}

TEST(MvtecLayout, AFolderOfAnotherShapeLearnsWhatIsExpected) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle"}});
    DatasetConfig deeper = config;
    deeper.root = (folder / "set/bottle").string();
    EXPECT_THAT([&] { (void)list_dataset(deeper); },
                ThrowsMessage<Error>(AllOf(HasSubstr(deeper.root), HasSubstr("<class>/train/good/*.png"))));
}

TEST(MvtecLayout, NamesAllClassesWithoutTestPictures) {
    const TemporaryFolder folder;
    const auto config = write_mvtec_tree(folder / "set", {{.name = "bottle", .test_good = 0, .test_defective = 0},
                                                          {.name = "cable", .test_good = 0, .test_defective = 0}});
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(AllOf(HasSubstr("'bottle', 'cable'"), HasSubstr("good ones are enough"))));
}

TEST(MvtecLayout, NamesTheClassWithoutTestPictures) {
    const TemporaryFolder folder;
    const auto config =
        write_mvtec_tree(folder / "set", {{.name = "bottle"}, {.name = "cable", .test_good = 0, .test_defective = 0}});
    EXPECT_THAT([&] { (void)list_dataset(config); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr((folder / "set").string()), HasSubstr("without any test picture: 'cable'"))));
}

}  // namespace
}  // namespace ltad
