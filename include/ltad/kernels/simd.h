#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

// Functions marked LTAD_MULTIVERSION are compiled for plain x86-64, AVX2 and AVX-512; the processor's own is chosen
// when the program starts. Their loops are plain C++ that the compiler turns into vector code.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LTAD_MULTIVERSION __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define LTAD_INLINE inline __attribute__((always_inline))
#else
#define LTAD_MULTIVERSION
#define LTAD_INLINE inline
#endif

namespace ltad {

/// 16 floats side by side. Operators work lane by lane; the compiler makes one, two or four registers of them.
/// Functions take them by reference: passed by value they would need AVX-512 in the caller.
using Lanes = float __attribute__((vector_size(64)));
using IntLanes = std::int32_t __attribute__((vector_size(64)));
constexpr std::int64_t lane_count = 16;

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // all of these are inlined: nobody returns vectors
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

namespace detail {

/// Real: float or Lanes. Polynomial of Cephes' expf.
template <typename Real>
LTAD_INLINE Real exp_of(const Real& x) {
    using Int = std::conditional_t<std::is_same_v<Real, float>, std::int32_t, IntLanes>;
    const Real clamped = x < -87.0f ? -87.0f : x;
    constexpr float shift = 12582912.0f;  // 1.5 · 2^23: adding it rounds to a whole number, found in the low bits
    const Real shifted = clamped * 1.44269504f + shift;
    const Real whole = shifted - shift;
    const Real r = clamped - whole * 0.693359375f - whole * -2.12194440e-4f;
    Real p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const Int power = (std::bit_cast<Int>(shifted) - std::bit_cast<std::int32_t>(shift) + 127) << 23;
    return x < -87.0f ? 0.0f : p * std::bit_cast<Real>(power);
}

template <typename Real>
LTAD_INLINE Real sigmoid_of(const Real& x) {
    const Real away = exp_of<Real>(x < 0 ? x : -x);  // in (0, 1]: never overflows
    return (x < 0 ? away : 1.0f) / (1.0f + away);
}

}  // namespace detail

/// e^x to one or two units in the last place, without branches; 0 below −87, where float has no normal numbers left;
/// x above 88 gives rubbish rather than infinity, NaN stays NaN.
LTAD_INLINE float fast_exp(float x) { return detail::exp_of(x); }
LTAD_INLINE Lanes fast_exp(const Lanes& x) { return detail::exp_of(x); }

/// 1 / (1 + e^−x), for every finite x.
LTAD_INLINE float fast_sigmoid(float x) { return detail::sigmoid_of(x); }
LTAD_INLINE Lanes fast_sigmoid(const Lanes& x) { return detail::sigmoid_of(x); }

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace ltad
