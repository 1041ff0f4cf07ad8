#pragma once

#include <type_traits>

#include "ltad/kernels/simd.h"
#include "ltad/kernels/train_norm.h"

namespace ltad {

template <Curve curve>
LTAD_INLINE float value_of(float z) {
    if constexpr (curve == Curve::swish) return z * fast_sigmoid(z);
    const float above = z < 0 ? 0 : z;  // NaN stays
    return curve == Curve::relu6 && above > 6 ? 6 : above;
}

template <Curve curve>
LTAD_INLINE float slope_of(float z) {
    if constexpr (curve == Curve::swish) {
        const float s = fast_sigmoid(z);
        return s + z * s * (1 - s);
    }
    const float rising = z > 0 ? 1.0f : 0.0f;
    return curve == Curve::relu6 && z >= 6 ? 0.0f : rising;
}

/// Both at once share the exponential.
template <Curve curve>
LTAD_INLINE void value_and_slope(float z, float& value, float& slope) {
    if constexpr (curve == Curve::swish) {
        const float s = fast_sigmoid(z);
        value = z * s;
        slope = s + value * (1 - s);
    } else {
        value = value_of<curve>(z);
        slope = slope_of<curve>(z);
    }
}

/// Calls work(constant) with the curve as a compile-time constant, so that loops inside need not ask for it.
template <typename Work>
LTAD_INLINE void with_curve(Curve curve, const Work& work) {
    switch (curve) {
        case Curve::relu:
            return work(std::integral_constant<Curve, Curve::relu>{});
        case Curve::relu6:
            return work(std::integral_constant<Curve, Curve::relu6>{});
        case Curve::swish:
            return work(std::integral_constant<Curve, Curve::swish>{});
    }
}

}  // namespace ltad
