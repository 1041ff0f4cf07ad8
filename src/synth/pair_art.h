#pragma once

#include <vector>

#include "layer.h"
#include "noise.h"

namespace ltad {

/// A thick line, or a disc or square where both ends meet, of ink or (to take ink away) of ground.
struct Mark {
    Point from, to;
    float half = 0;       ///< half the line's width
    bool square = false;  ///< ends that are cut off rather than round
    bool ink = true;
    float rough = 0;  ///< how uneven the edge is
};

/// A drawing in two tones: marks, one over the other.
struct Art {
    std::vector<Mark> marks;
};

using ArtLayout = Art (*)(Random& random);

/// How far a place is from a mark's edge, below 0 inside.
[[nodiscard]] float distance_to(const Mark& mark, Point at);

/// Fills the layer: 0 where there is ground, 1 where there is ink.
void draw_art(Layer& layer, const Art& art, Rgb ground, Rgb ink, const Noise& noise);

}  // namespace ltad
