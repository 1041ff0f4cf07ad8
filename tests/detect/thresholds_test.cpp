#include "ltad/detect/thresholds.h"

#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/golden.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Quantile, IsLinearBetweenNeighbours) {
    const std::vector<double> values = {4, 1, 3, 2};
    EXPECT_EQ(quantile(values, 0), 1);
    EXPECT_EQ(quantile(values, 1), 4);
    EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
    EXPECT_DOUBLE_EQ(quantile(values, 0.99), 3.97);  // numpy.quantile([1, 2, 3, 4], 0.99)
    EXPECT_EQ(quantile({7}, 0.3), 7);
    EXPECT_THAT([] { (void)quantile({}, 0.5); }, ThrowsMessage<Error>(HasSubstr("quantile")));
}

TEST(HeatRange, ThresholdIsInTheMiddle) {
    const HeatRange range = heat_range({.threshold = 3, .level = 1});
    EXPECT_FLOAT_EQ(range.low, 1);
    EXPECT_FLOAT_EQ(range.high, 5);
    for (const double level : {0.0, 2.0, -1e6}) {
        const HeatRange flat = heat_range({.threshold = level, .level = level});
        EXPECT_GT(flat.high, flat.low);
    }
}

class ThresholdsTest : public ::testing::Test {
protected:
    ThresholdsTest() { fit_detector(run, {}); }

    const TinyRun tiny{{"method=patchcore", "patchcore.coreset=0.2"}};
    ltad::Run run = tiny.open();
};

TEST_F(ThresholdsTest, AreTheTrainingPicturesOwn) {
    const auto detector = load_detector(run);
    const Thresholds thresholds = thresholds_of(run, *detector);
    for (const std::string& name : run.class_names()) {
        std::vector<Sample> samples;
        for (const Sample& sample : run.split().train)
            if (sample.class_name == name) samples.push_back(sample);
        const FeatureSet set = run.features_of(samples);
        std::vector<double> scores;
        double level = 0;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const Detection found = detector->detect_left_out(set, std::array{i});
            scores.push_back(found.images[0][0].item<double>());
            level += found.maps[0].mean().item<double>() / static_cast<double>(samples.size());
        }
        std::vector<std::size_t> indices(samples.size());
        std::iota(indices.begin(), indices.end(), std::size_t{0});
        const at::Tensor mean = set.batch(indices).latents.mean(0);
        EXPECT_CLOSE_WITHIN(at::tensor(thresholds.classes.at(name).embedding), mean, 1e-5) << name;
        EXPECT_EQ(thresholds.nearest_class(thresholds.classes.at(name).embedding), name);
        const NormalScore& normal = thresholds.of(name).at(0);
        EXPECT_NEAR(normal.threshold, quantile(scores, 0.99), 1e-4 * normal.threshold) << name;
        EXPECT_NEAR(normal.level.value(), level, 1e-4 * level) << name;
    }
    EXPECT_THAT([&] { (void)thresholds.of("none of them"); }, ThrowsMessage<Error>(HasSubstr("none of them")));
}

TEST_F(ThresholdsTest, AreOfTheFilesThatWereLoaded) {
    const auto before = load_detector(run);
    ltad::Run other = tiny.open({"patchcore.coreset=0.1"});
    fit_detector(other, {.force = true});  // another process, say, while the first one is evaluated
    const double old = thresholds_of(run, *before).of("woven").at(0).threshold;
    EXPECT_NE(thresholds_of(other, *load_detector(other)).of("woven").at(0).threshold, old);
}

/// A method that trains nothing: no file of its own shows what it looks at.
class Untrained final : public Detector {
public:
    [[nodiscard]] const std::vector<std::string>& scores() const override { return scores_; }
    [[nodiscard]] bool gives_maps() const override { return false; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
    [[nodiscard]] Detection detect(const FeatureSet& set, std::span<const std::size_t> indices) const override {
        return {{}, {set.batch(indices).latents.square().sum(1)}};
    }

private:
    std::vector<std::string> scores_{"untrained"};
};

TEST_F(ThresholdsTest, OfAMethodWithoutFilesFollowItsFeatures) {
    ltad::Run other = tiny.open({"dataset.image_size=96"});
    const auto threshold = [](ltad::Run& r) { return thresholds_of(r, Untrained()).of("woven").at(0).threshold; };
    const double first = threshold(run), second = threshold(other);
    EXPECT_NE(first, second);
    EXPECT_EQ(threshold(run), first);
    std::filesystem::remove_all(tiny / "run");
    EXPECT_EQ(threshold(other), second);
}

TEST_F(ThresholdsTest, NeedTheTrainingPicturesAlone) {
    std::filesystem::remove_all(tiny / "features");
    for (const Sample& sample : run.split().test) std::filesystem::remove(tiny / ("data/" + sample.file));
    ltad::Run split_alone(run.config(), Listing::split_only);
    EXPECT_EQ(thresholds_of(split_alone, *load_detector(split_alone)).classes.size(), run.class_names().size());
}

TEST_F(ThresholdsTest, AreKeptUntilSomethingTheyDependOnChanges) {
    const auto file = tiny / "run/thresholds.json";
    const auto measured = [&](ltad::Run& r) { return thresholds_of(r, *load_detector(r)).of("woven").at(0).threshold; };
    const double first = measured(run);
    // What is in the file counts, as long as it is this fit's.
    json document = read_json(file);
    document["classes"]["woven"]["scores"]["patchcore"]["threshold"] = 123.5;
    write_json(file, document);
    EXPECT_EQ(measured(run), 123.5);
    ltad::Run lower = tiny.open({"scoring.threshold_quantile=0.5"});
    EXPECT_LT(measured(lower), first);
    EXPECT_EQ(measured(run), 123.5) << "the run's own are still there";
    document["classes"]["woven"]["scores"]["patchcore"]["threshold"] = first;
    write_json(file, document);
    write_file_atomically(file, "{\"settings\": ");
    EXPECT_EQ(measured(run), first) << "damaged";
    const json whole = read_json(file);
    for (const auto& [key, value] :
         std::vector<std::pair<std::string, json>>{{"format", "ltad-thresholds/9"},
                                                   {"classes", json::object()},
                                                   {"classes", {{"woven", whole["classes"]["woven"]}}},
                                                   {"classes",
                                                    {{"a", whole["classes"]["woven"]},
                                                     {"b", whole["classes"]["woven"]},
                                                     {"c", whole["classes"]["woven"]}}}}) {
        json wrong = whole;
        wrong[key] = value;
        write_json(file, wrong);
        EXPECT_EQ(measured(run), first) << key << ": " << value;
        EXPECT_EQ(read_json(file), whole);
    }
    ltad::Run other = tiny.open({"patchcore.coreset=0.1"});
    fit_detector(other, {.force = true});
    EXPECT_NE(measured(other), first);
}

}  // namespace
}  // namespace ltad::test
