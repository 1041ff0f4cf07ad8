#pragma once

#include <span>
#include <string_view>

#include "ltad/synth/canvas.h"

namespace ltad {

/// Where a fault lies in the picture, how far it reaches, and how clearly it stands out.
struct Spot {
    Point at;
    float reach = 0;     ///< radius, in picture widths
    float strength = 0;  ///< (0, 1]
};

/// One class of the generated data set.
struct Product {
    std::string_view name;
    /// The fault that only this product has: "missing", "misprint" or "irregular".
    std::string_view own_fault;
    /// Draws one specimen. All that varies comes from `random`, and the same random numbers with and without `fault`
    /// (null for a good specimen) give pictures that differ in the fault alone.
    void (*draw)(Canvas& canvas, Random& random, const Spot* fault);
};

/// Surfaces: woven, brushed, granular, cellular, striped, tiled, grained, perforated.
[[nodiscard]] std::span<const Product> surfaces();
/// Things: washer, tablet, label, circuit.
[[nodiscard]] std::span<const Product> things();

}  // namespace ltad
