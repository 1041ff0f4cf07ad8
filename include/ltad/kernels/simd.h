#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)
#define LTAD_INLINE inline __attribute__((always_inline))
#else
#define LTAD_INLINE inline
#endif

namespace ltad {

/// 16 floats side by side. Operators work lane by lane; the compiler makes one, two or four registers of them.
/// Functions take them by reference: passed by value they would need AVX-512 in the caller.
using Lanes = float __attribute__((vector_size(64)));
using BitLanes = std::uint32_t __attribute__((vector_size(64)));  // unsigned: NaN and unused lanes may overflow
constexpr std::int64_t lane_count = 16;

// All of these are inlined: how vectors would be returned does not matter, there and where they are called.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

LTAD_INLINE Lanes load_lanes(const float* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

LTAD_INLINE void store_lanes(const Lanes& lanes, float* to) { std::memcpy(to, &lanes, sizeof lanes); }

/// The first `count` only; the others are 0.
LTAD_INLINE Lanes load_lanes(const float* from, std::int64_t count) {
    if (count == lane_count) return load_lanes(from);
    Lanes lanes{};
    std::memcpy(&lanes, from, static_cast<std::size_t>(count) * sizeof(float));
    return lanes;
}

LTAD_INLINE void store_lanes(const Lanes& lanes, float* to, std::int64_t count) {
    if (count == lane_count)
        store_lanes(lanes, to);
    else
        std::memcpy(to, &lanes, static_cast<std::size_t>(count) * sizeof(float));
}

/// e^x to one or two units in the last place, without branches; 0 below −87, where float has no normal numbers left;
/// x above 88 gives rubbish rather than infinity, NaN stays NaN. Polynomial of Cephes' expf.
LTAD_INLINE float fast_exp(float x) {
    const float clamped = x < -87.0f ? -87.0f : x;
    constexpr float shift = 12582912.0f;  // 1.5 · 2^23: adding it rounds to a whole number, found in the low bits
    const float shifted = clamped * 1.44269504f + shift;
    const float whole = shifted - shift;
    const float r = clamped - whole * 0.693359375f - whole * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const std::int32_t power = (std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(shift) + 127) << 23;
    return x < -87.0f ? 0.0f : p * std::bit_cast<float>(power);
}

/// 1 / (1 + e^−x), for every finite x.
LTAD_INLINE float fast_sigmoid(float x) {
    const float away = fast_exp(x < 0 ? x : -x);  // in (0, 1]: never overflows
    return (x < 0 ? away : 1.0f) / (1.0f + away);
}

/// x σ(x) = x / (1 + e^−x) to 5e-6 of it, −1e-36 rather than less below −87; NaN stays NaN. e^−x is 2^whole ·
/// 2^rest, and 2^rest on [−1/2, 1/2] the polynomial of degree 5 with the least relative error, 7.5e-8 (Remez).
LTAD_INLINE Lanes fast_swish(const Lanes& x) {
    const Lanes y = x < -87.0f ? -87.0f : x;  // beyond, e^−x leaves the range of float
    const Lanes z = y > 87.0f ? 87.0f : y;
    constexpr float shift = 12582912.0f, minus_log2e = -1.44269504f;
    const Lanes shifted = z * minus_log2e + shift;
    const Lanes whole = shifted - shift;
    const Lanes rest = z * minus_log2e - whole;
    Lanes p = rest * 1.3276471993e-3f + 9.6755413344e-3f;
    p = p * rest + 5.5507132735e-2f;
    p = p * rest + 2.4022119724e-1f;
    p = p * rest + 6.9314696706e-1f;
    p = p * rest + 1.0f;
    // Not std::bit_cast: where it is not inlined, it and its caller disagree about how vectors are returned.
    const BitLanes scaled = __builtin_bit_cast(BitLanes, p) + (__builtin_bit_cast(BitLanes, shifted) << 23);
    return y / (1.0f + __builtin_bit_cast(Lanes, scaled));
}

}  // namespace ltad
