#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/random.h"
#include "ltad/data/dataset.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using test::write_jsonl_tree;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Two lines as UniAD's own lists have them.
constexpr const char* uniad_good =
    R"({"filename": "zipper/train/good/002.png", "label": 0, "label_name": "good", "clsname": "zipper"})";
constexpr const char* uniad_defective =
    R"({"filename": "bottle/test/broken_large/002.png", "label": 1, "label_name": "defective", )"
    R"("maskname": "bottle/ground_truth/broken_large/002_mask.png", "clsname": "bottle"})";

TEST(SampleList, ReadsUniadsLines) {
    const TemporaryFolder folder;
    put_file(folder / "list.jsonl",
             std::string(uniad_good) + "\r\n\n  \n" + uniad_defective);  // CRLF, blanks, no last newline
    EXPECT_THAT(read_sample_list(folder / "list.jsonl"),
                ElementsAre(Sample{"zipper/train/good/002.png", "zipper", false, ""},
                            Sample{"bottle/test/broken_large/002.png", "bottle", true,
                                   "bottle/ground_truth/broken_large/002_mask.png"}));
}

TEST(SampleList, WritesUniadsKeys) {
    const std::string lines = format_sample_list(
        {{"a/1.png", "a", false, ""}, {"a/2.png", "a", true, "a/2_mask.png"}, {"a/3.png", "a", true, ""}});
    // Byte for byte: the hashes in split.json are of this text.
    EXPECT_EQ(lines,
              "{\"filename\":\"a/1.png\",\"label\":0,\"label_name\":\"good\",\"clsname\":\"a\"}\n"
              "{\"filename\":\"a/2.png\",\"label\":1,\"label_name\":\"defective\",\"maskname\":\"a/"
              "2_mask.png\",\"clsname\":\"a\"}\n"
              "{\"filename\":\"a/3.png\",\"label\":1,\"label_name\":\"defective\",\"clsname\":\"a\"}\n");
}

TEST(SampleList, RoundTrip) {
    const TemporaryFolder folder;
    const std::vector<Sample> samples = {{"a b/\"quoted\" \\ 1.png", "a b", false, ""},
                                         {"größe/ü.png", "größe", true, "größe/ü_mask.png"},
                                         {"c/labelled by image.png", "c", true, ""},
                                         {"c/tab\there.png", "c", false, ""}};
    put_file(folder / "list.jsonl", format_sample_list(samples));
    EXPECT_EQ(read_sample_list(folder / "list.jsonl"), samples);
    EXPECT_EQ(format_sample_list({}), "");
}

TEST(SampleList, NamesFileAndLineOfAMistake) {
    const TemporaryFolder folder;
    const auto file = folder / "list.jsonl";
    const auto with = [](const std::string& body) { return "{" + body + "}"; };
    const std::string f = R"("filename": "a.png")";
    const std::string c = R"("clsname": "a")";
    const std::string l = R"("label": 0)";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"not json", "a JSON object was expected"},
        {std::string(uniad_good).substr(0, 60), "a JSON object was expected"},  // cut off
        {"[1, 2]", "a JSON object was expected"},
        {"\"a.png\"", "a JSON object was expected"},
        {"\xff\xfe", "a JSON object was expected"},
        {with(l + "," + c), "\"filename\""},
        {with(f + "," + l), "\"clsname\""},
        {with(f + "," + c), "\"label\""},
        {with(R"("filename": "",)" + l + "," + c), "\"filename\""},
        {with(R"("filename": 7,)" + l + "," + c), "\"filename\""},
        {with(R"("filename": null,)" + l + "," + c), "\"filename\""},
        {with(f + R"(,"label": 2,)" + c), "0 (good) or 1 (defective)"},
        {with(f + R"(,"label": -1,)" + c), "0 (good) or 1 (defective)"},
        {with(f + R"(,"label": "0",)" + c), "0 (good) or 1 (defective)"},
        {with(f + R"(,"label": true,)" + c), "0 (good) or 1 (defective)"},
        {with(f + R"(,"label": 18446744073709551617,)" + c), "0 (good) or 1 (defective)"},
        {with(f + R"(,"label": 1,"maskname": 5,)" + c), "\"maskname\""},
        {with(R"("filename": "/etc/passwd",)" + l + "," + c), "/etc/passwd"},
        {with(R"("filename": "../a.png",)" + l + "," + c), "without '..'"},
        {with(R"("filename": "a/../../b.png",)" + l + "," + c), "without '..'"},
        {with(f + R"(,"label": 1,"maskname": "/m.png",)" + c), "/m.png"},
        {with(f + R"(,"label": 1,"maskname": "x/../../m.png",)" + c), "without '..'"},
    };
    for (const auto& [line, says] : cases) {
        SCOPED_TRACE(line);
        put_file(file, std::string(uniad_good) + "\n\n" + line + "\n");
        EXPECT_THAT([&] { (void)read_sample_list(file); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(file.string() + ":3: "), HasSubstr(says))));
    }
}

TEST(SampleList, TakesNoMaskInAnySpelling) {
    const TemporaryFolder folder;
    for (const char* mask : {R"(, "maskname": null)", R"(, "maskname": "")", ""})
        for (const int label : {0, 1}) {
            put_file(folder / "list.jsonl",
                     text(R"({"filename": "a.png", "clsname": "a", "label": )", label, mask, "}"));
            EXPECT_THAT(read_sample_list(folder / "list.jsonl"), ElementsAre(Sample{"a.png", "a", label == 1, ""}));
        }
}

TEST(SampleList, OneFileHasOneSpelling) {
    const TemporaryFolder folder;
    for (const char* name : {"a/b.png", "./a/b.png", "a//b.png", "a/./b.png", "././a///b.png"}) {
        put_file(folder / "list.jsonl", text(R"({"filename": ")", name, R"(", "clsname": "a", "label": 0})"));
        EXPECT_EQ(read_sample_list(folder / "list.jsonl").at(0).file, "a/b.png") << name;
    }
}

TEST(SampleList, TakesAMarkAndAnyLineEnds) {
    const TemporaryFolder folder;
    put_file(folder / "list.jsonl", text("\xEF\xBB\xBF", uniad_good, '\r', uniad_defective, '\r'));
    EXPECT_EQ(read_sample_list(folder / "list.jsonl").size(), 2u);
}

TEST(SampleList, TakesDotsThatAreNoWayUp) {
    const TemporaryFolder folder;
    put_file(folder / "list.jsonl", R"({"filename": "a/scan..0001.png", "label": 0, "clsname": "a"})");
    EXPECT_EQ(read_sample_list(folder / "list.jsonl").at(0).file, "a/scan..0001.png");
}

// Linux file names are bytes; JSON is UTF-8.
TEST(SampleList, NamesTheFileWhoseNameIsNotUtf8) {
    EXPECT_THAT(
        [] {
            (void)format_sample_list(
                {{"bottle/gr\xf6\xdf"
                  "e.png",
                  "bottle", false, ""}});
        },
        ThrowsMessage<Error>(HasSubstr("bottle/gr")));
}

TEST(SampleList, SurvivesDamagedBytes) {
    const TemporaryFolder folder;
    Random random(RandomUse::test, {7});
    const std::string whole = std::string(uniad_good) + "\n" + uniad_defective + "\n";
    for (int i = 0; i < 150; ++i) {
        std::string bytes = whole.substr(0, i % 2 == 0 ? random.below(whole.size()) : whole.size());
        if (!bytes.empty()) bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        put_file(folder / "list.jsonl", bytes);
        try {
            for (const Sample& sample : read_sample_list(folder / "list.jsonl")) EXPECT_FALSE(sample.file.empty());
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("list.jsonl:"));
        }
    }
}

/// A data set whose files all exist; tests change its lists.
class JsonlLayout : public testing::Test {
protected:
    JsonlLayout()
        : config_(write_jsonl_tree(folder_ / "set",
                                   {{.name = "bottle", .train = 2, .test_good = 1, .test_defective = 1}})) {}

    void add(const char* list, const std::string& line) { append_to_file(folder_ / "set" / list, line + "\n"); }
    void expect_error(const std::string& says) {
        EXPECT_THAT([&] { (void)list_dataset(config_); }, ThrowsMessage<Error>(HasSubstr(says)));
    }

    TemporaryFolder folder_;
    DatasetConfig config_;
};

TEST_F(JsonlLayout, FindsSamplesAndMasksSorted) {
    add("train.jsonl", R"({"filename": "bottle/0-first.png", "label": 0, "clsname": "bottle"})");
    put_file(folder_ / "set/bottle/0-first.png", "x");
    const Dataset dataset = list_dataset(config_);
    EXPECT_THAT(dataset.train, ElementsAre(Sample{"bottle/0-first.png", "bottle", false, ""},
                                           Sample{"bottle/train-000.png", "bottle", false, ""},
                                           Sample{"bottle/train-001.png", "bottle", false, ""}));
    EXPECT_THAT(dataset.test, ElementsAre(Sample{"bottle/broken-000.png", "bottle", true, "bottle/mask-000.png"},
                                          Sample{"bottle/good-000.png", "bottle", false, ""}));
}

TEST_F(JsonlLayout, FindsListsInsideTheRootToo) {
    const Dataset before = list_dataset(config_);
    config_.train = "train.jsonl";
    config_.test = "test.jsonl";
    EXPECT_EQ(list_dataset(config_).train, before.train);
    EXPECT_EQ(list_dataset(config_).test, before.test);
}

TEST_F(JsonlLayout, NamesTheMissingList) {
    config_.test = "nowhere.jsonl";
    expect_error("nowhere.jsonl: no such list");
}

TEST_F(JsonlLayout, NamesTheMissingFileOrMask) {
    std::filesystem::remove(folder_ / "set/bottle/mask-000.png");
    expect_error((folder_ / "set/bottle/mask-000.png").string());
    std::filesystem::remove(folder_ / "set/bottle/train-001.png");
    expect_error((folder_ / "set/bottle/train-001.png").string());
}

TEST_F(JsonlLayout, RefusesADefectiveTrainingPicture) {
    add("train.jsonl", R"({"filename": "bottle/broken-000.png", "label": 1, "clsname": "bottle"})");
    expect_error("bottle/broken-000.png: a defective picture among the training pictures");
}

TEST_F(JsonlLayout, RefusesARepeatedLine) {
    add("train.jsonl", R"({"filename": "bottle/train-000.png", "label": 0, "clsname": "bottle"})");
    expect_error("bottle/train-000.png is listed twice");
}

TEST_F(JsonlLayout, RefusesATestPictureAmongTheTrainingPictures) {
    add("train.jsonl", R"({"filename": "bottle/good-000.png", "label": 0, "clsname": "bottle"})");
    expect_error("bottle/good-000.png is listed twice");
}

// In another spelling it would be trained on and tested with.
TEST_F(JsonlLayout, RefusesATestPictureInAnotherSpelling) {
    add("train.jsonl", R"({"filename": "./bottle//good-000.png", "label": 0, "clsname": "bottle"})");
    expect_error("bottle/good-000.png is listed twice");
}

TEST_F(JsonlLayout, AMaskIsNoPictureOfTheDataSet) {
    put_file(folder_ / "set/bottle/other.png", "x");
    add("test.jsonl",
        R"({"filename": "bottle/other.png", "label": 1, "clsname": "bottle", "maskname": "bottle/good-000.png"})");
    expect_error("the mask of bottle/other.png, and a picture of the data set itself");
}

TEST_F(JsonlLayout, NamesTheClassThatHasOnlyOneHalf) {
    put_file(folder_ / "set/cable/1.png", "x");
    add("test.jsonl", R"({"filename": "cable/1.png", "label": 0, "clsname": "cable"})");
    expect_error("without any training picture: 'cable'");
}

TEST_F(JsonlLayout, NamesTheDefectivePictureWithoutMask) {
    put_file(folder_ / "set/bottle/other.png", "x");
    add("test.jsonl", R"({"filename": "bottle/other.png", "label": 1, "clsname": "bottle"})");
    expect_error((folder_ / "set/bottle/other.png").string());
}

TEST_F(JsonlLayout, AClassWithoutMasksIsLabelledByImage) {
    const auto config = write_jsonl_tree(folder_ / "own", {{.name = "bottle"}, {.name = "cable", .masks = false}});
    for (const Sample& sample : list_dataset(config).test)
        EXPECT_EQ(sample.mask.empty(), !sample.defective || sample.class_name == "cable") << sample.file;
}

TEST_F(JsonlLayout, RefusesEmptyLists) {
    put_file(folder_ / "set/train.jsonl", "");
    put_file(folder_ / "set/test.jsonl", "\n");
    expect_error("no class with pictures");
}

}  // namespace
}  // namespace ltad
