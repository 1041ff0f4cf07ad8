#include "ltad/synth/defects.h"

#include <numbers>
#include <vector>

#include "ltad/core/error.h"
#include "ltad/synth/field.h"

namespace ltad {
namespace {

constexpr float pi = std::numbers::pi_v<float>;

/// A line of changing width.
struct Stroke {
    Point from, to;
    float width_from, width_to;
};

/// Covers what lies under the strokes with `colour`.
void cover(Canvas& canvas, const std::vector<Stroke>& strokes, float strength, Rgb ink) {
    const float blur = 0.7f * canvas.pixel();
    canvas.paint([&](float x, float y, Rgb& colour, float& part) {
        float covered = 0;
        for (const Stroke& s : strokes) {
            const float dx = s.to.x - s.from.x;
            const float dy = s.to.y - s.from.y;
            const float length = std::max(dx * dx + dy * dy, 1e-12f);
            const float t = std::clamp(((x - s.from.x) * dx + (y - s.from.y) * dy) / length, 0.0f, 1.0f);
            const float distance = std::hypot(x - s.from.x - t * dx, y - s.from.y - t * dy);
            const float half = std::lerp(s.width_from, s.width_to, t) / 2;
            covered = std::max(covered, 1 - smooth_step(half - blur, half + blur, distance));
        }
        if (covered > 0) colour = mix(colour, ink, strength * covered * part);
    });
}

/// One long, slightly bent line, bright or dark.
void scratch(Canvas& canvas, const Spot& spot, Random& random) {
    const auto angle = static_cast<float>(random.uniform(0, 2 * pi));
    const auto bend = static_cast<float>(random.uniform(-0.5, 0.5));
    const auto width = static_cast<float>(random.uniform(0.005, 0.009));
    const bool bright = random.chance(0.5);
    std::vector<Stroke> strokes;
    const auto at = [&](float t) {  // t from −1 to 1
        const float turned = angle + bend * t;
        return Point{spot.at.x + 1.7f * spot.reach * t * std::cos(turned),
                     spot.at.y + 1.7f * spot.reach * t * std::sin(turned)};
    };
    constexpr int pieces = 10;
    for (int i = 0; i < pieces; ++i) {
        const float from = -1 + 2.0f * static_cast<float>(i) / pieces;
        const float to = -1 + 2.0f * static_cast<float>(i + 1) / pieces;
        strokes.push_back({at(from), at(to), width * (1 - 0.7f * from * from), width * (1 - 0.7f * to * to)});
    }
    cover(canvas, strokes, spot.strength, bright ? Rgb{0.97f, 0.97f, 0.95f} : Rgb{0.08f, 0.08f, 0.08f});
}

/// A jagged dark line that forks and gets thinner.
void crack(Canvas& canvas, const Spot& spot, Random& random) {
    std::vector<Stroke> strokes;
    const auto grow = [&](auto&& self, Point from, float angle, float width, int steps) -> void {
        for (int i = 0; i < steps; ++i) {
            angle += static_cast<float>(random.uniform(-0.6, 0.6));
            const float length = spot.reach * static_cast<float>(random.uniform(0.2, 0.4));
            const Point to{from.x + length * std::cos(angle), from.y + length * std::sin(angle)};
            strokes.push_back({from, to, width, width * 0.88f});
            from = to;
            width *= 0.88f;
            if (steps > 2 && random.chance(0.3))
                self(self, from, angle + (random.chance(0.5) ? 0.8f : -0.8f), width * 0.7f, steps / 2);
        }
    };
    const auto angle = static_cast<float>(random.uniform(0, 2 * pi));
    grow(grow, spot.at, angle, 0.009f, 5);
    grow(grow, spot.at, angle + pi, 0.009f, 4);
    cover(canvas, strokes, spot.strength, {0.06f, 0.05f, 0.05f});
}

/// A patch of another colour with an uneven, soft edge.
void stain(Canvas& canvas, const Spot& spot, Random& random) {
    const Field edge(random.next_u64());
    constexpr std::array<Rgb, 4> liquids = {
        {{0.20f, 0.12f, 0.06f}, {0.10f, 0.10f, 0.12f}, {0.52f, 0.22f, 0.14f}, {0.92f, 0.92f, 0.88f}}};
    const Rgb liquid = liquids[random.below(liquids.size())];
    canvas.paint([&](float x, float y, Rgb& colour, float& part) {
        const float radius = std::hypot(x - spot.at.x, y - spot.at.y) / spot.reach +
                             0.45f * edge.fractal(x * 0.9f / spot.reach, y * 0.9f / spot.reach, 3);
        const float wet = 1 - smooth_step(0.55f, 0.85f, radius);
        const float ring = wet * smooth_step(0.35f, 0.6f, radius);
        colour = mix(colour, liquid, part * spot.strength * (0.6f * wet + 0.3f * ring));
    });
}

/// A small hole: dark floor, one lit and one shaded wall.
void pit(Canvas& canvas, const Spot& spot, Random& random) {
    const Field edge(random.next_u64());
    const auto light = static_cast<float>(random.uniform(0, 2 * pi));
    const float size = 0.5f * spot.reach;
    canvas.paint([&](float x, float y, Rgb& colour, float& part) {
        const float dx = x - spot.at.x;
        const float dy = y - spot.at.y;
        const float radius = std::hypot(dx, dy) / size + 0.2f * edge.fractal(x * 30, y * 30, 2);
        if (radius > 1.2f) return;
        const float floor = 1 - smooth_step(0.6f, 0.85f, radius);
        const float wall = smooth_step(0.6f, 0.85f, radius) * (1 - smooth_step(1.0f, 1.2f, radius));
        const float lit = (dx * std::cos(light) + dy * std::sin(light)) / size;
        colour = mix(colour, {0.07f, 0.06f, 0.06f}, part * spot.strength * 0.9f * floor);
        colour = mix(colour, lit > 0 ? Rgb{0.95f, 0.95f, 0.93f} : Rgb{0.10f, 0.10f, 0.10f},
                     part * spot.strength * 0.6f * wall * std::min(1.0f, std::abs(lit)));
    });
}

}  // namespace

void damage(Canvas& canvas, std::string_view kind, const Spot& spot, Random& random) {
    if (kind == "scratch") return scratch(canvas, spot, random);
    if (kind == "crack") return crack(canvas, spot, random);
    if (kind == "stain") return stain(canvas, spot, random);
    if (kind == "pit") return pit(canvas, spot, random);
    fail("synth: no damage of kind '", kind, "'");
}

}  // namespace ltad
