#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>

#include "ltad/kernels/simd.h"

namespace ltad {

/// Whole numbers in the order of the floats: negative ones have all bits flipped, others the sign bit. −0 is taken for
/// 0.
LTAD_INLINE std::uint32_t ordered_key(float score) {
    const auto bits = std::bit_cast<std::uint32_t>(score == 0.0f ? 0.0f : score);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

/// The score whose key this is.
inline float score_of_key(std::uint32_t key) {
    return std::bit_cast<float>((key & 0x80000000u) != 0 ? key & 0x7fffffffu : ~key);
}

/// How many good keys lie above a key, and how many at or above it; the keys asked for must not rise.
class GoodAbove {
public:
    explicit GoodAbove(std::span<const std::uint32_t> ascending) : keys_(ascending) {}

    void descend_to(std::uint32_t key) {
        const std::size_t size = keys_.size();
        while (above < size && keys_[size - 1 - above] > key) ++above;
        at_or_above = std::max(above, at_or_above);
        while (at_or_above < size && keys_[size - 1 - at_or_above] == key) ++at_or_above;
    }

    std::size_t above = 0;
    std::size_t at_or_above = 0;

private:
    std::span<const std::uint32_t> keys_;
};

namespace radix {

constexpr unsigned digit_bits = 11;
constexpr unsigned digits = 3;
constexpr std::size_t buckets = std::size_t{1} << digit_bits;
using Starts = std::array<std::size_t, buckets>;

template <typename Item>
std::size_t digit_of(Item item, unsigned digit) {
    return item >> (8 * sizeof(Item) - 32) >> digit * digit_bits & (buckets - 1);
}

/// One pass of a least-significant-digit radix sort: each thread has a run of the items and, in every bucket, a place
/// of its own after those of the runs before it.
template <typename Item>
void sort_by_digit(const std::vector<Item>& from, std::vector<Item>& to, unsigned digit, std::size_t runs) {
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
        for (const Item item : run_of(run)) ++starts[run][digit_of(item, digit)];
    });
    std::size_t position = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket)
        for (Starts& start : starts) position += std::exchange(start[bucket], position);
    for_runs([&](std::size_t run) {
        Starts& start = starts[run];
        for (const Item item : run_of(run)) to[start[digit_of(item, digit)]++] = item;
    });
}

}  // namespace radix

/// Sorts by the items' upper 32 bits, by all threads; equal ones keep their order.
template <typename Item>
void radix_sort(std::vector<Item>& items) {
    constexpr std::size_t worth_a_thread = 1 << 16;
    const std::size_t runs =
        std::clamp<std::size_t>(items.size() / worth_a_thread, 1, static_cast<std::size_t>(at::get_num_threads()));
    std::vector<Item> other(items.size());
    for (unsigned digit = 0; digit < radix::digits; ++digit) {
        radix::sort_by_digit(items, other, digit, runs);
        items.swap(other);
    }
}

}  // namespace ltad
