#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "ltad/core/random.h"

namespace ltad {

/// Smooth random functions of the plane like Field's, several times as fast: a table of numbers, repeated.
class Noise {
public:
    explicit Noise(Random& random) {
        std::uint64_t state = random.next_u64();
        for (float& value : table_) {  // splitmix64
            state += 0x9E3779B97F4A7C15u;
            std::uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
            value = static_cast<float>(z >> 40) * 0x1.0p-24f;
        }
    }

    /// A number in [0, 1) that belongs to a lattice point.
    [[nodiscard]] float at(int x, int y) const {
        return table_[static_cast<std::size_t>(y & mask) * side + static_cast<std::size_t>(x & mask)];
    }

    /// Value noise in [-1, 1].
    [[nodiscard]] float smooth(float x, float y) const {
        const int ix = floor_of(x);
        const int iy = floor_of(y);
        float tx = x - static_cast<float>(ix);
        float ty = y - static_cast<float>(iy);
        tx *= tx * (3 - 2 * tx);
        ty *= ty * (3 - 2 * ty);
        const float top = at(ix, iy) + tx * (at(ix + 1, iy) - at(ix, iy));
        const float bottom = at(ix, iy + 1) + tx * (at(ix + 1, iy + 1) - at(ix, iy + 1));
        return 2 * (top + ty * (bottom - top)) - 1;
    }

    /// Octaves of `smooth`, each twice as fine and half as strong; about [-1, 1].
    [[nodiscard]] float fractal(float x, float y, int octaves) const {
        float sum = 0;
        float strength = 0.6f;
        for (int i = 0; i < octaves; ++i) {
            sum += strength * smooth(x, y);
            strength *= 0.5f;
            x = 2 * x + 17.3f;
            y = 2 * y + 9.1f;
        }
        return sum;
    }

    /// The cells around one random point per lattice square (Worley 1996).
    struct Cell {
        float nearest = 0;  ///< distance to the nearest point
        float second = 0;   ///< distance to the second nearest one
        float dx = 0;       ///< from the nearest point to here
        float dy = 0;
        float shade = 0;  ///< in [0, 1), the same all over a cell
    };
    [[nodiscard]] Cell cell(float x, float y) const {
        const int ix = floor_of(x);
        const int iy = floor_of(y);
        float best = std::numeric_limits<float>::max();
        float next = best;
        Cell out;
        for (int j = iy - 1; j <= iy + 1; ++j) {
            for (int i = ix - 1; i <= ix + 1; ++i) {
                const float dx = x - static_cast<float>(i) - at(i, j);
                const float dy = y - static_cast<float>(j) - at(i + 37, j + 11);
                const float square = dx * dx + dy * dy;
                if (square < best) {
                    next = best;
                    best = square;
                    out.dx = dx;
                    out.dy = dy;
                    out.shade = at(i + 71, j + 53);
                } else if (square < next) {
                    next = square;
                }
            }
        }
        out.nearest = std::sqrt(best);
        out.second = std::sqrt(next);
        return out;
    }

private:
    static int floor_of(float v) {
        const int i = static_cast<int>(v);
        return i - (v < static_cast<float>(i) ? 1 : 0);
    }

    static constexpr int side = 128;
    static constexpr int mask = side - 1;
    std::array<float, static_cast<std::size_t>(side) * side> table_;
};

}  // namespace ltad
