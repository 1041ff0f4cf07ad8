#pragma once

#include <bit>
#include <cstdint>

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

}  // namespace ltad
