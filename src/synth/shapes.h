#pragma once

#include <algorithm>
#include <cmath>

#include "ltad/synth/canvas.h"

namespace ltad {

inline float length(Point p) { return std::sqrt(p.x * p.x + p.y * p.y); }

/// Distance to a rectangle around the origin, below 0 inside.
inline float box_distance(Point p, Point half) {
    const float x = std::abs(p.x) - half.x;
    const float y = std::abs(p.y) - half.y;
    return length({std::max(x, 0.0f), std::max(y, 0.0f)}) + std::min(std::max(x, y), 0.0f);
}

/// Distance to a hexagon whose sides are `inner` away from the origin (corners are not rounded outside).
inline float hexagon_distance(Point p, float inner) {
    return std::max(std::abs(p.y), 0.5f * std::abs(p.y) + 0.8660254f * std::abs(p.x)) - inner;
}

}  // namespace ltad
