#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "ltad/core/image.h"

namespace ltad {

/// The scores that become the darkest and the brightest colour; what lies outside is clamped. Maps that are to be
/// compared with each other need the same range.
struct HeatRange {
    float low = 0;
    float high = 1;
};

/// A picture's anomaly map: side × side scores, row by row, owned by somebody else.
struct HeatMap {
    std::span<const float> values;
    int side = 0;
};

/// A colour of our ordered map, for a position in [0, 1] (clamped): dark blue, purple, red, orange, yellow. Its
/// lightness and hue grow linearly in OKLCH (B. Ottosson, "A perceptual color space for image processing", 2020), so
/// that more always looks brighter, in grey and to the colour blind too.
[[nodiscard]] std::array<std::uint8_t, 3> heat_colour(double position);

/// The map as a 16-bit grey PNG: range.low..range.high becomes 0..65535, rounded. Throws Error where the map has not
/// side × side values or one of them is not a number, and where the range is empty.
[[nodiscard]] std::string encode_heat_map(const HeatMap& map, HeatRange range);

/// The picture in its own proportions, `longest` pixels along its longer side (each side at least 1).
[[nodiscard]] Image fitted(const Image& picture, int longest);

/// As large as an overlay in a file of its own should be: the picture's longer side, at least the map's, at most 1024.
[[nodiscard]] int overlay_side(const Image& picture, const HeatMap& map);

/// The picture `fitted` to `longest`, muted (a quarter of its colour, 0.85 of its brightness), under the map's colours,
/// bilinear, which cover it the more the higher the score: alpha is 0.8 t with t the score's position in the range.
/// With `outline` (any size, nearest neighbour) the pixels around the mask are white. Throws Error as `encode_heat_map`
/// does.
[[nodiscard]] Image overlay_heat_map(const Image& picture, const HeatMap& map, HeatRange range, int longest,
                                     const Mask* outline = nullptr);

/// Pixels left … left + width − 1, top … top + height − 1.
struct Box {
    int left = 0;
    int top = 0;
    int width = 0;
    int height = 0;

    friend bool operator==(const Box&, const Box&) = default;
};

/// The bounding box of the worst region, in pixels of the map: the pixels connected to the highest score (the first in
/// reading order; 8 neighbours) through scores of at least half-way from `floor`, the level of good pictures, to it.
/// Where nothing exceeds `floor`, through scores that equal the highest. Throws Error as `encode_heat_map` does.
[[nodiscard]] Box worst_region(const HeatMap& map, float floor);

/// A box of a side × side map on the picture that the map was made from, rounded outwards.
[[nodiscard]] Box box_in_picture(const Box& box, int side, int width, int height);

/// 1 within the box, to outline it on an overlay.
[[nodiscard]] Mask mask_of(const Box& box, int side);

}  // namespace ltad
