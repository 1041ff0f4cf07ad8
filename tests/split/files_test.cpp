#include <algorithm>
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/json.h"
#include "ltad/core/random.h"
#include "ltad/data/dataset.h"
#include "ltad/split/split.h"
#include "support/dataset_tree.h"

namespace ltad {
namespace {

using test::put_file;
using test::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;

void expect_equal(const Split& a, const Split& b) {
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(a.imbalance_factor, b.imbalance_factor);
    EXPECT_EQ(a.class_order.kind, b.class_order.kind);
    EXPECT_EQ(a.class_order.names, b.class_order.names);
    EXPECT_EQ(a.reverse, b.reverse);
    EXPECT_EQ(a.seed, b.seed);
    EXPECT_EQ(a.train, b.train);
    EXPECT_EQ(a.test, b.test);
    ASSERT_EQ(a.classes.size(), b.classes.size());
    for (std::size_t i = 0; i < a.classes.size(); ++i) {
        EXPECT_EQ(a.classes[i].name, b.classes[i].name);
        EXPECT_EQ(a.classes[i].available, b.classes[i].available);
        EXPECT_EQ(a.classes[i].requested, b.classes[i].requested);
        EXPECT_EQ(a.classes[i].kept, b.classes[i].kept);
        EXPECT_EQ(a.classes[i].group, b.classes[i].group);
    }
}

/// A data set on disk, and a split of it in `split`.
class SplitFolder : public testing::Test {
protected:
    SplitFolder()
        : config_(test::write_mvtec_tree(
              folder_ / "set",
              {{.name = "bottle", .train = 8}, {.name = "cable", .train = 4}, {.name = "own", .masks = false}})) {
        split_config_.type = "step";
        split_config_.imbalance_factor = 4;
        split_ = make_split(list_dataset(config_), split_config_, 133);
        write_split(path(), split_, config_);
    }

    [[nodiscard]] std::filesystem::path path() const { return folder_ / "split"; }
    [[nodiscard]] std::filesystem::path set() const { return folder_ / "set"; }
    [[nodiscard]] std::vector<std::string> problems() const { return verify_split(path(), ""); }

    /// Changes split.json as somebody with an editor would.
    void edit(const std::function<void(json&)>& change) {
        json document = read_json(path() / "split.json");
        change(document);
        write_json(path() / "split.json", document);
    }
    /// Changes a list and the hash that split.json records of it.
    void replace_list(const std::string& name, const std::string& text) {
        put_file(path() / name, text);
        edit([&](json& document) { document["sha256"][name] = sha256(text); });
    }
    void expect_unreadable(const std::string& file, const std::string& says) {
        EXPECT_THAT([&] { (void)read_split(path()); },
                    ThrowsMessage<Error>(AllOf(HasSubstr((path() / file).string()), HasSubstr(says))));
        EXPECT_THROW((void)problems(), Error);
    }

    TemporaryFolder folder_;
    DatasetConfig config_;
    SplitConfig split_config_;
    Split split_;
};

TEST_F(SplitFolder, ReadsBackWhatWasWritten) {
    expect_equal(read_split(path()), split_);
    split_config_.class_order = {.kind = "list", .names = {"own", "bottle", "cable"}};
    split_config_.reverse = true;
    split_config_.type = "exp";
    split_config_.imbalance_factor = 2.5;
    const Split other = make_split(list_dataset(config_), split_config_, INT64_MAX);
    write_split(folder_ / "other", other, config_);
    expect_equal(read_split(folder_ / "other"), other);
    const Split imported = import_split(list_dataset(config_));
    write_split(folder_ / "imported", imported, config_);
    expect_equal(read_split(folder_ / "imported"), imported);
}

TEST_F(SplitFolder, TheSameSeedGivesTheSameBytes) {
    write_split(folder_ / "again", make_split(list_dataset(config_), split_config_, 133), config_);
    write_split(folder_ / "other", make_split(list_dataset(config_), split_config_, 134), config_);
    for (const char* name : {"train.jsonl", "test.jsonl", "split.json"})
        EXPECT_EQ(read_file(path() / name), read_file(folder_ / "again" / name)) << name;
    EXPECT_NE(read_file(path() / "train.jsonl"), read_file(folder_ / "other" / "train.jsonl"));
    EXPECT_EQ(read_file(path() / "test.jsonl"), read_file(folder_ / "other" / "test.jsonl"));
}

TEST_F(SplitFolder, SaysAllThatDesignAsksFor) {
    const json document = read_json(path() / "split.json");
    EXPECT_EQ(document.at("format"), "ltad-split/1");
    EXPECT_EQ(document.at("dataset").at("layout"), "mvtec");
    EXPECT_EQ(document.at("dataset").at("root"), set().string());
    EXPECT_EQ(document.at("type"), "step");
    EXPECT_EQ(document.at("imbalance_factor"), 4);
    EXPECT_EQ(document.at("class_order"), "cardinality");
    EXPECT_EQ(document.at("seed"), 133);
    EXPECT_EQ(document.at("classes").at(1),
              json::parse(R"({"name": "cable", "available": 4, "requested": 2, "kept": 2, "group": "low"})"));
    for (const char* name : {"train.jsonl", "test.jsonl"})
        EXPECT_EQ(document.at("sha256").at(name), sha256(read_file(path() / name)));
}

TEST_F(SplitFolder, NamesTheListThatWasChanged) {
    for (const char* name : {"train.jsonl", "test.jsonl"}) {
        const std::string whole = read_file(path() / name);
        for (const std::string& changed : {whole + "\n", whole.substr(0, whole.find('\n') + 1), std::string(),
                                           std::string(whole).replace(20, 1, "?")}) {
            put_file(path() / name, changed);
            expect_unreadable(name, "the list was changed");
        }
        put_file(path() / name, whole);
    }
    EXPECT_NO_THROW((void)read_split(path()));
}

TEST_F(SplitFolder, NamesTheMissingFile) {
    for (const char* name : {"train.jsonl", "test.jsonl"}) {
        const std::string whole = read_file(path() / name);
        std::filesystem::remove(path() / name);
        expect_unreadable(name, "cannot read");
        put_file(path() / name, whole);
    }
    std::filesystem::remove(path() / "split.json");
    EXPECT_THAT([&] { (void)read_split(path()); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path().string()), HasSubstr("no split.json"))));
    EXPECT_THAT([&] { (void)read_split(folder_ / "gone"); },
                ThrowsMessage<Error>(HasSubstr((folder_ / "gone").string())));
}

TEST_F(SplitFolder, NamesWhatIsWrongInSplitJson) {
    const std::string whole = read_file(path() / "split.json");
    const std::vector<std::pair<std::function<void(json&)>, std::string>> cases = {
        {[](json& d) { d["format"] = "ltad-split/2"; }, "ltad-split/2"},
        {[](json& d) { d.erase("format"); }, "format"},
        {[](json& d) { d = json::array({1}); }, "split.json"},
        {[](json& d) { d.erase("seed"); }, "seed"},
        {[](json& d) { d["seed"] = "133"; }, "number"},
        {[](json& d) { d.erase("sha256"); }, "sha256"},
        {[](json& d) { d["sha256"].erase("test.jsonl"); }, "test.jsonl"},
        {[](json& d) { d["classes"] = 3; }, "split.json"},
        {[](json& d) { d["classes"][0].erase("kept"); }, "kept"},
        {[](json& d) { d["classes"][0]["group"] = "middle"; }, "middle"},
        {[](json& d) { d["classes"][1]["kept"] = 3; }, "class 'cable' keeps 3 pictures, train.jsonl has 2"},
        {[](json& d) { d["classes"][1]["kept"] = -1; }, "'cable'"},
        {[](json& d) { d["classes"][1]["name"] = "cabel"; }, "'cabel'"},
        {[](json& d) { d["classes"].erase(1); }, "classes that split.json does not name"},
        {[](json& d) { d["classes"].push_back(d["classes"][0]); }, "split.json"},
        {[](json& d) { d["class_order"] = 5; }, "split.json"},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE(text("case ", i, ": ", cases[i].second));
        edit(cases[i].first);
        expect_unreadable("split.json", cases[i].second);
        put_file(path() / "split.json", whole);
    }
    put_file(path() / "split.json", whole.substr(0, whole.size() / 2));
    expect_unreadable("split.json", "not valid JSON");
}

TEST_F(SplitFolder, NamesTestPicturesOfUnknownClasses) {
    replace_list("test.jsonl",
                 read_file(path() / "test.jsonl") + R"({"filename": "x/1.png", "label": 0, "clsname": "x"})" + "\n");
    expect_unreadable("split.json", "test.jsonl has pictures of class 'x'");
}

TEST_F(SplitFolder, NamesTheLineOfAListWithTheRightHash) {
    replace_list("train.jsonl", read_file(path() / "train.jsonl") + "oops\n");
    expect_unreadable("train.jsonl", "a JSON object was expected");
}

TEST_F(SplitFolder, SurvivesDamagedBytes) {
    Random random(RandomUse::test, {8});
    const std::string whole = read_file(path() / "split.json");
    for (int i = 0; i < 100; ++i) {
        std::string bytes = i % 3 == 0 ? whole.substr(0, random.below(whole.size())) : whole;
        if (!bytes.empty()) bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        put_file(path() / "split.json", bytes);
        try {
            (void)read_split(path());
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path().string()));
        }
    }
}

TEST_F(SplitFolder, VerifyFindsNothingWrongWithASoundSplit) {
    EXPECT_THAT(problems(), IsEmpty());
    std::filesystem::rename(set(), folder_ / "moved");
    EXPECT_THAT(verify_split(path(), folder_ / "moved"), IsEmpty());
    EXPECT_THAT(problems(), SizeIs(split_.train.size() + split_.test.size() + 4));  // 4 masks
}

TEST_F(SplitFolder, VerifyNamesEveryMissingOrDamagedFile) {
    const std::string train = split_.train.front().file;
    std::filesystem::remove(set() / train);
    put_file(set() / "bottle/test/good/001.png", "not a picture");
    put_file(set() / "own/test/broken/000.png", "");
    std::filesystem::remove(set() / "cable/ground_truth/broken/000_mask.png");
    put_file(set() / "cable/ground_truth/broken/001_mask.png", "not a mask");
    const auto found = problems();
    EXPECT_THAT(found, SizeIs(5));
    for (const std::string& file :
         {train, std::string("bottle/test/good/001.png"), std::string("own/test/broken/000.png"),
          std::string("cable/ground_truth/broken/000_mask.png"), std::string("cable/ground_truth/broken/001_mask.png")})
        EXPECT_THAT(found, testing::Contains(HasSubstr((set() / file).string())));
}

TEST_F(SplitFolder, VerifyLeavesOutWhatTheSplitDoesNotUse) {
    for (const Sample& sample : list_dataset(config_).train)
        if (std::find(split_.train.begin(), split_.train.end(), sample) == split_.train.end())
            std::filesystem::remove(set() / sample.file);
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(SplitFolder, VerifyNamesAMaskOfAnotherSize) {
    put_file(set() / "bottle/ground_truth/broken/000_mask.png", encode_png(test::tiny_mask(20)));
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr((set() / "bottle/ground_truth/broken/000_mask.png").string()),
                                              HasSubstr("20 x 20"), HasSubstr("16 x 16"))));
}

// As the training does, and by the bits that the split was made with.
TEST_F(SplitFolder, VerifyWarnsOfPicturesThatUseFewBits) {
    const std::string camera = read_file(std::filesystem::path(LTAD_TEST_DATA) / "pictures/camera12.tif");
    for (const Sample& sample : split_.train)
        if (sample.class_name == "bottle") put_file(set() / sample.file, camera);
    testing::internal::CaptureStderr();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                AllOf(HasSubstr("class 'bottle'"), HasSubstr("dataset.bits to 12")));

    edit([](json& d) { d["dataset"]["bits"] = 12; });
    testing::internal::CaptureStderr();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");

    edit([](json& d) { d["dataset"]["bits"] = 10; });
    EXPECT_THAT(problems(), testing::Contains(HasSubstr("dataset.bits to 12")));
}

TEST_F(SplitFolder, KeepsTheBitsOfItsPictures) {
    EXPECT_FALSE(read_json(path() / "split.json").at("dataset").contains("bits"));
    config_.bits = 12;
    write_split(path(), split_, config_);
    EXPECT_EQ(read_json(path() / "split.json").at("dataset").at("bits"), 12);
    expect_equal(read_split(path()), split_);
}

TEST_F(SplitFolder, VerifyNamesSplitJsonWithoutDataset) {
    const std::string whole = read_file(path() / "split.json");
    for (const std::function<void(json&)>& change : std::vector<std::function<void(json&)>>{
             [](json& d) { d.erase("dataset"); }, [](json& d) { d["dataset"] = "here"; },
             [](json& d) { d["dataset"]["root"] = 5; }}) {
        edit(change);
        EXPECT_THAT([&] { (void)problems(); }, ThrowsMessage<Error>(HasSubstr((path() / "split.json").string())));
        put_file(path() / "split.json", whole);
    }
}

}  // namespace
}  // namespace ltad
