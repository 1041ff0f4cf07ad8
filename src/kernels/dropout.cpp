#include "ltad/kernels/dropout.h"

#include <algorithm>
#include <cmath>

#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t half_group = 64;
constexpr std::int64_t group_size = 2 * half_group;

/// Factors of group g: hash 64 g + l gives values l and 64 + l. Two rounds of multiplying and folding; Philox would
/// take seven times as long.
LTAD_INLINE void draw_group(std::uint64_t group, std::uint64_t key, std::uint32_t threshold, float kept, float* out) {
    const std::uint64_t first = group * half_group;
    const auto key0 = static_cast<std::uint32_t>(key);
    const auto key1 = static_cast<std::uint32_t>(key >> 32) + static_cast<std::uint32_t>(first >> 32);
    for (std::int64_t l = 0; l < half_group; ++l) {
        std::uint32_t bits = (static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(l)) * 0x9E3779B9u ^ key0;
        bits = (bits ^ bits >> 16) * 0x7FEB352Du;
        bits = ((bits ^ bits >> 15) + key1) * 0x846CA68Bu;
        bits ^= bits >> 16;
        out[l] = (bits & 0xFFFFu) < threshold ? 0.0f : kept;
        out[half_group + l] = bits >> 16 < threshold ? 0.0f : kept;
    }
}

/// The finalizer of SplitMix64: keys that differ in any bit give unrelated streams.
std::uint64_t mix(std::uint64_t key) {
    key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9u;
    key = (key ^ key >> 27) * 0x94D049BB133111EBu;
    return key ^ key >> 31;
}

LTAD_MULTIVERSION(void, draw_or_apply,
                  (std::uint64_t key, std::uint32_t threshold, float kept, std::int64_t first, std::int64_t count,
                   bool multiply, float* x)) {
    alignas(64) float factors[group_size];
    const std::int64_t end = first + count;
    for (std::int64_t at = first; at < end;) {
        const std::int64_t group = at / group_size;
        const std::int64_t stop = std::min(end, (group + 1) * group_size);
        draw_group(static_cast<std::uint64_t>(group), key, threshold, kept, factors);
        const float* const from = factors + (at - group * group_size);
        float* const to = x + (at - first);
        if (multiply)
            for (std::int64_t i = 0; i < stop - at; ++i) to[i] *= from[i];
        else
            for (std::int64_t i = 0; i < stop - at; ++i) to[i] = from[i];
        at = stop;
    }
}

}  // namespace

DropoutMask::DropoutMask(std::uint64_t key, double p)
    : key_(key),
      threshold_(static_cast<std::uint32_t>(std::lround(p * 65536))),
      kept_(65536.0f / static_cast<float>(65536 - threshold_)) {}

void DropoutMask::apply(float* x, std::int64_t first, std::int64_t count) const {
    if (active()) draw_or_apply(mix(key_), threshold_, kept_, first, count, true, x);
}

void DropoutMask::factors(float* out, std::int64_t first, std::int64_t count) const {
    draw_or_apply(mix(key_), threshold_, kept_, first, count, false, out);
}

}  // namespace ltad
