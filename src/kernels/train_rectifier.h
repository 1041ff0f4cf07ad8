#pragma once

#include <type_traits>

#include "ltad/kernels/simd.h"
#include "ltad/kernels/train_norm.h"

namespace ltad {

template <Rectifier f>
LTAD_INLINE float value_of(float z) {
    if constexpr (f == Rectifier::swish) return z * fast_sigmoid(z);
    const float above = z < 0 ? 0 : z;  // NaN stays
    return f == Rectifier::relu6 && above > 6 ? 6 : above;
}

template <Rectifier f>
LTAD_INLINE float slope_of(float z) {
    if constexpr (f == Rectifier::swish) {
        const float s = fast_sigmoid(z);
        return s + z * s * (1 - s);
    }
    const float rising = z > 0 ? 1.0f : 0.0f;
    return f == Rectifier::relu6 && z >= 6 ? 0.0f : rising;
}

/// Both at once share the exponential.
template <Rectifier f>
LTAD_INLINE void value_and_slope(float z, float& value, float& slope) {
    if constexpr (f == Rectifier::swish) {
        const float s = fast_sigmoid(z);
        value = z * s;
        slope = s + value * (1 - s);
    } else {
        value = value_of<f>(z);
        slope = slope_of<f>(z);
    }
}

/// Calls work(constant) with f as a compile-time constant, so that loops inside need not ask for it.
template <typename Work>
LTAD_INLINE void with_rectifier(Rectifier f, const Work& work) {
    switch (f) {
        case Rectifier::relu:
            return work(std::integral_constant<Rectifier, Rectifier::relu>{});
        case Rectifier::relu6:
            return work(std::integral_constant<Rectifier, Rectifier::relu6>{});
        case Rectifier::swish:
            return work(std::integral_constant<Rectifier, Rectifier::swish>{});
    }
}

}  // namespace ltad
