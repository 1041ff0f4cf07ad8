#include "ltad/eval/roc.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <ATen/Parallel.h>

#include "ltad/core/error.h"
#include "ltad/kernels/simd.h"

namespace ltad {
namespace {

/// Whole numbers in the order of the floats: negative ones have all bits flipped, others the sign bit.
LTAD_INLINE std::uint32_t ordered_key(float score) {
    const auto bits = std::bit_cast<std::uint32_t>(score == 0.0f ? 0.0f : score);  // −0 → 0
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

struct Counts {
    std::size_t defective = 0;
    std::size_t nan = 0;
};

LTAD_MULTIVERSION Counts count(const float* scores, const std::uint8_t* labels, std::size_t size) {
    std::uint64_t defective = 0, nan = 0;
    for (std::size_t i = 0; i < size; ++i) {
        defective += labels[i] != 0 ? 1 : 0;
        nan += scores[i] != scores[i] ? 1 : 0;
    }
    return {defective, nan};
}

constexpr unsigned digit_bits = 11;
constexpr std::size_t buckets = std::size_t{1} << digit_bits;
constexpr unsigned digits = 3;
using Starts = std::array<std::size_t, buckets>;

std::size_t digit_of(std::uint32_t key, unsigned digit) { return key >> digit * digit_bits & (buckets - 1); }

/// One pass of a least-significant-digit radix sort: each thread has a run of the keys and, in every bucket, a place
/// of its own after those of the runs before it.
void sort_by_digit(const std::vector<std::uint32_t>& from, std::vector<std::uint32_t>& to, unsigned digit,
                   std::size_t runs) {
    const std::size_t length = (from.size() + runs - 1) / runs;
    const auto run_of = [&](std::size_t run) {
        const std::size_t first = std::min(run * length, from.size());
        return std::span(from).subspan(first, std::min(length, from.size() - first));
    };
    const auto for_runs = [&](const auto& work) {
        at::parallel_for(0, static_cast<std::int64_t>(runs), 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto run = static_cast<std::size_t>(begin); run < static_cast<std::size_t>(end); ++run) work(run);
        });
    };
    std::vector<Starts> starts(runs, Starts{});
    for_runs([&](std::size_t run) {
        for (const std::uint32_t key : run_of(run)) ++starts[run][digit_of(key, digit)];
    });
    std::size_t position = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket)
        for (Starts& start : starts) position += std::exchange(start[bucket], position);
    for_runs([&](std::size_t run) {
        Starts& start = starts[run];
        for (const std::uint32_t key : run_of(run)) to[start[digit_of(key, digit)]++] = key;
    });
}

void radix_sort(std::vector<std::uint32_t>& keys) {
    constexpr std::size_t worth_a_thread = 1 << 16;
    const std::size_t runs =
        std::clamp<std::size_t>(keys.size() / worth_a_thread, 1, static_cast<std::size_t>(at::get_num_threads()));
    std::vector<std::uint32_t> other(keys.size());
    for (unsigned digit = 0; digit < digits; ++digit) {
        sort_by_digit(keys, other, digit, runs);
        keys.swap(other);
    }
}

}  // namespace

void RankedScores::add(std::span<const float> scores, std::span<const std::uint8_t> labels) {
    if (scores.size() != labels.size())
        fail("AUROC: ", scores.size(), " scores were given with ", labels.size(), " labels");
    const Counts counts = count(scores.data(), labels.data(), scores.size());
    if (counts.nan != 0) {
        const auto found = std::find_if(scores.begin(), scores.end(), [](float score) { return score != score; });
        fail("AUROC: score ", found - scores.begin(), " is not a number");
    }
    const std::size_t good = good_.size(), defective = defective_.size();
    // One element more, which the branchless loop below may write to.
    good_.resize(good + scores.size() - counts.defective + 1);
    defective_.resize(defective + counts.defective + 1);
    std::uint32_t* next_good = good_.data() + good;
    std::uint32_t* next_defective = defective_.data() + defective;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const std::uint32_t key = ordered_key(scores[i]);
        *next_good = key;
        *next_defective = key;
        next_good += labels[i] == 0 ? 1 : 0;
        next_defective += labels[i] == 0 ? 0 : 1;
    }
    good_.pop_back();
    defective_.pop_back();
}

std::optional<double> RankedScores::auroc() {
    if (good_.empty() || defective_.empty()) return std::nullopt;
    radix_sort(good_);
    radix_sort(defective_);

    // Twice the number of (defective, good) pairs in the right order, a tie counting one; of n pixels there are at most
    // n² / 2, so 64 bits hold it up to 6 · 10^9 pixels.
    std::uint64_t twice_right = 0;
    std::size_t below = 0;
    std::size_t through = 0;  // good keys ≤ the current one
    for (const std::uint32_t key : defective_) {
        while (below < good_.size() && good_[below] < key) ++below;
        while (through < good_.size() && good_[through] <= key) ++through;
        twice_right += below + through;
    }
    const auto pairs = static_cast<long double>(good_.size()) * static_cast<long double>(defective_.size());
    return static_cast<double>(static_cast<long double>(twice_right) / (2 * pairs));
}

std::optional<double> auroc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
    RankedScores ranked;
    ranked.add(scores, labels);
    return ranked.auroc();
}

}  // namespace ltad
