#include "ltad/detect/inspection.h"

#include <array>
#include <map>
#include <sstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/image.h"
#include "support/golden.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

class InspectionTest : public ::testing::Test {
protected:
    InspectionTest() {
        fit_detector(run, {});
        run.write_config();
        (void)thresholds_of(run, *load_detector(run));
    }

    /// The lines that `ltad-detect` prints.
    [[nodiscard]] std::vector<json> lines(InspectionOptions options) const {
        options.run = tiny / "run";
        std::ostringstream out;
        inspect_pictures(options, out);
        std::istringstream in(out.str());
        std::vector<json> all;
        for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
        return all;
    }
    [[nodiscard]] std::string path(const std::string& name) const { return (tiny / name).string(); }

    const TinyRun tiny;
    ltad::Run run = tiny.open();
};

TEST_F(InspectionTest, ScoresAreThoseOfTheDataSetsPictures) {
    const auto detector = load_detector(run);
    for (const std::size_t i : {0u, 9u}) {
        const Sample& sample = run.split().test[i];
        const FeatureSet set = run.features_of({sample});
        const Detection expected = detector->detect(set, std::array<std::size_t, 1>{0});
        const auto found = lines({.pictures = {path("data/" + sample.file)}, .class_name = sample.class_name});
        ASSERT_THAT(found, SizeIs(1));
        for (std::size_t s = 0; s < 3; ++s) {
            const double score = expected.images[s][0].item<double>();
            EXPECT_NEAR(found[0]["scores"][detector->scores()[s]].get<double>(), score, 1e-4 * score) << i;
        }
        EXPECT_EQ(found[0]["score"], found[0]["scores"]["ltad"]);
        EXPECT_EQ(found[0]["class"], sample.class_name);
        EXPECT_EQ(found[0]["class_from"], "given");
        const bool defective = found[0]["score"].get<double>() > found[0]["threshold"].get<double>();
        EXPECT_EQ(found[0]["verdict"], defective ? "defective" : "good");
        EXPECT_EQ(found[0]["box"].is_array(), defective);
    }
}

TEST_F(InspectionTest, WithoutAClassTheNearestTrainingPicturesSayIt) {
    const auto means = thresholds_of(run, *load_detector(run)).classes;
    for (const Sample& sample : run.split().test) {
        const FeatureSet set = run.features_of({sample});
        const at::Tensor z = set.batch(std::array<std::size_t, 1>{0}).latents[0];
        std::map<double, std::string> by_distance;
        for (const auto& [name, normal] : means)
            by_distance[(at::tensor(normal.embedding) - z).norm().item<double>()] = name;
        const auto found = lines({.pictures = {path("data/" + sample.file)}});
        EXPECT_EQ(found.at(0)["class"], by_distance.begin()->second) << sample.file;
        EXPECT_EQ(found[0]["class_from"], "predicted");
    }
}

TEST_F(InspectionTest, AnUnreadablePictureCostsNoOther) {
    make_directories(tiny / "new");
    std::filesystem::copy_file(tiny / ("data/" + run.split().test[0].file), tiny / "new/c.png");
    write_file_atomically(tiny / "new/a.png", "no picture");
    write_file_atomically(tiny / "new/b.png", "");
    std::ostringstream out;
    EXPECT_THAT([&] { inspect_pictures({.run = tiny / "run", .pictures = {path("new")}}, out); },
                ThrowsMessage<Error>(HasSubstr("2 of 3 pictures")));
    std::istringstream in(out.str());
    std::string a, b, c;
    std::getline(in, a);
    std::getline(in, b);
    std::getline(in, c);
    EXPECT_THAT(a, AllOf(HasSubstr("a.png"), HasSubstr("error")));
    EXPECT_THAT(b, AllOf(HasSubstr("b.png"), HasSubstr("error")));
    EXPECT_TRUE(json::parse(c)["score"].is_number());
}

TEST_F(InspectionTest, BatchesDoNotShow) {
    std::vector<std::string> pictures;
    for (const Sample& sample : run.split().test) pictures.push_back(path("data/" + sample.file));
    pictures[2] = pictures[3];
    const auto at_once = lines({.pictures = pictures});
    ASSERT_THAT(at_once, SizeIs(pictures.size()));
    for (std::size_t i = 0; i < pictures.size(); ++i) EXPECT_EQ(at_once[i]["file"], pictures[i]);
    EXPECT_EQ(lines({.pictures = pictures, .overrides = {"features.batch_size=3"}}), at_once);
}

TEST_F(InspectionTest, TheDataSetNeedNotBeThere) {
    make_directories(tiny / "new");
    std::filesystem::copy_file(tiny / ("data/" + run.split().test[0].file), tiny / "new/a.png");
    std::filesystem::rename(tiny / "data", tiny / "gone");
    EXPECT_THAT(lines({.pictures = {path("new/a.png")}}), SizeIs(1));
    // Without thresholds it must be: they are measured on it.
    std::filesystem::remove(tiny / "run/thresholds.json");
    EXPECT_THAT([&] { (void)lines({.pictures = {path("new/a.png")}}); }, ThrowsMessage<Error>(HasSubstr("data")));
}

TEST_F(InspectionTest, OverlaysAndBoxesFollowThePicture) {
    // Twice as wide as high, and a threshold that everything exceeds.
    const Image square = read_image(tiny / ("data/" + run.split().test[0].file));
    make_directories(tiny / "new");
    write_file_atomically(tiny / "new/wide.png", encode_png(resize_bilinear(square, 200, 100)));
    json thresholds = read_json(tiny / "run/thresholds.json");
    for (auto& c : thresholds["classes"]) c["scores"]["ltad"]["threshold"] = c["scores"]["ltad"]["level"];
    write_json(tiny / "run/thresholds.json", thresholds);
    const auto found = lines({.pictures = {path("new/wide.png")}, .overlays = tiny / "overlays"});
    ASSERT_EQ(found.at(0)["verdict"], "defective");
    const json& box = found[0]["box"];
    EXPECT_GE(box[0], 0);
    EXPECT_LE(box[0].get<int>() + box[2].get<int>(), 200);
    EXPECT_LE(box[1].get<int>() + box[3].get<int>(), 100);
    EXPECT_GT(box[2], 0);
    int pictures = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(tiny / "overlays")) {
        if (!entry.is_regular_file()) continue;
        EXPECT_EQ(read_image(entry.path()).width, 224);
        EXPECT_EQ(read_image(entry.path()).height, 112);
        ++pictures;
    }
    EXPECT_EQ(pictures, 1);
}

TEST_F(InspectionTest, OverlaysOfPicturesAboveTheWorkingFolderStayApart) {
    const std::string picture = path("data/" + run.split().test[0].file);
    const auto here = std::filesystem::relative(picture).string();
    (void)lines({.pictures = {here, "./" + here, picture}, .overlays = tiny / "overlays"});
    int pictures = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(tiny / "overlays")) {
        if (!entry.is_regular_file()) continue;
        ++pictures;
        EXPECT_THAT(entry.path().string(), ::testing::EndsWith(".png.png")) << "nobody's picture is written over";
    }
    EXPECT_EQ(pictures, 2) << "the same file by its relative path, twice, and by its absolute one";
}

TEST_F(InspectionTest, OverlaysNeverTakeAPicturesPlace) {
    make_directories(tiny / "new");
    const auto picture = tiny / ("data/" + run.split().test[0].file);
    std::filesystem::copy_file(picture, tiny / "new/a.png");
    std::filesystem::copy_file(picture, tiny / "new/a.png.png");
    const std::string bytes = read_file(tiny / "new/a.png.png");
    EXPECT_THAT([&] { (void)lines({.pictures = {path("new")}, .overlays = "/"}); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--overlays"), HasSubstr("a.png.png"))));
    EXPECT_EQ(read_file(tiny / "new/a.png.png"), bytes);
}

TEST_F(InspectionTest, OverlaysNeverTakeTheDataSetsOrEachOthersPlace) {
    // A picture of the data set that is not among those that are scored.
    const std::string file = run.split().test[0].file;
    const auto in_set = tiny / ("data/" + file);
    make_directories((tiny / ("new/" + file)).parent_path());
    const auto stem = std::filesystem::path(file).replace_extension("").string();
    std::filesystem::copy_file(in_set, tiny / ("new/" + stem));
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(tiny / "new");
    EXPECT_THAT([&] { (void)lines({.pictures = {stem}, .overlays = tiny / "data"}); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--overlays"), HasSubstr("a picture of the data set"))));
    // "../x" has the overlay ".._/x.png", as the folder ".._" would have it.
    make_directories(tiny / "new/.._");
    std::filesystem::copy_file(in_set, tiny / "new/.._/x.png");
    std::filesystem::copy_file(in_set, tiny / "x.png");
    EXPECT_THAT(
        [&] {
            (void)lines({.pictures = {"../x.png", ".._/x.png"}, .overlays = tiny / "overlays"});
        },
        ThrowsMessage<UsageError>(AllOf(HasSubstr("--overlays"), HasSubstr("another output"))));
    EXPECT_THAT(lines({.pictures = {"../x.png", "../new/../x.png"}, .overlays = tiny / "overlays"}), SizeIs(2));
    std::filesystem::current_path(here);
}

TEST_F(InspectionTest, AnOutputThatCannotBeWrittenStopsTheWork) {
    std::ostringstream out;
    out.setstate(std::ios::badbit);
    EXPECT_THAT([&] { inspect_pictures({.run = tiny / "run", .pictures = {path("data")}}, out); },
                ThrowsMessage<Error>(HasSubstr("standard output")));
}

TEST_F(InspectionTest, MistakesAreNamed) {
    EXPECT_THAT([&] { (void)lines({.pictures = {path("data")}, .class_name = "gear"}); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("gear"), HasSubstr(run.class_names()[0]))));
    EXPECT_THAT([&] { (void)lines({.pictures = {path("nowhere")}}); }, ThrowsMessage<UsageError>(HasSubstr("nowhere")));
    std::ostringstream out;
    EXPECT_THAT(
        [&] {
            inspect_pictures(
                {.run = tiny / "run", .pictures = {path("data")}, .overlays = tiny / "run/config.json/overlays"}, out);
        },
        ThrowsMessage<Error>(HasSubstr("overlays")));
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT([&] { inspect_pictures({.run = tiny / "data", .pictures = {path("data")}}, out); },
                ThrowsMessage<UsageError>(HasSubstr("config.json")));
}

}  // namespace
}  // namespace ltad::test
