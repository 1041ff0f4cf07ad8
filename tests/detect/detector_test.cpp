#include "ltad/detect/detector.h"

#include <array>
#include <bit>
#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/eval/evaluate.h"
#include "ltad/model/jitter.h"
#include "ltad/model/nearest.h"
#include "ltad/model/score.h"
#include "ltad/train/phase2.h"
#include "support/golden.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Detection detect_first(const ltad::Run& run, const Detector& detector, const std::vector<Sample>& samples) {
    const FeatureSet set = run.features_of(samples);
    return detector.detect(set, std::array<std::size_t, 3>{0, 1, 2});
}

TEST(Detector, EachMethodGivesMapsAndImageScores) {
    const TinyRun tiny;
    for (const auto& [method, scores] :
         {std::pair("ltad", std::vector<std::string>{"ltad", "reconstruction", "semantic"}),
          {"uniad", {"uniad"}},
          {"patchcore", {"patchcore"}}}) {
        SCOPED_TRACE(method);
        ltad::Run run = tiny.open({text("method=", method), "output=" + (tiny / method).string()});
        EXPECT_THAT([&] { (void)load_detector(run); }, ThrowsMessage<Error>(HasSubstr("ltad-train")));
        fit_detector(run, {});
        const auto detector = load_detector(run);
        EXPECT_EQ(detector->scores(), scores);
        EXPECT_EQ(detector->lambda().has_value(), std::string(method) == "ltad");
        const Detection found = detect_first(run, *detector, run.split().test);
        ASSERT_EQ(found.maps.size(), scores.size());
        ASSERT_EQ(found.images.size(), scores.size());
        for (const at::Tensor& maps : found.maps) {
            EXPECT_EQ(maps.sizes().vec(), (std::vector<std::int64_t>{3, 224, 224}));
            EXPECT_TRUE(maps.is_contiguous());
            EXPECT_TRUE(at::isfinite(maps).all().item<bool>());
        }
        for (const at::Tensor& images : found.images) EXPECT_EQ(images.sizes().vec(), (std::vector<std::int64_t>{3}));

        const Results results = evaluate(run, *load_detector(run));
        EXPECT_EQ(results.method, method);
        const json document = to_json(results);
        for (const std::string& score : scores)
            EXPECT_TRUE(document["mean"]["all"][score]["image_auroc"].is_number()) << score;
        EXPECT_EQ(document["mean"]["all"].size(), scores.size());
        EXPECT_EQ(document["lambda"].is_null(), std::string(method) != "ltad");
    }
}

TEST(Detector, AMethodDoesNotTakeAnothersRun) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    fit_detector(run, {.from_shell = false});
    ltad::Run other = tiny.open({"method=patchcore", "name=ours"});
    EXPECT_THAT([&] { fit_detector(other, {}); },
                ThrowsMessage<Error>(AllOf(HasSubstr("a run of method \"ltad\""), HasSubstr("name=ours-patchcore"))));
    EXPECT_EQ(read_json(run.output() / "config.json").at("method"), "ltad");
    fit_detector(other, {.force = true});
    EXPECT_EQ(read_json(run.output() / "config.json").at("method"), "patchcore");
}

TEST(Detector, OneModuleOfLtadScoresAlone) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    train_phase1(run, {});
    train_phase2(run, Phase2Part::semantic, {});
    EXPECT_THAT([&] { (void)load_detector(run); }, ThrowsMessage<Error>(HasSubstr("reconstruction.safetensors")));
    const Results semantic = evaluate(run, *load_detector(run, "semantic"));
    EXPECT_THAT(semantic.scores, ElementsAre("semantic"));
    train_phase2(run, Phase2Part::reconstruction, {});
    const Results reconstruction = evaluate(run, *load_detector(run, "reconstruction"));
    EXPECT_THAT(reconstruction.scores, ElementsAre("reconstruction"));
    const Results all = evaluate(run, *load_detector(run));
    for (std::size_t i = 0; i < all.images.size(); ++i) {
        EXPECT_EQ(all.images[i].scores[1], reconstruction.images[i].scores[0]);
        EXPECT_EQ(all.images[i].scores[2], semantic.images[i].scores[0]);
    }
}

TEST(Uniad, ScoresByTheLengthOfTheError) {
    const TinyRun tiny;
    ltad::Run run = tiny.open({"method=uniad"});
    fit_detector(run, {});
    const auto detector = load_detector(run);
    const FeatureSet set = run.features_of(run.split().test);
    const std::array<std::size_t, 2> indices{1, 4};

    Parameters parameters(0, at::kCPU);
    const Reconstruction module(run.config().reconstruction, run.layout().total_channels(), run.layout().grid,
                                parameters);
    parameters.load(load_weights(tiny / "run/uniad/model.safetensors"), "test");
    const at::Tensor tokens = to_tokens(set.batch(indices).maps);
    const at::Tensor length = (module.forward(tokens, false) - tokens).norm(2, {2});
    const Detection found = detector->detect(set, indices);
    EXPECT_CLOSE_WITHIN(found.maps[0], anomaly_maps(length, 224), 1e-5);
    EXPECT_CLOSE_WITHIN(found.images[0], image_scores(found.maps[0], 16), 1e-6);
}

TEST(Uniad, LearnsAndTrainsAgainToTheSameBytes) {
    const TinyRun tiny({"method=uniad", "phase2.epochs=8", "phase2.learning_rate=0.003"});
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    std::ifstream metrics(tiny / "run/uniad/metrics.jsonl");
    std::vector<double> losses;
    for (std::string line; std::getline(metrics, line);) losses.push_back(json::parse(line)["loss"]);
    ASSERT_EQ(losses.size(), 8u);
    EXPECT_LT(losses.back(), 0.9 * losses.front());
    // Other settings are noticed; the same ones train nothing.
    const std::string before = sha256_file(tiny / "run/uniad/model.safetensors");
    fit_detector(run, {});
    ltad::Run other = tiny.open({"uniad.clip_norm=0.2"});
    EXPECT_THAT([&] { fit_detector(other, {}); }, ThrowsMessage<Error>(HasSubstr("uniad.clip_norm")));
    fit_detector(run, {.force = true});
    EXPECT_EQ(sha256_file(tiny / "run/uniad/model.safetensors"), before);
}

TEST(Uniad, DoesNotLookAtClassesOrTexts) {
    const TinyRun tiny({"method=uniad"});
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const auto bytes = sha256_file(tiny / "run/uniad/model.safetensors");
    ltad::Run other = tiny.open({"prompts.init=random", "phase1.epochs=9", "semantic.pooling=mean",
                                 "phase2.sampling=class_aware", "output=" + (tiny / "other").string()});
    fit_detector(other, {});
    EXPECT_EQ(load_weights(tiny / "run/uniad/model.safetensors").size(),
              load_weights(tiny / "other/uniad/model.safetensors").size());
    EXPECT_EQ(sha256_file(tiny / "other/uniad/model.safetensors"), bytes);
}

TEST(Patchcore, WithTheWholeBankTrainingPicturesAreNormal) {
    const TinyRun tiny({"method=patchcore", "patchcore.coreset=1"});
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const auto detector = load_detector(run);
    EXPECT_EQ(detect_first(run, *detector, run.split().train).images[0].max().item<float>(), 0);
    EXPECT_GT(detect_first(run, *detector, run.split().test).images[0].min().item<float>(), 0);
}

TEST(Patchcore, BankIsARowForEachChosenPatch) {
    const TinyRun tiny({"method=patchcore", "patchcore.coreset=0.25", "patchcore.neighborhood=1",
                        "patchcore.projection_dim=0", "patchcore.smoothing=0"});
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const at::Tensor bank = load_weights(tiny / "run/patchcore/bank.safetensors").at("bank");
    const FeatureSet train = run.features_of(run.split().train);
    const std::int64_t grid = run.layout().grid;
    EXPECT_EQ(bank.size(0), static_cast<std::int64_t>(train.size()) * grid * grid / 4);
    std::vector<at::Tensor> all;
    for (std::size_t i = 0; i < train.size(); ++i) all.push_back(to_tokens(train.batch(std::array{i}).maps)[0]);
    EXPECT_EQ(nearest_distances(bank, at::cat(all)).max().item<float>(), 0) << "rows are training patches";

    // Scores are squared distances to the bank.
    const auto detector = load_detector(run);
    const FeatureSet test = run.features_of(run.split().test);
    const std::array<std::size_t, 2> indices{0, 3};
    const at::Tensor patches = to_tokens(test.batch(indices).maps);
    const at::Tensor squared = at::cdist(patches, bank.unsqueeze(0)).amin(2).square();
    const Detection found = detector->detect(test, indices);
    EXPECT_CLOSE_WITHIN(found.images[0], squared.amax(1), 1e-3);
    EXPECT_CLOSE_WITHIN(found.maps[0], anomaly_maps(squared, 224, TokenPlaces::middles), 1e-3);
}

TEST(Patchcore, ATrainingPictureIsLeftOut) {
    const TinyRun tiny({"method=patchcore", "patchcore.coreset=0.25", "patchcore.neighborhood=1",
                        "patchcore.projection_dim=0", "patchcore.smoothing=0"});
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const Weights bank = load_weights(tiny / "run/patchcore/bank.safetensors");
    const auto detector = load_detector(run);
    const FeatureSet train = run.features_of(run.split().train);
    for (std::size_t i = 0; i < train.size(); ++i) {
        const std::array indices{i};
        // By plain selection of the others' rows, which are known by the values of this one's patches.
        const at::Tensor patches = to_tokens(train.batch(indices).maps)[0];
        const at::Tensor own = nearest_distances(bank.at("bank"), patches) == 0;
        EXPECT_TRUE(at::equal(own, bank.at("pictures") == std::bit_cast<std::int64_t>(train.key_of(i))));
        const at::Tensor others = bank.at("bank").index_select(0, own.logical_not().nonzero().squeeze(1));
        const Detection found = detector->detect_left_out(train, indices);
        const at::Tensor squared = at::cdist(patches, others).amin(1).square();
        EXPECT_CLOSE_WITHIN(found.images[0], squared.amax().unsqueeze(0), 1e-3 * squared.amax().item<double>());
        EXPECT_GE(found.images[0].item<float>(), detector->detect(train, indices).images[0].item<float>());
    }
    // Test pictures are in no bank.
    const FeatureSet test = run.features_of(run.split().test);
    EXPECT_TRUE(at::equal(detector->detect_left_out(test, std::array<std::size_t, 1>{0}).images[0],
                          detector->detect(test, std::array<std::size_t, 1>{0}).images[0]));
}

TEST(Patchcore, PatchesAreMeansOfTheirNeighbourhood) {
    const TinyRun tiny({"method=patchcore", "patchcore.coreset=1", "patchcore.neighborhood=3"});
    ltad::Run run = tiny.open();
    fit_detector(run, {});
    const at::Tensor bank = load_weights(tiny / "run/patchcore/bank.safetensors").at("bank");
    const FeatureSet train = run.features_of(run.split().train);
    const at::Tensor map = train.batch(std::array<std::size_t, 1>{0}).maps[0];
    const std::int64_t grid = run.layout().grid;
    at::Tensor sum = at::zeros({map.size(0)});
    for (std::int64_t y = 0; y < 2; ++y)
        for (std::int64_t x = 1; x < 4; ++x) sum += map.select(1, y).select(1, x);
    // Row 0, column 2: six neighbours and three zeros beyond the edge.
    EXPECT_CLOSE_WITHIN(nearest_distances((sum / 9).unsqueeze(0), bank), at::zeros({1}),
                        1e-4 * map.norm().item<double>());
    ASSERT_GE(grid, 4);
}

}  // namespace
}  // namespace ltad::test
