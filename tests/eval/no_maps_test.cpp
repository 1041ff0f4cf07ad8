#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/detect/inspection.h"
#include "ltad/eval/evaluate.h"
#include "ltad/eval/report.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// A method that scores whole pictures, such as CutPaste: another's image scores without its maps.
class WholePictures final : public Detector {
public:
    explicit WholePictures(const ltad::Run& run) : detector_(load_detector(run)) {}

    [[nodiscard]] const std::vector<std::string>& scores() const override { return detector_->scores(); }
    [[nodiscard]] bool gives_maps() const override { return false; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const override { return detector_->files(); }
    [[nodiscard]] Detection detect(const FeatureSet& set, std::span<const std::size_t> indices) const override {
        return {{}, detector_->detect(set, indices).images};
    }
    [[nodiscard]] Detection detect_left_out(const FeatureSet& set,
                                            std::span<const std::size_t> indices) const override {
        return {{}, detector_->detect_left_out(set, indices).images};
    }

private:
    std::unique_ptr<Detector> detector_;
};

class NoMaps : public ::testing::Test {
protected:
    NoMaps() { fit_detector(run, {}); }

    const TinyRun tiny{{"method=patchcore", "patchcore.coreset=0.2", "scoring.threshold_quantile=0.2"}};
    ltad::Run run = tiny.open();
};

TEST_F(NoMaps, LeaveTheImageFiguresAsTheyAre) {
    const Results whole = evaluate(run, *load_detector(run)), results = evaluate(run, WholePictures(run));
    EXPECT_EQ(format_image_scores(results), format_image_scores(whole));
    for (std::size_t c = 0; c < results.classes.size(); ++c) {
        const ClassResult &there = results.classes[c], &expected = whole.classes[c];
        EXPECT_EQ(there.scores[0].image.auroc, expected.scores[0].image.auroc);
        EXPECT_EQ(there.scores[0].image.f1_max, expected.scores[0].image.f1_max);
        EXPECT_TRUE(expected.scores[0].pixel.auroc);
        EXPECT_FALSE(there.scores[0].pixel.auroc);
        EXPECT_FALSE(there.scores[0].region_overlap);
        EXPECT_TRUE(there.pixel_roc.empty());
    }
    EXPECT_EQ(results.mixed[0].image.auroc, whole.mixed[0].image.auroc);
    EXPECT_FALSE(results.mixed[0].pixel.auroc);
    const json document = to_json(results);
    EXPECT_EQ(document["gives_maps"], false);
    EXPECT_TRUE(document["mean"]["all"]["patchcore"]["pixel_auroc"].is_null());
    EXPECT_EQ(to_json(whole)["gives_maps"], true);
    EXPECT_THAT(format_table(results), HasSubstr("n/a"));
}

TEST_F(NoMaps, AreNotWritten) {
    const WholePictures detector(run);
    EXPECT_THAT([&] { (void)evaluate(run, detector, {.maps = tiny / "maps"}); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--maps"), HasSubstr("patchcore"))));
    EXPECT_FALSE(std::filesystem::exists(tiny / "maps"));
}

TEST_F(NoMaps, ReportShowsPicturesAlone) {
    const WholePictures detector(run);
    const Report report = make_report(run, detector, evaluate(run, detector));
    ASSERT_FALSE(report.gallery.empty());
    for (const GalleryItem& item : report.gallery) {
        std::vector<std::string> captions;
        for (const GalleryPanel& panel : item.panels) captions.push_back(panel.caption);
        if (item.defective)
            EXPECT_THAT(captions, ElementsAre("picture", "mask"));
        else
            EXPECT_THAT(captions, ElementsAre("picture"));
    }
    for (const ReportClass& c : report.classes) {
        EXPECT_TRUE(c.scores[0].pixel_roc.empty());
        EXPECT_TRUE(c.scores[0].normal_threshold);
    }
    EXPECT_THAT(render_report(report), AllOf(HasSubstr("whole pictures"), Not(HasSubstr("Heat maps"))));
}

TEST_F(NoMaps, VerdictsAreTheSameWithoutABox) {
    const auto with_maps = load_detector(run);
    const WholePictures detector(run);
    const Thresholds expected = thresholds_of(run, *with_maps);
    std::filesystem::remove(tiny / "run/thresholds.json");
    (void)thresholds_of(run, detector);
    const Thresholds thresholds = thresholds_of(run, detector);  // from the file
    std::vector<std::filesystem::path> files;
    for (const Sample& sample : run.split().test) files.push_back(tiny / ("data/" + sample.file));
    const auto pictures = read_pictures(files, run.layout(), false);
    const auto findings = Inspector(run, detector, thresholds, "", false).inspect(pictures);
    const auto others = Inspector(run, *with_maps, expected, "", false).inspect(pictures);
    int defective = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        EXPECT_EQ(findings[i].scores, others[i].scores);
        EXPECT_EQ(findings[i].threshold, others[i].threshold);
        EXPECT_EQ(findings[i].class_name, others[i].class_name);
        EXPECT_FALSE(findings[i].box);
        EXPECT_EQ(others[i].box.has_value(), others[i].defective());
        defective += findings[i].defective() ? 1 : 0;
    }
    EXPECT_GT(defective, 0);
    EXPECT_FALSE(thresholds.of(run.class_names()[0]).front().level);
    EXPECT_THAT([&] { (void)heat_range(thresholds.of(run.class_names()[0]).front()); },
                ThrowsMessage<Error>(HasSubstr("no maps")));
}

}  // namespace
}  // namespace ltad::test
