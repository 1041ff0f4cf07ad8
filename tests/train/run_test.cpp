#include "ltad/train/run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/model/jitter.h"
#include "ltad/model/score.h"
#include "ltad/train/phase1.h"
#include "ltad/train/phase1_report.h"
#include "ltad/train/phase2.h"
#include "ltad/train/statistics.h"
#include "support/golden.h"
#include "support/tiny_run.h"

namespace ltad::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::size_t> first_indices(std::size_t count) {
    std::vector<std::size_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return indices;
}

TEST(EpochOrder, IsAPermutationOfItsOwn) {
    std::set<std::vector<std::size_t>> seen;
    for (const std::int64_t seed : {1, 2})
        for (const int phase : {1, 2})
            for (const std::int64_t epoch : {0, 1, 2}) {
                const auto order = epoch_order(seed, phase, epoch, 50);
                auto sorted = order;
                std::sort(sorted.begin(), sorted.end());
                EXPECT_EQ(sorted, first_indices(50));
                EXPECT_EQ(order, epoch_order(seed, phase, epoch, 50));
                EXPECT_TRUE(seen.insert(order).second);
            }
}

TEST(SampleNoise, DependsOnTheSampleNotOnItsCompany) {
    const TinyRun tiny;
    const ltad::Run run = tiny.open();
    const FeatureSet set = run.features_of(run.split().train);
    const auto noise = [&](std::initializer_list<std::size_t> indices, std::int64_t epoch) {
        return sample_noise(RandomUse::jitter, 7, 2, epoch, set, std::vector<std::size_t>(indices), {5, 3}, at::kCPU);
    };
    const at::Tensor together = noise({3, 0, 9}, 4);
    EXPECT_TRUE(at::equal(together[2], noise({9}, 4)[0]));
    EXPECT_TRUE(at::equal(together[0], noise({3, 4, 5, 6}, 4)[0]));
    EXPECT_FALSE(at::equal(together[0], noise({3}, 5)[0]));
    EXPECT_FALSE(at::equal(together[0], together[1]));
}

TEST(Run, KeepsTheSplitAndNamesWhatWasLeftOut) {
    const TinyRun tiny;
    const ltad::Run run = tiny.open();
    EXPECT_EQ(run.split().train.size(), 8u + 2 + 2);  // step with factor 4, 3 classes: 1 majority
    EXPECT_EQ(run.held_out().size(), 24u - run.split().train.size());
    std::set<std::string> kept;
    for (const Sample& sample : run.split().train) kept.insert(sample.file);
    for (const Sample& sample : run.held_out()) EXPECT_FALSE(kept.contains(sample.file));
    { const FileLock lock = run.claim(false); }
    const ltad::Run other = tiny.open({"split.imbalance_factor=2"});
    EXPECT_THAT([&] { other.check_split(); }, ThrowsMessage<Error>(HasSubstr("split")));
    { const FileLock lock = other.claim(true); }
    EXPECT_THAT([&] { run.check_split(); }, ThrowsMessage<Error>(HasSubstr("split")));
}

TEST(Phase1, LossIsTheSumOfItsPartsAndFalls) {
    const TinyRun tiny({"phase1.epochs=12", "phase1.learning_rate=0.003"});
    ltad::Run run = tiny.open();
    train_phase1(run, {});
    std::ifstream metrics(tiny / "run/phase1/metrics.jsonl");
    std::vector<json> epochs;
    for (std::string line; std::getline(metrics, line);) epochs.push_back(json::parse(line));
    ASSERT_EQ(epochs.size(), 12u);
    EXPECT_LT(epochs.back()["loss"].get<double>(), 0.9 * epochs.front()["loss"].get<double>());
    for (const json& e : epochs)
        EXPECT_NEAR(e["loss"].get<double>(), e["reconstruction"].get<double>() + 0.01 * e["kl"].get<double>(), 1e-5);
}

// What phase 1 is for, on a toy: the decoder makes something of z and of the name, and the names drift apart.
TEST(Phase1, LearnsToDecode) {
    const TinyRun tiny({"phase1.epochs=150", "phase1.learning_rate=0.003", "phase1.schedule=cosine"});
    ltad::Run run = tiny.open();
    train_phase1(run, {});
    const json report = read_json(tiny / "run/phase1/report.json");
    double from_latent = 0, from_noise = 0, nearest = 0;
    for (const json& c : report["classes"]) {
        from_latent += c["error_from_latent"].get<double>();
        from_noise += c["error_from_noise"].get<double>();
        nearest += c["nearest_own_class"].get<double>();
    }
    EXPECT_LT(from_latent, from_noise);
    EXPECT_GT(nearest / 3, 0.5);  // chance is 1/3
    EXPECT_GT(report["name_distance"].get<double>(), 0.01);
    EXPECT_GT(report["name_change"].get<double>(), 0.01);
}

TEST(Phase1, TextsEqualOneEncodingPerPicture) {
    const TinyRun tiny;
    const ltad::Run run = tiny.open();
    const Phase1Model model(run);
    const at::Tensor classes = at::tensor(std::vector<std::int64_t>{2, 0, 2, 2, 0}, at::kLong);
    const at::Tensor texts = model.texts(classes);
    for (std::int64_t i = 0; i < 5; ++i)
        EXPECT_CLOSE_WITHIN(texts[i], model.prompts().names(classes.slice(0, i, i + 1))[0], 1e-5);
}

TEST(Phase1, GradientsReachNamesPosteriorAndDecoder) {
    const TinyRun tiny;
    const ltad::Run run = tiny.open();
    Phase1Model model(run);
    const FeatureSet set = run.features_of(run.split().train);
    const auto indices = first_indices(set.size());
    const at::Tensor noise = sample_noise(RandomUse::test, 1, 1, 0, set, indices, {run.layout().latent}, at::kCPU);
    const Phase1Loss loss = phase1_loss(model, set.batch(indices), noise, run.layout().channels, true);
    (loss.reconstruction + loss.kl).backward();
    for (const auto& [name, parameter] : model.parameters().trained()) {
        ASSERT_TRUE(parameter.grad().defined()) << name;
        EXPECT_GT(parameter.grad().abs().max().item<double>(), 0) << name;
    }
}

TEST(Phase1, AnAutoencoderHasNeitherTextNorNoise) {
    const TinyRun tiny({"phase1.generator=autoencoder"});
    ltad::Run run = tiny.open();
    Phase1Model model(run);
    for (const auto& [name, parameter] : model.parameters().trained()) {
        EXPECT_THAT(name, ::testing::Not(HasSubstr("prompts")));
        EXPECT_THAT(name, ::testing::Not(HasSubstr("log_variance")));
    }
    const FeatureSet set = run.features_of(run.split().train);
    const auto indices = first_indices(4);
    const FeatureBatch batch = set.batch(indices);
    const std::int64_t latent = run.layout().latent;
    const Phase1Loss one = phase1_loss(model, batch, at::randn({4, latent}), run.layout().channels, true);
    EXPECT_EQ(one.kl.item<float>(), 0);
    const Phase1Loss two = phase1_loss(model, batch, at::randn({4, latent}), run.layout().channels, true);
    EXPECT_EQ(one.reconstruction.item<float>(), two.reconstruction.item<float>());
    one.reconstruction.backward();
    for (const auto& [name, parameter] : model.parameters().trained()) EXPECT_TRUE(parameter.grad().defined()) << name;

    train_phase1(run, {});
    train_phase2(run, Phase2Part::both, {});
    const Phase1Model trained = Phase1Model::load(run);
    // Names stay where they began, and what phase 2 gets does not depend on the draw.
    EXPECT_TRUE(at::equal(trained.prompts().embeddings(), model.prompts().embeddings()));
    const Phase2Sampler sampler(run, trained, set);
    const c10::NoGradGuard no_grad;
    const at::Tensor decoded = to_tokens(
        trained.vae().decoder().forward(trained.vae().encode(batch.latents).mean, trained.texts(batch.classes), false));
    for (const std::int64_t epoch : {0, 1, 2}) {
        const at::Tensor normal = sampler.draw(epoch, indices).normal;
        for (std::int64_t i = 0; i < 4; ++i) {
            const bool real = at::equal(normal[i], to_tokens(batch.maps)[i]);
            EXPECT_TRUE(real || at::allclose(normal[i], decoded[i], 1e-4, 1e-5)) << epoch << ' ' << i;
        }
    }
}

class Phase2Draws : public ::testing::Test {
protected:
    const TinyRun tiny;
    const ltad::Run run = tiny.open();
    const Phase1Model phase1{run};
    const FeatureSet set = run.features_of(run.split().train);
};

TEST_F(Phase2Draws, DependOnThePictureNotOnItsCompany) {
    const Phase2Sampler sampler(run, phase1, set);
    for (const std::int64_t epoch : {0, 1, 2, 3}) {
        const auto all = first_indices(set.size());
        const Phase2Batch together = sampler.draw(epoch, all);
        for (std::size_t i = 0; i < set.size(); ++i) {
            const Phase2Batch alone = sampler.draw(epoch, std::array{i});
            const auto row = static_cast<std::int64_t>(i);
            EXPECT_CLOSE_WITHIN(together.normal[row], alone.normal[0], 1e-4);
            EXPECT_CLOSE_WITHIN(together.abnormal[row], alone.abnormal[0], 1e-4);
        }
    }
}

TEST_F(Phase2Draws, AreRealOrDecodedFeaturesInTheAskedShare) {
    const Phase2Sampler sampler(run, phase1, set);
    const auto all = first_indices(set.size());
    const at::Tensor real = to_tokens(set.batch(all).maps);
    int synthetic = 0;
    constexpr int epochs = 100;
    for (int epoch = 0; epoch < epochs; ++epoch) {
        const at::Tensor normal = sampler.draw(epoch, all).normal;
        for (std::int64_t i = 0; i < real.size(0); ++i) synthetic += at::equal(normal[i], real[i]) ? 0 : 1;
    }
    const double draws = epochs * static_cast<double>(set.size());
    EXPECT_NEAR(synthetic / draws, 0.5, 4 * std::sqrt(0.25 / draws));
}

TEST_F(Phase2Draws, FollowTheProbabilitiesOfTheConfig) {
    const ltad::Run always = tiny.open({"phase2.real_probability=1"});
    const Phase2Sampler real(always, phase1, set);
    const auto all = first_indices(set.size());
    for (const std::int64_t epoch : {0, 1, 2})
        EXPECT_TRUE(at::equal(real.draw(epoch, all).normal, to_tokens(set.batch(all).maps)));

    const ltad::Run aware = tiny.open({"phase2.sampling=class_aware"});
    const Phase2Sampler by_class(aware, phase1, set);
    EXPECT_DOUBLE_EQ(by_class.synthetic_probability(0), 2.0 / 8.0);  // N_min / N_c
    EXPECT_DOUBLE_EQ(by_class.synthetic_probability(1), 1.0);
    EXPECT_DOUBLE_EQ(Phase2Sampler(run, phase1, set).synthetic_probability(0), 0.5);
}

TEST_F(Phase2Draws, ChannelDeviationIsThatOfTheTrainingTokens) {
    const ltad::Run channel = tiny.open({"phase2.jitter_scale=channel"});
    const Phase2Sampler sampler(channel, phase1, set);
    const at::Tensor tokens = to_tokens(set.batch(first_indices(set.size())).maps).flatten(0, 1).to(at::kDouble);
    EXPECT_CLOSE_WITHIN(sampler.channel_deviation(), (tokens - tokens.mean(0)).square().mean(0).sqrt(), 1e-5);
}

TEST(Statistics, EqualAPlainPassOverTheTrainingTokens) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    train_phase1(run, {});
    train_phase2(run, Phase2Part::both, {});
    const Phase1Model phase1 = Phase1Model::load(run);
    const Phase2Model phase2 = Phase2Model::load(run, phase1);
    const FeatureSet set = run.features_of(run.split().train);
    const auto all = first_indices(set.size());
    const FeatureBatch batch = set.batch(all);
    const at::Tensor clean = to_tokens(batch.maps);
    const at::Tensor noise =
        sample_noise(RandomUse::jitter, 7, 3, 0, set, all, {clean.size(1), clean.size(2)}, at::kCPU);
    std::vector<double> rec, sem;
    for (const at::Tensor& tokens : {clean, jitter(run.config().phase2, clean, noise, {})}) {
        const TokenScores scores = score_tokens(phase2.reconstruction(), phase2.semantic(), tokens, batch.classes);
        for (const double v : values_of(scores.reconstruction)) rec.push_back(v);
        for (const double v : values_of(scores.semantic)) sem.push_back(v);
    }
    const auto deviation = [](const std::vector<double>& v) {
        const double mean = std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
        double squares = 0;
        for (const double x : v) squares += (x - mean) * (x - mean);
        return std::sqrt(squares / static_cast<double>(v.size()));
    };
    const ScoreStatistics found = read_statistics(run);
    EXPECT_NEAR(found.reconstruction_deviation / deviation(rec), 1, 1e-4);
    EXPECT_NEAR(found.semantic_deviation / deviation(sem), 1, 1e-4);
    EXPECT_DOUBLE_EQ(found.lambda(), found.reconstruction_deviation / found.semantic_deviation);
    EXPECT_THROW((void)(ScoreStatistics{1, 0}.lambda()), Error);
}

TEST(Phase2, ReadsPhase1WhenNobodyCanTrainAnother) {
    const TinyRun tiny;
    ltad::Run run = tiny.open();
    train_phase1(run, {.from_shell = false});
    ltad::Run other = tiny.open({"phase1.learning_rate=0.01", "output=" + (tiny / "other").string()});
    train_phase1(other, {.from_shell = false});

    std::optional<FileLock> lock(std::in_place, run.output() / "lock", "a test");
    std::string said = "nothing";
    std::thread waiting([&] {
        try {
            train_phase2(run, Phase2Part::both, {});
        } catch (const Error& error) {
            said = error.what();
        }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    write_file_atomically(Phase1Model::file(run), read_file(Phase1Model::file(other)));
    lock.reset();
    waiting.join();
    EXPECT_THAT(said, HasSubstr("phase1.learning_rate"));
}

TEST(ReconstructionLoss, SumsOverChannelsAndAveragesOverTokens) {
    const at::Tensor a = random_tensor({2, 3, 4}, 1);
    const at::Tensor b = random_tensor({2, 3, 4}, 2);
    const auto x = values_of(a);
    const auto y = values_of(b);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
    EXPECT_NEAR(reconstruction_loss(a, b).item<double>(), sum / 6, 1e-5);
}

}  // namespace
}  // namespace ltad::test
