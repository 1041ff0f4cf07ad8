// The held-out side of the captioned pictures: near relatives of the generated data set's classes, drawn anew.

#include <array>

#include "grammar.h"
#include "shapes.h"

namespace ltad {
namespace {

/// Threads over and under each other. Detail: 1 for plain weave, 2 for twill.
void draw_weave(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, 0.5f);
    const Noise& n = b.noise;
    const int repeat = static_cast<int>(b.grain.detail) * 2;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale + 0.2f * n.smooth(p.x * 6, p.y * 6);
        const float v = p.y * b.grain.scale + 0.2f * n.smooth(p.x * 6 + 40, p.y * 6);
        const int column = static_cast<int>(std::floor(u));
        const int row = static_cast<int>(std::floor(v));
        const bool over = ((column + row) & (repeat - 1)) < repeat / 2;
        const float across = std::sin(pi * fraction(over ? u : v));
        const float along = std::sin(pi * fraction(over ? v : u));
        const float shade = n.at(over ? column : 90, over ? 90 : row) - 0.5f;
        const float light = 0.5f + 0.45f * across * (0.7f + 0.3f * along) + b.grain.contrast * shade;
        colour = (over ? b.tint.main : mix(b.tint.main, b.tint.second, 0.4f)) *
                 (light + 0.05f * n.smooth(p.x * 110, p.y * 110));
    });
}

void draw_brush_marks(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float s = b.grain.scale;
        const float streak = 0.6f * n.smooth(p.x * 2.5f, p.y * s) + 0.4f * n.smooth(p.x * 5 + 30, p.y * s * 2.1f);
        colour = b.tint.main * (0.95f + b.grain.contrast * streak + 0.12f * n.smooth(p.x * 1.2f, p.y * 4));
    });
}

/// Grains of stone; detail: how different they are.
void draw_grains(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const Noise::Cell cell = n.cell(p.x * b.grain.scale, p.y * b.grain.scale);
        const float kind = fraction(cell.shade * 7);
        const Rgb grain = kind < 0.25f ? b.tint.main * 0.35f : kind < 0.5f ? b.tint.second : b.tint.main;
        colour = mix(b.tint.main, grain, b.grain.detail) * (0.95f + b.grain.contrast * (cell.shade - 0.5f));
    });
}

void draw_leather(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float wobble = 0.3f * n.smooth(p.x * 11, p.y * 11);
        const Noise::Cell cell = n.cell(p.x * b.grain.scale + wobble, p.y * b.grain.scale + wobble);
        const float wall = 1 - smooth_step(0.02f, 0.30f, cell.second - cell.nearest);
        const float slope = cell.dx * b.light.x + cell.dy * b.light.y;
        colour =
            b.tint.main * (0.95f - b.grain.contrast * wall + 0.2f * slope + 0.08f * n.fractal(p.x * 3, p.y * 3, 2));
    });
}

void draw_wood(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, 0.3f);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float warp = 1.3f * n.fractal(p.x * 2.5f, p.y * 0.6f, 3);
        const float ring = 0.5f + 0.5f * std::sin(2 * pi * (p.x * b.grain.scale + warp));
        const float fibre = n.smooth(p.x * 120, p.y * 5);
        colour = mix(b.tint.main, b.tint.second, 0.6f * ring * ring) * (0.95f + b.grain.contrast * fibre);
    });
}

/// Tiles or bricks with joints; detail: how much wider than high.
void draw_tiles(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, 0.15f);
    const Noise& n = b.noise;
    const bool bond = b.grain.detail > 1;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float v = p.y * b.grain.scale;
        const int row = static_cast<int>(std::floor(v));
        const float u = p.x * b.grain.scale / b.grain.detail + (bond && (row & 1) != 0 ? 0.5f : 0.0f);
        const float joint_x = (0.5f - std::abs(fraction(u) - 0.5f)) * b.grain.detail;
        const float joint_y = 0.5f - std::abs(fraction(v) - 0.5f);
        const float shade = n.at(static_cast<int>(std::floor(u)), row) - 0.5f;
        const Rgb tile = b.tint.main * (0.95f + b.grain.contrast * shade +
                                        0.08f * n.fractal(p.x * 50, p.y * 50, 2) * (bond ? 1.5f : 0.4f));
        colour = mix(b.tint.second * (0.9f + 0.12f * n.smooth(x * 80, y * 80)), tile,
                     smooth_step(0.04f, 0.09f, std::min(joint_x, joint_y)));
    });
}

void draw_perforations(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float radius = between(random, 0.22f, 0.34f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float v = p.y * b.grain.scale / 0.866f;
        const float shift = (static_cast<int>(std::floor(v)) & 1) != 0 ? 0.5f : 0.0f;
        const Point q{fraction(p.x * b.grain.scale + shift) - 0.5f, (fraction(v) - 0.5f) * 0.866f};
        const float d = length(q) - radius;
        const float lip = inside(std::abs(d - 0.03f) - 0.03f, 0.03f) * (q.x * b.light.x + q.y * b.light.y) / radius;
        const Rgb sheet = b.tint.main * (0.95f + b.grain.contrast * n.fractal(p.x * 30, p.y * 30, 2) - 0.3f * lip);
        colour = mix(sheet, b.tint.second, inside(d, b.grain.scale * layer.pixel()));
    });
}

void draw_ribs(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float rib = std::sqrt(std::abs(std::sin(pi * (p.x * b.grain.scale + 0.1f * n.smooth(p.y * 4, 3)))));
        colour = b.tint.main * (0.45f + 0.55f * rib + b.grain.contrast * n.fractal(p.x * 80, p.y * 35, 2));
    });
}

Form washer(Point p, const Proportions& k) {
    const float r = length(p);
    return {.outline = std::max(r - 1, 0.35f + 0.2f * k.a - r)};
}

Form pill(Point p, const Proportions& k) {
    const float r = length(p);
    const float score = k.a > 0.4f ? 0.06f * inside(std::abs(p.y) - 0.03f, 0.03f) * inside(r - 0.85f, 0.03f) : 0.0f;
    return {.outline = r - 1, .height = 0.25f * std::sqrt(std::max(0.0f, 1 - r * r)) - score};
}

/// A sheet with lines of print.
Form label(Point p, const Proportions& k) {
    const float line = fraction(p.y * 5.5f + 0.5f) - 0.5f;
    const float word = fraction(p.x * (2 + k.a) + 0.37f * std::floor(p.y * 5.5f + 0.5f));
    const bool printed = std::abs(p.x) < 0.72f && std::abs(p.y) < 0.44f && word > 0.12f;
    return {.outline = box_distance(p, {0.82f, 0.55f}),
            .second = printed ? inside(std::abs(line) - 0.2f, 0.06f) : 0.0f};
}

Form button(Point p, const Proportions& k) {
    const float r = length(p);
    const float bore = 0.10f + 0.03f * k.a;
    const float holes = length({std::abs(p.x) - 0.22f, std::abs(p.y) - 0.22f}) - bore;
    return {.outline = std::max(r - 1, -holes), .height = 0.12f * smooth_step(0.62f, 0.75f, r)};
}

/// Conductors that fan out from the two rows of pads of a package.
Art circuit_board(Random& random) {
    Art art;
    const float pitch = between(random, 0.07f, 0.12f);
    const float half = 0.18f * pitch;
    const float gap = between(random, 0.12f, 0.2f);
    const float fan = between(random, 1.3f, 1.8f);
    for (float t = -0.5f; t < 0.5f; t += pitch) {
        for (const float side : {-1.0f, 1.0f}) {
            const Point pad{0.5f + side * gap, 0.5f + 0.8f * t};
            const Point knee{0.5f + side * (gap + 0.14f), 0.5f + fan * t};
            art.marks.push_back({.from = pad, .to = knee, .half = half});
            art.marks.push_back({.from = knee, .to = {0.5f + side * 0.7f, knee.y}, .half = half});
            art.marks.push_back({.from = pad, .to = pad, .half = 0.36f * pitch, .square = true});
            if (!random.chance(0.4)) continue;
            const Point via{0.5f + side * (gap + 0.22f), knee.y};
            art.marks.push_back({.from = via, .to = via, .half = 0.45f * pitch});
            art.marks.push_back({.from = via, .to = via, .half = 0.2f * pitch, .ink = false});
        }
    }
    return art;
}

Art bar_code(Random& random) {
    Art art;
    const float top = between(random, 0.1f, 0.25f);
    const float unit = between(random, 0.006f, 0.010f);
    for (float x = 0.08f; x < 0.92f;) {
        const float half = unit * static_cast<float>(1 + random.below(3));
        art.marks.push_back({.from = {x, top}, .to = {x, 1 - top}, .half = half, .square = true});
        x += 2 * half + 2 * unit * static_cast<float>(1 + random.below(3));
    }
    return art;
}

constexpr Rgb steel{0.64f, 0.66f, 0.68f};
constexpr Rgb copper{0.76f, 0.46f, 0.32f};
constexpr Palette own = Palette::own;
constexpr Palette dyes = Palette::dyes;

constexpr std::array subjects = {
    Subject{"woven fabric", cloth, dyes, {}, {26, 0.12f, 1}, draw_weave},
    Subject{"linen cloth", cloth, own, {{0.80f, 0.72f, 0.58f}, {0.70f, 0.62f, 0.48f}}, {38, 0.25f, 1}, draw_weave},
    Subject{"denim", cloth, own, {{0.22f, 0.32f, 0.52f}, {0.75f, 0.78f, 0.84f}}, {44, 0.15f, 2}, draw_weave},
    Subject{"brushed steel plate", metal, own, {steel, {}}, {120, 0.12f, 0}, draw_brush_marks},
    Subject{"brushed copper plate", metal, own, {copper, {}}, {100, 0.12f, 0}, draw_brush_marks},
    Subject{"granite slab", stone, Palette::minerals, {{}, {0.86f, 0.82f, 0.80f}}, {40, 0.2f, 0.8f}, draw_grains},
    Subject{"leather hide", cloth, dyes, {}, {20, 0.40f, 0}, draw_leather},
    Subject{"wooden board", paper, own, {{0.84f, 0.64f, 0.42f}, {0.58f, 0.38f, 0.22f}}, {8, 0.08f, 0}, draw_wood},
    Subject{"tiled wall", stone, dyes, {{}, {0.62f, 0.61f, 0.59f}}, {7, 0.12f, 1}, draw_tiles},
    Subject{"brick wall", stone, own, {{0.62f, 0.30f, 0.22f}, {0.70f, 0.68f, 0.64f}}, {9, 0.35f, 2.2f}, draw_tiles},
    Subject{"perforated sheet", metal, own, {steel, {0.08f, 0.08f, 0.09f}}, {11, 0.05f, 0}, draw_perforations},
    Subject{"corduroy", cloth, dyes, {}, {16, 0.07f, 0}, draw_ribs},
    Subject{.name = "washer", .form = washer, .edge = 0.05f, .finishes = metal},
    Subject{.name = "tablet", .form = pill, .edge = 0.12f, .finishes = plastic},
    Subject{.name = "label",
            .own = {{0.90f, 0.89f, 0.86f}, {0.10f, 0.10f, 0.12f}},
            .form = label,
            .edge = 0.01f,
            .finishes = paper},
    Subject{.name = "coat button", .form = button, .edge = 0.06f, .finishes = plastic},
    Subject{.name = "printed circuit board", .stuff = lines, .layout = circuit_board},
    Subject{.name = "bar code", .stuff = lines, .layout = bar_code},
};

}  // namespace

std::span<const Subject> held_out_subjects() { return subjects; }

}  // namespace ltad
