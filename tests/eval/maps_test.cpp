#include "ltad/eval/maps.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"
#include "ltad/data/image.h"
#include "ltad/eval/evaluate.h"
#include "ltad/eval/report.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Maps, SixteenBitsHoldTheScores) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const auto detector = load_detector(run);
    (void)evaluate(run, *detector, {.maps = tiny / "maps"});
    const json document = read_json(tiny / "maps/maps.json");
    EXPECT_EQ(document["format"], "ltad-maps/1");
    ASSERT_EQ(document["maps"].size(), run.split().test.size());
    const json& item = document["maps"][4];
    const std::string file = item["file"];
    Sample sample;
    for (const Sample& s : run.split().test)
        if (s.file == file) sample = s;
    const FeatureSet set = run.features_of({sample});
    const Detection expected = detector->detect(set, std::array<std::size_t, 1>{0});
    for (std::size_t s = 0; s < detector->scores().size(); ++s) {
        const json& map = item[detector->scores()[s]];
        const cv::Mat stored =
            cv::imread((tiny / ("maps/" + map["map"].get<std::string>())).string(), cv::IMREAD_UNCHANGED);
        ASSERT_EQ(stored.type(), CV_16UC1);
        const double low = map["low"], high = map["high"];
        for (const int y : {0, 100, 223})
            for (const int x : {0, 57, 223})
                EXPECT_NEAR(low + stored.at<std::uint16_t>(y, x) / 65535.0 * (high - low),
                            expected.maps[s][0][y][x].item<double>(), (high - low) / 65535 + 1e-4 * std::abs(high));
    }
    EXPECT_EQ(read_image(tiny / ("maps/overlay/" + file)).width, 224);
}

TEST(Maps, NoTwoPicturesShareAFile) {
    std::vector<Sample> pictures;
    for (const char* file : {"a.jpg", "a.jpg.png", "b.png", "b.PNG", "c/a.jpg", "a.jpg.png.png", "d"})
        pictures.push_back({.file = file, .class_name = "x", .defective = false, .mask = ""});
    const auto names = map_names(pictures);
    std::set<std::string> taken;
    for (const Sample& picture : pictures) EXPECT_TRUE(taken.insert(names.at(picture.file)).second) << picture.file;
    EXPECT_EQ(names.at("b.png"), "b.png");
    EXPECT_EQ(names.at("a.jpg.png"), "a.jpg.png");
    EXPECT_EQ(names.at("a.jpg"), "a.jpg.png.png.png");
    EXPECT_EQ(names.at("c/a.jpg"), "c/a.jpg.png");
    EXPECT_EQ(names.at("b.PNG"), "b.PNG.png");
}

TEST(Maps, NeverTakeAPicturesPlace) {
    const TinyRun tiny({"method=patchcore"});
    std::filesystem::create_directory(tiny / "pictures");
    std::filesystem::rename(tiny / "data", tiny / "pictures/patchcore");
    ltad::Run run = tiny.open({"dataset.root=" + (tiny / "pictures/patchcore").string()});
    fit_detector(run, {});
    const auto detector = load_detector(run);
    const auto picture = tiny / ("pictures/patchcore/" + run.split().test[0].file);
    const std::string before = read_file(picture);
    std::filesystem::create_directory_symlink("pictures", tiny / "link");
    for (const char* folder : {"pictures", "link"})
        EXPECT_THAT([&] { (void)evaluate(run, *detector, {.maps = tiny / folder}); },
                    ::testing::ThrowsMessage<UsageError>(AllOf(HasSubstr("--maps"), HasSubstr("a picture of"))));
    EXPECT_EQ(read_file(picture), before);
    EXPECT_FALSE(std::filesystem::exists(tiny / "pictures/maps.json"));
    EXPECT_NO_THROW((void)evaluate(run, *detector, {.maps = tiny / "elsewhere"}));
    // A config beside the maps, under their list's name.
    write_file_atomically(tiny / "beside/maps.json", "{}");
    EXPECT_THAT([&] { (void)evaluate(run, *detector, {.maps = tiny / "beside", .config = tiny / "beside/maps.json"}); },
                ::testing::ThrowsMessage<UsageError>(HasSubstr("the config")));
}

TEST(Run, ItsFilesNeverTakeTheDataSetsPlace) {
    const TinyRun tiny;
    const ltad::Run drawn = tiny.open();
    // Lists that lie where the run's own would be written.
    write_split(tiny / "run/split", drawn.split(), drawn.config().dataset);
    std::filesystem::remove(tiny / "run/split/split.json");
    const ltad::Run run =
        tiny.open({"dataset.layout=jsonl", "dataset.train=" + (tiny / "run/split/train.jsonl").string(),
                   "dataset.test=" + (tiny / "run/split/test.jsonl").string()});
    EXPECT_THAT([&] { (void)run.claim(false); },
                ::testing::ThrowsMessage<UsageError>(AllOf(HasSubstr("output"), HasSubstr("a list of the data set"))));
    const ltad::Run elsewhere =
        tiny.open({"dataset.layout=jsonl", "dataset.train=" + (tiny / "run/split/train.jsonl").string(),
                   "dataset.test=" + (tiny / "run/split/test.jsonl").string(), "output=" + (tiny / "other").string()});
    EXPECT_NO_THROW((void)elsewhere.claim(false));
}

// maps.json says that its folder is whole: after an interruption there is none, not even an older one.
TEST(Maps, InterruptedLeaveNoIndexAndNoResults) {
    const TinyRun tiny({"method=patchcore"});
    // Without masks, in whose check the interruption would be heard before a map is written.
    for (const auto& folder : std::filesystem::directory_iterator(tiny / "data"))
        std::filesystem::remove_all(folder.path() / "ground_truth");
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const auto detector = load_detector(run);
    const auto maps = tiny / "maps";
    (void)evaluate(run, *detector, {.maps = maps});
    ASSERT_TRUE(std::filesystem::exists(maps / "maps.json"));
    const auto interrupted = [&] {
        catch_interrupts();
        (void)std::raise(SIGINT);
        try {
            write_results(run, evaluate(run, *detector, {.maps = maps}));
        } catch (const Interrupted&) {
            std::_Exit(5);
        }
        std::_Exit(0);
    };
    EXPECT_EXIT(interrupted(), ::testing::ExitedWithCode(5), "");
    EXPECT_FALSE(std::filesystem::exists(maps / "maps.json"));
    EXPECT_FALSE(std::filesystem::exists(run.output() / "eval"));
}

TEST(Report, NamesAreReadWhereTheMethodLearnsThem) {
    const TinyRun tiny;
    for (const auto& [override, learned] : std::map<std::string, bool>{{"method=ltad", true},
                                                                       {"method=uniad", false},
                                                                       {"prompts.learned=false", false},
                                                                       {"phase1.generator=autoencoder", false}}) {
        ltad::Run run = tiny.open({override, "output=" + (tiny / override).string()});
        fit_detector(run, {.from_shell = false});
        const auto detector = load_detector(run);
        EXPECT_EQ(detector->learned_names() != nullptr, learned) << override;
        for (const ReportClass& c : make_report(run, *detector, evaluate(run, *detector)).classes)
            EXPECT_EQ(c.name_words.size(), learned ? 2u : 0u) << override;
    }
}

TEST(Report, HasEverythingForEveryMethod) {
    const TinyRun tiny;
    for (const std::string method : {"ltad", "uniad", "patchcore"}) {
        SCOPED_TRACE(method);
        ltad::Run run = tiny.open({"method=" + method, "output=" + (tiny / method).string()});
        fit_detector(run, {});
        const auto detector = load_detector(run);
        const Results results = evaluate(run, *detector);
        const Report report = make_report(run, *detector, results);
        EXPECT_EQ(report.score_names, detector->scores());
        ASSERT_EQ(report.classes.size(), 3u);
        EXPECT_EQ(report.means.size(), 4u);
        for (std::size_t c = 0; c < 3; ++c) {
            const ReportClass& shown = report.classes[c];
            EXPECT_EQ(shown.name, run.class_names()[c]);
            EXPECT_EQ(shown.scores.size(), detector->scores().size());
            for (std::size_t s = 0; s < shown.scores.size(); ++s) {
                EXPECT_EQ(shown.scores[s].figures.image_auroc, results.classes[c].scores[s].image.auroc);
                EXPECT_EQ(shown.scores[s].good.size(), 2u);
                EXPECT_EQ(shown.scores[s].defective.size(), 5u);
                EXPECT_GE(shown.scores[s].image_roc.size(), 2u);
                EXPECT_GE(shown.scores[s].pixel_roc.size(), 2u);
            }
            EXPECT_EQ(shown.name_words.size(), method == "ltad" ? 2u : 0u);
        }
        EXPECT_EQ(report.training.size(), method == "ltad" ? 5u : method == "uniad" ? 1u : 0u);
        EXPECT_FALSE(report.gallery.empty());

        write_report(run, *detector, results, tiny / ("report-" + method));
        const std::string page = read_file(tiny / ("report-" + method + "/index.html"));
        EXPECT_LT(page.size(), 10'000'000u);
        for (const std::string& name : run.class_names()) EXPECT_THAT(page, HasSubstr(name));
        EXPECT_THAT(page, AllOf(HasSubstr("data:image/"), Not(HasSubstr("<script"))));
    }
}

TEST(Report, JudgesByTheMethodsOwnScoreAlone) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    for (const char* only : {"", "semantic"}) {
        const auto detector = load_detector(run, only);
        const Report report = make_report(run, *detector, evaluate(run, *detector));
        const bool is_part = *only != '\0';
        for (const ReportClass& c : report.classes) EXPECT_EQ(c.scores[0].normal_threshold.has_value(), !is_part);
        EXPECT_EQ(report.facts[0].second, is_part ? "ltad, semantic score alone" : "ltad");
        EXPECT_GE(report.gallery_totals[0] + report.gallery_totals[1] + report.gallery_totals[2],
                  report.gallery.size());
    }
}

TEST(Results, WhetherTheyCanBeWrittenIsKnownBefore) {
    const TinyRun tiny;
    const ltad::Run run = tiny.open();
    EXPECT_NO_THROW(check_results_can_be_written(run));
    EXPECT_FALSE(std::filesystem::exists(tiny / "run/eval/results.json"));
    std::filesystem::remove_all(tiny / "run/eval");
    write_file_atomically(tiny / "run/eval", "in the way");
    EXPECT_THAT([&] { check_results_can_be_written(run); },
                ::testing::ThrowsMessage<Error>(AllOf(HasSubstr("run/eval"), HasSubstr("is a file"))));
}

}  // namespace
}  // namespace ltad::test
