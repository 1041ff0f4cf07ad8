#include "ltad/core/random.h"

#include <cmath>
#include <numbers>

#include "ltad/core/error.h"

namespace ltad {
namespace {

/// SplitMix64's finaliser: a bijection that spreads every bit.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

}  // namespace

std::uint64_t random_key(std::string_view name) {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return hash;
}

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter[2];
        counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

Random::Random(RandomUse use, std::initializer_list<std::uint64_t> words) {
    // 128 bits of state from the words: 64 become the key, 64 the upper half of the counter.
    std::uint64_t first = mix(static_cast<std::uint64_t>(use));
    std::uint64_t second = mix(first ^ words.size());
    for (const std::uint64_t word : words) {
        first = mix(first ^ word);
        second = mix(second + first);
    }
    key_ = {low(first), high(first)};
    counter_ = {0, 0, low(second), high(second)};
}

void Random::refill() {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
}

std::uint32_t Random::next_u32() {
    if (used_ == 4) refill();
    return block_[used_++];
}

std::uint64_t Random::next_u64() {
    const std::uint64_t upper = next_u32();
    return upper << 32 | next_u32();
}

double Random::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

std::uint64_t Random::below(std::uint64_t bound) {
    if (bound == 0) fail("a random number below 0 was asked for");
    // Rejects the short last stretch of 2^64, so that every value is equally likely.
    const std::uint64_t limit = bound * (UINT64_MAX / bound);
    std::uint64_t value = next_u64();
    while (value >= limit) value = next_u64();
    return value % bound;
}

double Random::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

void Random::fill_normal(std::span<float> out) {
    constexpr float two_pi = 2.0f * std::numbers::pi_v<float>;
    for (std::size_t i = 0; i < out.size(); i += 2) {
        // (0, 1]: the logarithm of 0 never happens.
        const float u = (static_cast<float>(next_u32() >> 8) + 1.0f) * 0x1.0p-24f;
        const float angle = two_pi * static_cast<float>(next_u32() >> 8) * 0x1.0p-24f;
        const float radius = std::sqrt(-2.0f * std::log(u));
        out[i] = radius * std::cos(angle);
        if (i + 1 < out.size()) out[i + 1] = radius * std::sin(angle);
    }
}

}  // namespace ltad
