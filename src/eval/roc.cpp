#include "ltad/eval/roc.h"

#include <array>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "ltad/core/error.h"

namespace ltad {
namespace {

/// Whole numbers in the order of the floats: negative ones have all bits flipped, others the sign bit.
std::uint32_t ordered_key(float score) {
    const auto bits = std::bit_cast<std::uint32_t>(score == 0.0f ? 0.0f : score);  // −0 → 0
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

/// Least-significant-digit radix sort, three digits of 11 bits.
void radix_sort(std::vector<std::uint32_t>& keys) {
    constexpr unsigned bits = 11;
    constexpr std::size_t buckets = 1u << bits;
    std::array<std::array<std::size_t, buckets>, 3> counts{};
    for (const std::uint32_t key : keys)
        for (unsigned digit = 0; digit < 3; ++digit) ++counts[digit][key >> digit * bits & (buckets - 1)];
    std::vector<std::uint32_t> other(keys.size());
    for (unsigned digit = 0; digit < 3; ++digit) {
        auto& start = counts[digit];
        std::size_t position = 0;
        for (std::size_t& count : start) position += std::exchange(count, position);
        for (const std::uint32_t key : keys) other[start[key >> digit * bits & (buckets - 1)]++] = key;
        keys.swap(other);
    }
}

}  // namespace

std::optional<double> auroc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
    if (scores.size() != labels.size())
        fail("AUROC: ", scores.size(), " scores were given with ", labels.size(), " labels");
    std::vector<std::uint32_t> good, defective;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (std::isnan(scores[i])) fail("AUROC: score ", i, " is not a number");
        (labels[i] != 0 ? defective : good).push_back(ordered_key(scores[i]));
    }
    if (good.empty() || defective.empty()) return std::nullopt;
    radix_sort(good);
    radix_sort(defective);

    // Twice the number of (defective, good) pairs in the right order, a tie counting one; of n pixels there are at most
    // n² / 2, so 64 bits hold it up to 6 · 10^9 pixels.
    std::uint64_t twice_right = 0;
    std::size_t below = 0;
    std::size_t through = 0;  // good keys ≤ the current one
    for (const std::uint32_t key : defective) {
        while (below < good.size() && good[below] < key) ++below;
        while (through < good.size() && good[through] <= key) ++through;
        twice_right += below + through;
    }
    const auto pairs = static_cast<long double>(good.size()) * static_cast<long double>(defective.size());
    return static_cast<double>(static_cast<long double>(twice_right) / (2 * pairs));
}

}  // namespace ltad
