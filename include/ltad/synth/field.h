#pragma once

#include <cstdint>

namespace ltad {

/// Random but smooth functions of the plane; the lattice has spacing 1. A pure function of its seed.
class Field {
public:
    explicit Field(std::uint64_t seed) : seed_(seed) {}

    /// A number in [0, 1) that belongs to a lattice point.
    [[nodiscard]] float at_lattice(int x, int y) const;
    /// Value noise in [-1, 1] (lattice values, quintic interpolation).
    [[nodiscard]] float smooth(float x, float y) const;
    /// Octaves of `smooth`, each twice as fine and half as strong; about [-1, 1].
    [[nodiscard]] float fractal(float x, float y, int octaves) const;

    /// The cells around one random point per lattice square (Worley, "A cellular texture basis function", 1996).
    struct Cell {
        float nearest = 0;  ///< distance to the nearest point
        float second = 0;   ///< distance to the second nearest one
        float shade = 0;    ///< in [0, 1), the same all over a cell
    };
    [[nodiscard]] Cell cell(float x, float y) const;

private:
    [[nodiscard]] std::uint32_t hash(int x, int y, std::uint32_t channel) const;

    std::uint64_t seed_;
};

}  // namespace ltad
