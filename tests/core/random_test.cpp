#include "ltad/core/random.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::ThrowsMessage;

Random stream(std::uint64_t number = 0) { return Random(RandomUse::test, {number}); }

/// Sum of (observed − expected)² / expected over equally likely bins.
double chi_square(const std::vector<int>& counts) {
    const double expected = std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
    double sum = 0;
    for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
    return sum;
}

struct Moments {
    double mean = 0;
    double variance = 0;
    double skewness = 0;
    double kurtosis = 0;
};

template <typename T>
Moments moments_of(const std::vector<T>& values) {
    const auto n = static_cast<double>(values.size());
    Moments m;
    for (const T v : values) m.mean += v / n;
    double third = 0;
    double fourth = 0;
    for (const T v : values) {
        const double d = v - m.mean;
        m.variance += d * d / n;
        third += d * d * d / n;
        fourth += d * d * d * d / n;
    }
    m.skewness = third / std::pow(m.variance, 1.5);
    m.kurtosis = fourth / (m.variance * m.variance);
    return m;
}

template <typename T>
void expect_standard_normal(const std::vector<T>& values) {
    // n = 200,000: each bound is 4 to 5 standard errors.
    const Moments m = moments_of(values);
    EXPECT_NEAR(m.mean, 0, 0.01);
    EXPECT_NEAR(m.variance, 1, 0.015);
    EXPECT_NEAR(m.skewness, 0, 0.025);
    EXPECT_NEAR(m.kurtosis, 3, 0.05);
    for (const auto& [limit, expected] : {std::pair{1.0, 0.317311}, {2.0, 0.0455003}, {3.0, 0.0026998}}) {
        const auto outside = std::count_if(values.begin(), values.end(), [&](T v) { return std::abs(v) > limit; });
        const double error = std::sqrt(expected / static_cast<double>(values.size()));
        EXPECT_NEAR(static_cast<double>(outside) / static_cast<double>(values.size()), expected, 5 * error) << limit;
    }
    // Neighbours come from one Box-Muller pair in fill_normal.
    double product = 0;
    for (std::size_t i = 0; i + 1 < values.size(); ++i)
        product += static_cast<double>(values[i]) * values[i + 1] / static_cast<double>(values.size());
    EXPECT_NEAR(product, 0, 0.012);
}

TEST(Philox, GivesRandom123sKnownAnswers) {
    EXPECT_THAT(philox4x32({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
    EXPECT_THAT(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
                ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
    EXPECT_THAT(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
                ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(RandomKey, IsFnv1a) {
    // Vectors published with the hash (Fowler, Noll, Vo).
    EXPECT_EQ(random_key(""), 0xcbf29ce484222325u);
    EXPECT_EQ(random_key("a"), 0xaf63dc4c8601ec8cu);
    EXPECT_EQ(random_key("foobar"), 0x85944171f73967e8u);
}

TEST(Random, ItsNumbersAreFrozen) {
    // From an independent implementation (Python). Whoever changes them changes every split and every training: a new
    // format version is needed then.
    const auto words = [](Random random) {
        std::vector<std::uint32_t> out(10);
        for (auto& word : out) word = random.next_u32();
        return out;
    };
    EXPECT_THAT(words(Random(RandomUse::split, {})),
                ElementsAreArray({0xbde42823u, 0xfa0a3797u, 0x751fec77u, 0xf3d4c3d0u, 0x747d8242u, 0x6fa329f1u,
                                  0x26803bc4u, 0xa681f603u, 0xb557887cu, 0x46f0cc7bu}));
    EXPECT_THAT(words(Random(RandomUse::latent, {133, 1, 42})),
                ElementsAreArray({0xbed05d46u, 0x8d330d14u, 0xed966a25u, 0x833ef253u, 0xfbe5b868u, 0xd86e87dcu,
                                  0xd295cbe4u, 0x98ddf959u, 0x41c6deaau, 0x310fee57u}));
    EXPECT_THAT(words(Random(RandomUse::jitter, {133, 2, UINT64_MAX})),
                ElementsAreArray({0x569df2d1u, 0x6e24684fu, 0xc261aba1u, 0x0f0f97d5u, 0xe31a25fcu, 0xc590108du,
                                  0x05617a0fu, 0x7317221fu, 0xbf95b7b0u, 0x20cefddeu}));
}

TEST(Random, ItsDistributionsAreFrozen) {
    const auto latent = [] { return Random(RandomUse::latent, {133, 1, 42}); };
    Random words = latent();
    EXPECT_EQ(words.next_u64(), 0xbed05d468d330d14u);
    Random uniforms = latent();
    for (const double expected : {0.7453668877835292, 0.9280763951858224, 0.9839740043611815})
        EXPECT_EQ(uniforms.uniform(), expected);
    Random integers = latent();
    for (const std::uint64_t expected : {6u, 3u, 4u, 1u, 9u}) EXPECT_EQ(integers.below(10), expected);
    Random normals = latent();
    for (const double expected : {1.4880031543850292, 1.2665300284592667})
        EXPECT_NEAR(normals.normal(), expected, 1e-12);
    std::vector<float> filled(6);
    latent().fill_normal(filled);
    EXPECT_THAT(filled, testing::Pointwise(testing::FloatNear(1e-5f),
                                           {-0.7267731798826597, -0.24404519898591312, -0.38514530265997676,
                                            -0.03074801757248209, 0.10144416005065951, -0.14839343678333808}));
    std::vector<int> shuffled(10);
    std::iota(shuffled.begin(), shuffled.end(), 0);
    Random(RandomUse::split, {133, 7}).shuffle(shuffled);
    EXPECT_THAT(shuffled, ElementsAre(1, 6, 5, 7, 8, 2, 3, 0, 9, 4));
}

TEST(Random, TheSameKeyGivesTheSameNumbersWhateverElseIsDrawn) {
    Random a = stream(7);
    Random other = stream(8);
    Random b = stream(7);
    for (int i = 0; i < 1000; ++i) {
        (void)other.normal();
        ASSERT_EQ(a.next_u64(), b.next_u64());
    }
    Random copy = a;
    EXPECT_EQ(copy.next_u32(), a.next_u32());
}

TEST(Random, EveryWordOfTheKeyItsOrderAndNumberMatter) {
    std::set<std::uint64_t> first;
    std::size_t streams = 0;
    const auto add = [&](Random random) {
        first.insert(random.next_u64());
        ++streams;
    };
    for (const auto use : {RandomUse::split, RandomUse::synth, RandomUse::init, RandomUse::epoch_order,
                           RandomUse::latent, RandomUse::feature_kind, RandomUse::jitter, RandomUse::dropout,
                           RandomUse::held_out, RandomUse::captions, RandomUse::test}) {
        add(Random(use, {}));
        add(Random(use, {0}));
        add(Random(use, {0, 0}));
        for (const std::uint64_t a : {1u, 2u, 3u, 133u})
            for (const std::uint64_t b : {0u, 1u, 2u, 3u, 133u}) {
                add(Random(use, {a, b}));
                add(Random(use, {a, b, 0}));
                add(Random(use, {0, a, b}));
                add(Random(use, {a << 32, b}));
            }
    }
    for (int bit = 0; bit < 64; ++bit) add(stream(std::uint64_t{1} << bit));
    for (std::uint64_t epoch = 0; epoch < 100; ++epoch)
        for (std::uint64_t image = 0; image < 100; ++image) add(Random(RandomUse::jitter, {1000, epoch, image}));
    EXPECT_EQ(first.size(), streams) << "two keys share their numbers";
}

TEST(Random, AStreamDoesNotRepeatNorOverlapItsNeighbour) {
    std::set<std::uint64_t> seen;
    for (const std::uint64_t key : {1u, 2u}) {
        Random random = stream(key);
        for (int i = 0; i < 50'000; ++i) seen.insert(random.next_u64());
    }
    EXPECT_EQ(seen.size(), 100'000u);  // by chance two of 1e5 64-bit words agree once in 4e9 runs
}

TEST(Random, FirstNumbersOfNeighbouringKeysAreUniformAndUncorrelated) {
    constexpr int n = 40'000;
    std::vector<int> bins(100);
    double product = 0;
    double before = 0;
    for (int image = 0; image < n; ++image) {
        const double u = Random(RandomUse::feature_kind, {133, 0, static_cast<std::uint64_t>(image)}).uniform();
        ++bins[static_cast<std::size_t>(u * 100)];
        product += (u - 0.5) * before * 12 / n;
        before = u - 0.5;
    }
    EXPECT_LT(chi_square(bins), 160);  // 99 degrees of freedom: exceeded by chance once in 10,000
    EXPECT_NEAR(product, 0, 0.02);
}

TEST(Random, UniformFillsItsIntervalEvenly) {
    Random random = stream(1);
    std::vector<int> bins(256);
    std::vector<double> values(200'000);
    for (double& value : values) {
        value = random.uniform();
        ASSERT_GE(value, 0);
        ASSERT_LT(value, 1);
        ++bins[static_cast<std::size_t>(value * 256)];
    }
    EXPECT_LT(chi_square(bins), 345);  // 255 degrees of freedom, one in 10,000
    const Moments m = moments_of(values);
    EXPECT_NEAR(m.mean, 0.5, 0.003);
    EXPECT_NEAR(m.variance, 1.0 / 12, 0.001);
    for (int i = 0; i < 1000; ++i) {
        const double value = random.uniform(-3, 5);
        EXPECT_GE(value, -3);
        EXPECT_LT(value, 5);
    }
}

TEST(Random, ChanceIsItsProbability) {
    Random random = stream(2);
    int hits = 0;
    for (int i = 0; i < 100'000; ++i) {
        hits += random.chance(0.3) ? 1 : 0;
        EXPECT_FALSE(random.chance(0));
        EXPECT_TRUE(random.chance(1));
    }
    EXPECT_NEAR(hits / 1e5, 0.3, 0.007);
}

TEST(Random, BelowIsUnbiased) {
    Random random = stream(3);
    for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 10u, 64u, 100u}) {
        std::vector<int> counts(bound);
        for (int i = 0; i < 20'000; ++i) {
            const std::uint64_t value = random.below(bound);
            ASSERT_LT(value, bound);
            ++counts[value];
        }
        const double freedom = static_cast<double>(bound - 1);
        EXPECT_LE(chi_square(counts), freedom + 5 * std::sqrt(2 * freedom) + 4) << bound;
    }
    // The plain remainder of 64 bits would make the lowest third come half the time.
    const std::uint64_t three_quarters = std::uint64_t{3} << 62;
    int low = 0;
    for (int i = 0; i < 20'000; ++i) low += random.below(three_quarters) < (std::uint64_t{1} << 62) ? 1 : 0;
    EXPECT_NEAR(low / 2e4, 1.0 / 3, 0.02);
    for (int i = 0; i < 100; ++i) {
        EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
        EXPECT_LT(random.below((std::uint64_t{1} << 63) + 1), (std::uint64_t{1} << 63) + 1);
    }
    EXPECT_THAT([&] { (void)random.below(0); }, ThrowsMessage<Error>(HasSubstr("below 0")));
}

TEST(Random, NormalIsNormal) {
    Random random = stream(4);
    std::vector<double> values(200'000);
    for (double& value : values) value = random.normal();
    expect_standard_normal(values);
}

TEST(Random, FillNormalIsNormal) {
    std::vector<float> values(200'000);
    stream(5).fill_normal(values);
    expect_standard_normal(values);
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
}

TEST(Random, FillNormalOfAnOddLengthIsABeginningOfALongerOne) {
    std::vector<float> longer(8);
    stream(6).fill_normal(longer);
    for (const std::size_t length : {0u, 1u, 2u, 5u, 7u}) {
        std::vector<float> shorter(length + 1, 99.0f);
        stream(6).fill_normal(std::span(shorter).first(length));
        EXPECT_EQ(shorter.back(), 99.0f) << "written past the end";
        EXPECT_TRUE(std::equal(shorter.begin(), shorter.end() - 1, longer.begin())) << length;
    }
}

TEST(Random, ShuffleIsAPermutationAndEveryOneIsEquallyLikely) {
    Random random = stream(9);
    std::vector<int> many(1000);
    std::iota(many.begin(), many.end(), 0);
    const std::vector<int> sorted = many;
    random.shuffle(many);
    EXPECT_NE(many, sorted);
    std::sort(many.begin(), many.end());
    EXPECT_EQ(many, sorted);

    std::map<std::string, int> seen;
    for (int i = 0; i < 24'000; ++i) {
        std::vector<char> letters = {'a', 'b', 'c', 'd'};
        random.shuffle(letters);
        ++seen[std::string(letters.begin(), letters.end())];
    }
    std::vector<int> counts;
    for (const auto& [order, count] : seen) counts.push_back(count);
    ASSERT_EQ(counts.size(), 24u);
    EXPECT_LT(chi_square(counts), 56);  // 23 degrees of freedom, one in 10,000

    std::vector<int> none;
    random.shuffle(none);
    std::vector<int> one = {5};
    random.shuffle(one);
    EXPECT_THAT(one, ElementsAre(5));
}

}  // namespace
}  // namespace ltad
