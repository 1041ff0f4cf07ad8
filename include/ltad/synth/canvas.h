#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "ltad/core/image.h"
#include "ltad/core/random.h"

namespace ltad {

/// Linear light is not modelled: values are display values, 0 black to 1 white.
struct Rgb {
    float r = 0;
    float g = 0;
    float b = 0;

    friend Rgb operator*(Rgb c, float s) { return {c.r * s, c.g * s, c.b * s}; }
    friend Rgb operator+(Rgb a, Rgb b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
};

[[nodiscard]] inline Rgb mix(Rgb a, Rgb b, float t) { return a * (1 - t) + b * t; }

/// 0 below `low`, 1 above `high`, smooth between.
[[nodiscard]] inline float smooth_step(float low, float high, float x) {
    const float t = std::clamp((x - low) / (high - low), 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}

struct Point {
    float x = 0;
    float y = 0;
};

/// A point of the plane turned by an angle around the picture's centre (0.5, 0.5), scaled and shifted.
class Placement {
public:
    Placement(float angle, float scale, Point shift)
        : cos_(std::cos(angle) / scale), sin_(std::sin(angle) / scale), shift_(shift) {}

    /// Picture → product coordinates, both with the origin in the middle.
    [[nodiscard]] Point operator()(float x, float y) const {
        const float dx = x - 0.5f - shift_.x;
        const float dy = y - 0.5f - shift_.y;
        return {cos_ * dx + sin_ * dy, cos_ * dy - sin_ * dx};
    }

private:
    float cos_, sin_;
    Point shift_;
};

/// A square picture in the making. Positions run from 0 to 1, left to right and top to bottom.
class Canvas {
public:
    explicit Canvas(int size);

    [[nodiscard]] int size() const { return size_; }
    /// The width of a pixel.
    [[nodiscard]] float pixel() const { return 1.0f / static_cast<float>(size_); }

    /// Calls paint(x, y, colour, part) with the middle of every pixel; `part` (1 at first) says how much of the pixel
    /// belongs to the product rather than to the background.
    template <typename Paint>
    void paint(Paint paint) {
        std::size_t i = 0;
        for (int row = 0; row < size_; ++row)
            for (int column = 0; column < size_; ++column, ++i)
                paint((static_cast<float>(column) + 0.5f) * pixel(), (static_cast<float>(row) + 0.5f) * pixel(),
                      colour_[i], part_[i]);
    }

    /// Whether the product is at this place.
    [[nodiscard]] bool has_part(Point at) const;

    /// 1 where a colour differs from `other`'s by more than a person could overlook in noise.
    [[nodiscard]] Mask difference(const Canvas& other) const;

    /// The picture that a camera takes: uneven light, noise, 8 bits.
    [[nodiscard]] Image photograph(Random& random) const;

private:
    int size_;
    std::vector<Rgb> colour_;
    std::vector<float> part_;
};

}  // namespace ltad
