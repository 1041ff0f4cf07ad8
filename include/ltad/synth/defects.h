#pragma once

#include <array>
#include <string_view>

#include "ltad/synth/products.h"

namespace ltad {

/// The kinds of damage that can befall any product. A picture's kinds are these and the product's own fault.
inline constexpr std::array<std::string_view, 4> damage_kinds = {"crack", "pit", "scratch", "stain"};

/// Draws damage of a kind over a specimen, on the product only. Throws Error for an unknown kind.
void damage(Canvas& canvas, std::string_view kind, const Spot& spot, Random& random);

}  // namespace ltad
