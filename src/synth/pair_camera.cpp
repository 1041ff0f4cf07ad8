#include "pair_camera.h"

namespace ltad {
namespace {

std::uint8_t to_byte(float value) { return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f); }

/// A [1 2 1] blur along rows or columns, in place.
void blur(std::vector<Rgb>& colours, std::size_t size, std::size_t step, std::size_t across) {
    for (std::size_t line = 0; line < size; ++line) {
        Rgb before = colours[line * across];
        for (std::size_t i = 0; i < size; ++i) {
            Rgb& here = colours[line * across + i * step];
            const Rgb after = i + 1 < size ? colours[line * across + (i + 1) * step] : here;
            const Rgb now = here;
            here = before * 0.25f + now * 0.5f + after * 0.25f;
            before = now;
        }
    }
}

/// Nearly normal: the sum of the four bytes of a word, with mean 0 and deviation 1.
float nearly_normal(std::uint32_t bits) {
    const std::uint32_t sum = (bits & 255u) + ((bits >> 8) & 255u) + ((bits >> 16) & 255u) + (bits >> 24);
    return (static_cast<float>(sum) - 510.0f) * (1 / 147.8f);
}

}  // namespace

void lay_over(Layer& front, const Layer& back, Point light, float shadow) {
    const float far = 0.022f;
    const Layer before = front;
    front.paint([&](float x, float y, Rgb& colour, float& part) {
        if (part >= 1) return;
        float dark = 0;
        for (const float t : {0.4f, 0.8f, 1.2f, 1.6f})
            dark += before.part({x + t * far * light.x, y + t * far * light.y});
        colour = mix(back.colour({x, y}) * (1 - shadow * 0.25f * dark), colour, part);
    });
}

Image take_picture(Layer& scene, const Exposure& exposure, Random& random) {
    std::vector<Rgb>& colours = scene.colours();
    const auto side = static_cast<std::size_t>(scene.size());
    if (exposure.soft) {
        blur(colours, side, 1, side);
        blur(colours, side, side, 1);
    }
    const float angle = between(random, 0, 2 * pi);
    const Point slope{exposure.unevenness * std::cos(angle), exposure.unevenness * std::sin(angle)};
    const float level = between(random, 0.92f, 1.06f);
    const float corners = between(random, 0.0f, 0.25f);
    const Rgb cast =
        exposure.grey ? Rgb{1, 1, 1} : Rgb{between(random, 0.97f, 1.03f), 1, between(random, 0.97f, 1.03f)};
    std::uint64_t state = random.next_u64();

    Image image{.width = scene.size(), .height = scene.size(), .pixels = {}};
    image.pixels.resize(colours.size() * 3);
    std::uint8_t* out = image.pixels.data();
    scene.paint([&](float x, float y, Rgb& colour, float&) {
        const float dx = x - 0.5f;
        const float dy = y - 0.5f;
        const float light = level * (1 + slope.x * dx + slope.y * dy - corners * (dx * dx + dy * dy));
        state += 0x9E3779B97F4A7C15u;  // splitmix64
        std::uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
        z ^= z >> 27;
        const float grain = exposure.noise * nearly_normal(static_cast<std::uint32_t>(z));
        const float hue =
            exposure.grey ? 0.0f : 0.4f * exposure.noise * nearly_normal(static_cast<std::uint32_t>(z >> 32));
        const auto seen = [&](float v) { return 0.5f + exposure.contrast * (v * light - 0.5f) + grain; };
        if (exposure.grey) {
            const std::uint8_t value = to_byte(seen(brightness(colour)));
            for (int c = 0; c < 3; ++c) *out++ = value;
            return;
        }
        *out++ = to_byte(seen(colour.r * cast.r) + hue);
        *out++ = to_byte(seen(colour.g * cast.g));
        *out++ = to_byte(seen(colour.b * cast.b) - hue);
    });
    return image;
}

}  // namespace ltad
