#include "ltad/synth/field.h"

#include <cmath>
#include <limits>

namespace ltad {
namespace {

float unit(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1.0p-24f; }

/// 0 → 0, 1 → 1, with vanishing first and second derivatives there.
float quintic(float t) { return t * t * t * (t * (t * 6 - 15) + 10); }

}  // namespace

std::uint32_t Field::hash(int x, int y, std::uint32_t channel) const {
    std::uint64_t h = seed_ + channel * 0x9E3779B97F4A7C15u;
    h ^= static_cast<std::uint32_t>(x) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 30)) * 0x94D049BB133111EBu;
    h ^= static_cast<std::uint32_t>(y) * 0xD6E8FEB86659FD93u;
    h = (h ^ (h >> 32)) * 0xBF58476D1CE4E5B9u;
    return static_cast<std::uint32_t>(h >> 32);
}

float Field::at_lattice(int x, int y) const { return unit(hash(x, y, 0)); }

float Field::smooth(float x, float y) const {
    const float fx = std::floor(x);
    const float fy = std::floor(y);
    const int ix = static_cast<int>(fx);
    const int iy = static_cast<int>(fy);
    const float tx = quintic(x - fx);
    const float ty = quintic(y - fy);
    const float above = std::lerp(at_lattice(ix, iy), at_lattice(ix + 1, iy), tx);
    const float below = std::lerp(at_lattice(ix, iy + 1), at_lattice(ix + 1, iy + 1), tx);
    return 2 * std::lerp(above, below, ty) - 1;
}

float Field::fractal(float x, float y, int octaves) const {
    float sum = 0;
    float strength = 0.6f;
    for (int i = 0; i < octaves; ++i) {
        sum += strength * smooth(x, y);
        strength *= 0.5f;
        x = 2 * x + 17.3f;  // shifted, so that the octaves' lattices do not line up
        y = 2 * y + 9.1f;
    }
    return sum;
}

Field::Cell Field::cell(float x, float y) const {
    const int ix = static_cast<int>(std::floor(x));
    const int iy = static_cast<int>(std::floor(y));
    Cell out{.nearest = std::numeric_limits<float>::max(), .second = std::numeric_limits<float>::max(), .shade = 0};
    for (int cy = iy - 1; cy <= iy + 1; ++cy) {
        for (int cx = ix - 1; cx <= ix + 1; ++cx) {
            const float dx = static_cast<float>(cx) + unit(hash(cx, cy, 1)) - x;
            const float dy = static_cast<float>(cy) + unit(hash(cx, cy, 2)) - y;
            const float distance = std::sqrt(dx * dx + dy * dy);
            if (distance < out.nearest) {
                out.second = out.nearest;
                out.nearest = distance;
                out.shade = unit(hash(cx, cy, 3));
            } else if (distance < out.second) {
                out.second = distance;
            }
        }
    }
    return out;
}

}  // namespace ltad
