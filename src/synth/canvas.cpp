#include "ltad/synth/canvas.h"

#include <numbers>

namespace ltad {
namespace {

constexpr float visible_change = 0.025f;
constexpr float sensor_noise = 0.012f;

std::uint8_t to_byte(float value) { return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f); }

}  // namespace

Canvas::Canvas(int size)
    : size_(size),
      colour_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size)),
      part_(colour_.size(), 1.0f) {}

bool Canvas::has_part(Point at) const {
    const auto index = [&](float v) {
        return std::clamp(static_cast<int>(v * static_cast<float>(size_)), 0, size_ - 1);
    };
    return part_[static_cast<std::size_t>(index(at.y)) * static_cast<std::size_t>(size_) +
                 static_cast<std::size_t>(index(at.x))] > 0.5f;
}

Mask Canvas::difference(const Canvas& other) const {
    Mask mask{.width = size_, .height = size_, .pixels = {}};
    for (std::size_t i = 0; i < colour_.size(); ++i) {
        const Rgb a = colour_[i];
        const Rgb b = other.colour_[i];
        const float change = std::max({std::abs(a.r - b.r), std::abs(a.g - b.g), std::abs(a.b - b.b)});
        mask.pixels.push_back(change > visible_change ? 1 : 0);
    }
    return mask;
}

Image Canvas::photograph(Random& random) const {
    const auto direction = static_cast<float>(random.uniform(0, 2 * std::numbers::pi));
    const auto slope = static_cast<float>(random.uniform(0.02, 0.10));
    const auto exposure = static_cast<float>(random.uniform(0.94, 1.06));
    std::vector<float> noise(colour_.size());
    random.fill_normal(noise);

    Image image{.width = size_, .height = size_, .pixels = {}};
    image.pixels.reserve(colour_.size() * 3);
    std::size_t i = 0;
    for (int row = 0; row < size_; ++row) {
        for (int column = 0; column < size_; ++column, ++i) {
            const float x = (static_cast<float>(column) + 0.5f) * pixel() - 0.5f;
            const float y = (static_cast<float>(row) + 0.5f) * pixel() - 0.5f;
            const float light =
                exposure * (1 + slope * (std::cos(direction) * x + std::sin(direction) * y)) - 0.12f * (x * x + y * y);
            const Rgb lit = colour_[i] * light;
            for (const float value : {lit.r, lit.g, lit.b})
                image.pixels.push_back(to_byte(value + sensor_noise * noise[i]));
        }
    }
    return image;
}

}  // namespace ltad
