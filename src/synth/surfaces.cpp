#include <array>
#include <numbers>

#include "ltad/synth/field.h"
#include "ltad/synth/products.h"

namespace ltad {
namespace {

constexpr float pi = std::numbers::pi_v<float>;

float draw_between(Random& random, double low, double high) { return static_cast<float>(random.uniform(low, high)); }

/// A strip of cloth or metal lies nearly, but never quite, the same way.
Placement lay_down(Random& random, double largest_angle) {
    const float angle = draw_between(random, -largest_angle, largest_angle);
    const float scale = draw_between(random, 0.96, 1.04);
    return {angle, scale, {draw_between(random, -0.5, 0.5), draw_between(random, -0.5, 0.5)}};
}

/// How much of the fault reaches a place: 1 in its middle, 0 outside, with an uneven edge.
float presence(const Spot* fault, const Field& edge, float x, float y) {
    if (fault == nullptr) return 0;
    const float dx = x - fault->at.x;
    const float dy = y - fault->at.y;
    const float radius = std::sqrt(dx * dx + dy * dy) / fault->reach + 0.25f * edge.fractal(x * 14, y * 14, 2);
    return fault->strength * (1 - smooth_step(0.7f, 1.0f, radius));
}

/// Whether the fault's middle lies in the same lattice square of (u, v) as this place.
bool same_square(float u, float v, Point fault) {
    return std::floor(u) == std::floor(fault.x) && std::floor(v) == std::floor(fault.y);
}

void draw_woven(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, 0.06);
    const Field threads(random.next_u64());
    const float count = draw_between(random, 21, 24);
    const float tone = draw_between(random, 0.92, 1.05);
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * count + 0.15f * threads.smooth(p.x * 5, p.y * 5);
        const float v = p.y * count + 0.15f * threads.smooth(p.x * 5 + 40, p.y * 5);
        const int column = static_cast<int>(std::floor(u));
        const int row = static_cast<int>(std::floor(v));
        const bool over = ((column + row) & 1) == 0;  // the warp lies on top
        const float across = std::sin(pi * ((over ? u : v) - std::floor(over ? u : v)));
        const float along = std::sin(pi * ((over ? v : u) - std::floor(over ? v : u)));
        const float shade = threads.at_lattice(over ? column : 1000, over ? 1000 : row);
        float light = (0.45f + 0.4f * std::sqrt(across) * (0.6f + 0.4f * along) + 0.14f * (shade - 0.5f)) * tone;
        if (fault != nullptr && over) {  // a stretch of one warp thread is gone
            const Point middle = place(fault->at.x, fault->at.y);
            const bool same_thread = std::floor(u) == std::floor(middle.x * count);
            if (same_thread && std::abs(p.y - middle.y) < 2 * fault->reach) light *= 1 - 0.75f * fault->strength;
        }
        colour = Rgb{0.86f, 0.76f, 0.58f} * light;
    });
}

void draw_brushed(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, 0.03);
    const Field grain(random.next_u64());
    const float tone = draw_between(random, 0.95, 1.05);
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const auto streaks = [&](float along, float across) {
            return 0.10f * grain.smooth(along * 3, across * 130) + 0.07f * grain.smooth(along * 6 + 30, across * 260);
        };
        const float crosswise = presence(fault, grain, x, y);
        const float light = 0.62f + std::lerp(streaks(p.x, p.y), 1.6f * streaks(p.y, p.x) - 0.10f, crosswise);
        colour = Rgb{0.96f, 0.98f, 1.0f} * (light * tone);
    });
}

void draw_granular(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, pi);
    const Field grains(random.next_u64());
    const float tone = draw_between(random, 0.93, 1.05);
    constexpr std::array<Rgb, 4> minerals = {
        {{0.78f, 0.74f, 0.72f}, {0.62f, 0.58f, 0.58f}, {0.42f, 0.40f, 0.42f}, {0.86f, 0.78f, 0.74f}}};
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const auto stone = [&](float fineness) {
            const Field::Cell cell = grains.cell(p.x * fineness, p.y * fineness);
            return minerals[static_cast<std::size_t>(cell.shade * 4)] * (0.9f + 0.12f * cell.nearest);
        };
        const float coarse = presence(fault, grains, x, y);  // grown together into large, dark grains
        const Rgb normal = stone(46);
        colour = (coarse > 0 ? mix(normal, stone(15) * 0.75f, coarse) : normal) * tone;
    });
}

void draw_cellular(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, pi);
    const Field skin(random.next_u64());
    const float tone = draw_between(random, 0.92, 1.06);
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float wobble = 0.25f * skin.smooth(p.x * 9, p.y * 9);
        const Field::Cell cell = skin.cell(p.x * 19 + wobble, p.y * 19 + wobble);
        const float wall = 1 - smooth_step(0.03f, 0.22f, cell.second - cell.nearest);
        const float smooth = presence(fault, skin, x, y);  // worn flat: no walls, shiny
        const float light = 0.80f + 0.08f * (cell.shade - 0.5f) - 0.42f * wall * (1 - smooth) + 0.10f * smooth;
        colour = Rgb{0.62f, 0.38f, 0.24f} * (light * tone);
    });
}

void draw_striped(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, 0.05);
    const Field cloth(random.next_u64());
    const float count = draw_between(random, 15, 16.5);
    const float tone = draw_between(random, 0.93, 1.06);
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        float across = p.x * count + 0.08f * cloth.smooth(p.y * 4, 3);
        across += 0.8f * presence(fault, cloth, x, y);  // ribs pushed aside
        const float rib = std::sqrt(std::abs(std::sin(pi * across)));
        const float fuzz = 0.07f * cloth.fractal(p.x * 90, p.y * 40, 2);
        colour = Rgb{0.30f, 0.42f, 0.66f} * ((0.45f + 0.6f * rib + fuzz) * tone);
    });
}

void draw_tiled(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, 0.04);
    const Field glaze(random.next_u64());
    const float count = draw_between(random, 7.4, 8.0);
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * count;
        const float v = p.y * count;
        const float edge = std::min({u - std::floor(u), std::ceil(u) - u, v - std::floor(v), std::ceil(v) - v});
        const float shade = glaze.at_lattice(static_cast<int>(std::floor(u)), static_cast<int>(std::floor(v)));
        const float light = 0.86f + 0.18f * (shade - 0.5f) + 0.05f * glaze.fractal(u * 3, v * 3, 3);
        const Rgb grout = Rgb{0.50f, 0.49f, 0.47f} * (1 + 0.12f * glaze.fractal(x * 90, y * 90, 2));
        Rgb tile = Rgb{0.55f, 0.74f, 0.72f} * light;
        if (fault != nullptr) {  // one tile has fallen off and shows its bed
            const Point middle = place(fault->at.x, fault->at.y);
            if (same_square(u, v, {middle.x * count, middle.y * count}))
                tile = mix(tile, grout * 0.8f, fault->strength);
        }
        colour = mix(grout, tile, smooth_step(0.04f, 0.08f, edge));
    });
}

void draw_grained(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, 0.08);
    const Field wood(random.next_u64());
    const float tone = draw_between(random, 0.92, 1.06);
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float knot = presence(fault, wood, x, y);
        const float warp = 1.1f * wood.fractal(p.x * 3, p.y * 0.7f, 3) + 0.9f * knot;
        const float ring = 0.5f + 0.5f * std::sin(2 * pi * (p.x * 9 + warp));
        const float fibre = wood.smooth(p.x * 150, p.y * 6);
        const float light = (0.72f + 0.2f * ring + 0.07f * fibre) * (1 - 0.45f * knot);
        colour = Rgb{0.86f, 0.62f, 0.38f} * (light * tone);
    });
}

void draw_perforated(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = lay_down(random, 0.05);
    const Field metal(random.next_u64());
    const float count = draw_between(random, 10.5, 11.5);
    const float blur = canvas.pixel() * count;
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const auto hole_of = [&](Point q) {  // rows shifted by half, the nearest hole's middle
            const float row = std::round(q.y * count / 0.866f);
            const float shift = static_cast<int>(row) % 2 == 0 ? 0.0f : 0.5f;
            return Point{std::round(q.x * count - shift) + shift, row * 0.866f};
        };
        const Point hole = hole_of(p);
        const float distance = std::hypot(p.x * count - hole.x, p.y * count - hole.y);
        const Rgb sheet = Rgb{0.70f, 0.72f, 0.75f} * (1 + 0.06f * metal.fractal(p.x * 60, p.y * 20, 3));
        float open = 1 - smooth_step(0.27f - blur, 0.27f + blur, distance);
        if (fault != nullptr && open > 0) {  // a hole that was not punched
            const Point other = hole_of(place(fault->at.x, fault->at.y));
            if (std::hypot(hole.x - other.x, hole.y - other.y) < 0.1f) open *= 1 - fault->strength;
        }
        const float rim = smooth_step(0.27f, 0.31f, distance) * (1 - smooth_step(0.31f, 0.37f, distance));
        colour = mix(sheet * (1 + 0.12f * rim), {0.10f, 0.10f, 0.12f}, open);
    });
}

constexpr std::array<Product, 8> all = {{{"woven", "missing", draw_woven},
                                         {"brushed", "irregular", draw_brushed},
                                         {"granular", "irregular", draw_granular},
                                         {"cellular", "irregular", draw_cellular},
                                         {"striped", "irregular", draw_striped},
                                         {"tiled", "missing", draw_tiled},
                                         {"grained", "irregular", draw_grained},
                                         {"perforated", "missing", draw_perforated}}};

}  // namespace

std::span<const Product> surfaces() { return all; }

}  // namespace ltad
