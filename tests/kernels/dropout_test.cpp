#include "ltad/kernels/dropout.h"

#include <cmath>

#include <gtest/gtest.h>

#include "support/golden.h"

namespace ltad {
namespace {

std::vector<float> factors(const DropoutMask& mask, std::int64_t first, std::size_t count) {
    std::vector<float> out(count);
    mask.factors(out.data(), first, static_cast<std::int64_t>(count));
    return out;
}

TEST(DropoutMask, AnyPartOfTheStreamIsThatPart) {
    const DropoutMask mask(7, 0.4);
    const auto all = factors(mask, 0, 1000);
    for (const auto& [first, count] : {std::pair(0, 5), {3, 130}, {127, 2}, {128, 128}, {129, 700}, {999, 1}}) {
        const auto part = factors(mask, first, static_cast<std::size_t>(count));
        EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + first)) << first;
        std::vector<float> ones(static_cast<std::size_t>(count), 2.0f);
        mask.apply(ones.data(), first, count);
        for (std::size_t i = 0; i < ones.size(); ++i) EXPECT_EQ(ones[i], 2 * part[i]);
    }
}

TEST(DropoutMask, AgreesWithAPlainHash) {
    std::uint64_t key = 0x123456789abcdef0;
    const auto drawn = factors(DropoutMask(key, 0.25), 0, 1024);
    key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9u;
    key = (key ^ key >> 27) * 0x94D049BB133111EBu;
    key ^= key >> 31;
    for (std::uint32_t i = 0; i < 1024; ++i) {
        const std::uint32_t counter = i / 128 * 64 + i % 64;
        std::uint32_t bits = counter * 0x9E3779B9u ^ static_cast<std::uint32_t>(key);
        bits = (bits ^ bits >> 16) * 0x7FEB352Du;
        bits = ((bits ^ bits >> 15) + static_cast<std::uint32_t>(key >> 32)) * 0x846CA68Bu;
        bits ^= bits >> 16;
        const std::uint32_t half = i % 128 < 64 ? bits & 0xFFFFu : bits >> 16;
        EXPECT_EQ(drawn[i], half < 16384 ? 0.0f : 1 / 0.75f) << i;
    }
}

/// Pairs of values at a distance are independent: their correlation is that of chance.
TEST(DropoutMask, ValuesAndKeysAreUncorrelated) {
    constexpr std::size_t count = 1 << 20;
    const auto values = [&](std::uint64_t key) {
        const auto drawn = factors(DropoutMask(key, 0.5), 0, count + 40000);
        std::vector<double> centred(drawn.size());
        for (std::size_t i = 0; i < drawn.size(); ++i) centred[i] = drawn[i] - 1;
        return centred;
    };
    const auto a = values(1), b = values(2), c = values(std::uint64_t{1} << 32 | 1);
    const auto correlation = [&](const std::vector<double>& x, const std::vector<double>& y, std::size_t lag) {
        double sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += x[i] * y[i + lag];
        return sum / count;
    };
    const double chance = 5 / std::sqrt(static_cast<double>(count));
    for (const std::size_t lag : {1, 2, 16, 63, 64, 65, 128, 196, 208, 256, 1024, 38416})
        EXPECT_LT(std::abs(correlation(a, a, lag)), chance) << lag;
    for (const std::size_t lag : {0, 1, 64, 128}) {
        EXPECT_LT(std::abs(correlation(a, b, lag)), chance) << lag;
        EXPECT_LT(std::abs(correlation(a, c, lag)), chance) << lag;
    }
}

TEST(DropoutMask, KeepsEverythingWhenThereIsNone) {
    std::vector<float> x = {1, 2, 3};
    DropoutMask().apply(x.data(), 0, 3);
    EXPECT_EQ(x, (std::vector<float>{1, 2, 3}));
    EXPECT_FALSE(DropoutMask(5, 0).active());
    EXPECT_EQ(factors(DropoutMask(5, 0), 0, 2), (std::vector<float>{1, 1}));
}

}  // namespace
}  // namespace ltad
