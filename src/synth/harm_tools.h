#pragma once

#include "grammar.h"

namespace ltad {

/// A place in a defect's own frame: 1 is its reach.
struct Local {
    float u = 0, v = 0;  ///< along and across
    float r = 0;
};

inline Local local(const Site& site, float x, float y) {
    const float dx = (x - site.at.x) / site.reach;
    const float dy = (y - site.at.y) / site.reach;
    const float c = std::cos(site.angle);
    const float s = std::sin(site.angle);
    return {c * dx + s * dy, c * dy - s * dx, std::sqrt(dx * dx + dy * dy)};
}

/// A random place up to `far` reaches away.
inline Point around(const Site& site, Random& random, float far) {
    const float angle = between(random, 0, 2 * pi);
    const float r = far * site.reach * std::sqrt(between(random, 0, 1));
    return {site.at.x + r * std::cos(angle), site.at.y + r * std::sin(angle)};
}

}  // namespace ltad
