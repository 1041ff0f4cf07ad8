#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "ltad/core/random.h"
#include "ltad/synth/canvas.h"

namespace ltad {

inline constexpr float pi = std::numbers::pi_v<float>;

inline float between(Random& random, float low, float high) { return static_cast<float>(random.uniform(low, high)); }

template <typename Items>
const auto& pick(Random& random, const Items& items) {
    return items[static_cast<std::size_t>(random.below(std::size(items)))];
}

/// The fractional part, in [0, 1) below 0 too.
inline float fraction(float v) { return v - std::floor(v); }

/// 1 inside (distance below 0), 0 outside, smooth over `blur` on either side.
inline float inside(float distance, float blur) { return 1 - smooth_step(-blur, blur, distance); }

inline float brightness(Rgb c) { return 0.30f * c.r + 0.59f * c.g + 0.11f * c.b; }

/// A sheet of colours, each with the part of the pixel that it covers (1 at first): what lies below shows through the
/// rest. Unlike a Canvas it can be read at any place. Positions run from 0 to 1.
class Layer {
public:
    explicit Layer(int size)
        : size_(size),
          colour_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size)),
          part_(colour_.size(), 1.0f) {}

    [[nodiscard]] int size() const { return size_; }
    [[nodiscard]] float pixel() const { return 1.0f / static_cast<float>(size_); }

    /// Calls paint(x, y, colour, part) with the middle of every pixel.
    template <typename Paint>
    void paint(Paint paint) {
        paint_rows(0, size_, 0, size_, paint);
    }

    /// The same for the pixels of a rectangle around a place.
    template <typename Paint>
    void paint_box(Point at, Point half, Paint paint) {
        const auto pixel_of = [&](float v) {
            return std::clamp(static_cast<int>(std::floor(v * static_cast<float>(size_))), -1, size_);
        };
        paint_rows(std::max(0, pixel_of(at.y - half.y)), std::min(size_, pixel_of(at.y + half.y) + 1),
                   std::max(0, pixel_of(at.x - half.x)), std::min(size_, pixel_of(at.x + half.x) + 1), paint);
    }
    template <typename Paint>
    void paint_near(Point at, float reach, Paint paint) {
        paint_box(at, {reach, reach}, paint);
    }

    [[nodiscard]] float part(Point at) const { return part_[index(at)]; }
    [[nodiscard]] Rgb colour(Point at) const { return colour_[index(at)]; }

    [[nodiscard]] std::vector<Rgb>& colours() { return colour_; }
    [[nodiscard]] std::vector<float>& parts() { return part_; }

private:
    template <typename Paint>
    void paint_rows(int top, int bottom, int left, int right, Paint& paint) {
        for (int row = top; row < bottom; ++row) {
            const float y = (static_cast<float>(row) + 0.5f) * pixel();
            std::size_t i =
                static_cast<std::size_t>(row) * static_cast<std::size_t>(size_) + static_cast<std::size_t>(left);
            for (int column = left; column < right; ++column, ++i)
                paint((static_cast<float>(column) + 0.5f) * pixel(), y, colour_[i], part_[i]);
        }
    }

    [[nodiscard]] std::size_t index(Point at) const {
        const auto clamped = [&](float v) {
            return static_cast<std::size_t>(std::clamp(static_cast<int>(v * static_cast<float>(size_)), 0, size_ - 1));
        };
        return clamped(at.y) * static_cast<std::size_t>(size_) + clamped(at.x);
    }

    int size_;
    std::vector<Rgb> colour_;
    std::vector<float> part_;
};

}  // namespace ltad
