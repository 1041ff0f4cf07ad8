// Surfaces of the training pairs: stone, metal, plastic and what is built from them.

#include <array>

#include "grammar.h"

namespace ltad {
namespace {

/// Fine, even grains of two colours: concrete, cork, sandpaper. Detail: how common the second colour is (a few lone
/// specks would look like damage, so plenty or, below 0, none).
void draw_speckle(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float large = between(random, 0.02f, 0.10f);
    const float threshold = 0.75f - b.grain.detail;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float s = b.grain.scale;
        const float fine = 0.6f * n.smooth(p.x * s, p.y * s) + 0.4f * n.smooth(p.x * s * 2.3f + 40, p.y * s * 2.3f);
        const float speck =
            smooth_step(threshold, threshold + 0.15f, n.smooth(p.x * s * 0.6f + 9, p.y * s * 0.6f + 70));
        const float light = 1 + b.grain.contrast * fine + large * n.smooth(p.x * 4, p.y * 4);
        colour = mix(b.tint.main, b.tint.second, speck) * light;
    });
}

/// Clouds with thin branching veins: marble.
void draw_veins(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float sharp = between(random, 0.80f, 0.93f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float s = b.grain.scale;
        const float flow = n.fractal(p.x * s, p.y * s, 4);
        const float vein = smooth_step(sharp, 1.0f, 1 - std::abs(std::sin(pi * (p.x * s * 0.7f + 1.4f * flow))));
        const float thin = smooth_step(0.93f, 1.0f, 1 - std::abs(n.fractal(p.x * s * 1.7f + 50, p.y * s * 1.7f, 3)));
        const float cloud = 0.5f + 0.5f * n.smooth(p.x * s * 0.8f + 20, p.y * s * 0.8f);
        colour = mix(b.tint.main, b.tint.second,
                     std::min(0.9f, 0.25f * cloud + b.grain.contrast * (vein + 0.5f * thin) * cloud));
    });
}

/// Nearly even, with a soft sheen: paint, enamel, glass, paper. Detail: the sheen.
void draw_satin(Layer& layer, const Brush& b, Random& random) {
    const Noise& n = b.noise;
    const float angle = between(random, 0, pi);
    const Point across{std::cos(angle), std::sin(angle)};
    const float middle = between(random, 0.1f, 0.9f);
    const float width = between(random, 0.2f, 0.6f);
    const float sheen = b.grain.detail * between(random, 0.2f, 1.0f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const float s = b.grain.scale;
        const float fine = n.smooth(x * s, y * s) + 0.5f * n.smooth(x * 3, y * 3);
        const float at = (x * across.x + y * across.y - middle) / width;
        const float gloss = sheen / (1 + at * at * 4);
        colour = mix(b.tint.main * (1 + b.grain.contrast * fine), {1, 1, 1}, gloss);
    });
}

/// Circles that a lathe leaves, with the bow-tie of light on them. Detail: the grooves' waviness.
void draw_turned(Layer& layer, const Brush& b, Random& random) {
    const Noise& n = b.noise;
    const Point middle{between(random, -0.3f, 1.3f), between(random, -0.3f, 1.3f)};
    const float phase = between(random, 0, 2 * pi);
    const float s = b.grain.scale * between(random, 0.7f, 1.3f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const float dx = x - middle.x;
        const float dy = y - middle.y;
        const float r = std::sqrt(dx * dx + dy * dy) + 1e-4f;
        const float c = dx / r;  // of the angle, without a seam where it starts again
        const float d = dy / r;
        const float groove = n.smooth(r * s, c + 2 * d) + 0.6f * n.smooth(r * s * 2.1f, 2 * c - d + 30);
        const float bow = 0.5f + 0.5f * ((c * c - d * d) * std::cos(phase) - 2 * c * d * std::sin(phase) +
                                         b.grain.detail * n.smooth(r * 9, 5));
        colour = b.tint.main * (0.8f + b.grain.contrast * groove + 0.28f * bow * std::abs(bow));
    });
}

/// Overlapping arcs of a milling cutter.
void draw_milled(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float bow = between(random, 1.0f, 3.0f);
    const float cross = between(random, 0.0f, 0.7f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float lane = p.y * 2.3f;
        const float v = fraction(lane) - 0.5f;
        const float arcs = p.x * b.grain.scale + bow * 4 * v * v + 3 * n.at(static_cast<int>(std::floor(lane)), 3);
        const float back = p.x * b.grain.scale - bow * 4 * v * v;
        const float groove =
            std::abs(fraction(arcs) - 0.5f) - 0.25f + cross * (std::abs(fraction(back) - 0.5f) - 0.25f);
        const float step = 0.06f * smooth_step(0.44f, 0.5f, std::abs(v));
        const float fine = 0.04f * n.smooth(p.x * 120, p.y * 120);
        colour = b.tint.main * (0.95f + b.grain.contrast * groove + fine - step + 0.1f * n.smooth(p.x * 2, p.y * 2));
    });
}

/// Shallow bowls side by side: hammered metal. Detail: how sharp the ridges are.
void draw_hammered(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const Noise::Cell cell = n.cell(p.x * b.grain.scale, p.y * b.grain.scale);
        const float slope = cell.dx * b.light.x + cell.dy * b.light.y;
        const float ridge = 1 - smooth_step(0.0f, 0.25f, cell.second - cell.nearest);
        const float glint = smooth_step(0.25f, 0.45f, slope) * 0.35f;
        const float light =
            0.85f + b.grain.contrast * slope + b.grain.detail * ridge + 0.03f * n.smooth(x * 90, y * 90);
        colour = mix(b.tint.main * light, {1, 1, 1}, glint * b.grain.contrast);
    });
}

/// Crumpled into facets: foil, paper.
void draw_crumpled(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const auto height = [&](float x, float y) {
        return std::abs(n.smooth(x, y)) + 0.5f * std::abs(n.smooth(2.1f * x + 30, 2.1f * y)) +
               0.25f * std::abs(n.smooth(4.3f * x, 4.3f * y + 60));
    };
    constexpr float step = 0.06f;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale;
        const float v = p.y * b.grain.scale;
        const float slope = (height(u + step * b.light.x, v + step * b.light.y) - height(u, v)) / step;
        const float light = 0.9f - b.grain.contrast * slope;
        colour = mix(b.tint.main * light, {1, 1, 1}, b.grain.detail * smooth_step(1.1f, 1.8f, -slope));
    });
}

/// Raised lozenges that lie crosswise by turns: tread plate.
void draw_tread(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, 0.8f);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale;
        const float v = p.y * b.grain.scale;
        const int parity = (static_cast<int>(std::floor(u)) + static_cast<int>(std::floor(v))) & 1;
        const float a = fraction(u) - 0.5f;
        const float c = fraction(v) - 0.5f;
        const float along = (parity != 0 ? a + c : a - c) * 0.7071f / 0.52f;
        const float across = (parity != 0 ? c - a : a + c) * 0.7071f / 0.15f;
        const float d = std::sqrt(along * along + across * across);
        const float raised = 1 - smooth_step(0.8f, 1.0f, d);
        const Point axis = parity != 0 ? Point{-0.7071f, 0.7071f} : Point{0.7071f, 0.7071f};
        const float slope = across * (axis.x * b.light.x + axis.y * b.light.y);
        const float shade = (1 - smooth_step(1.0f, 1.35f, d)) * (1 - raised);
        const float light = 0.75f + raised * (0.15f + b.grain.contrast * slope) - 0.25f * shade +
                            0.08f * n.fractal(p.x * 40, p.y * 40, 2);
        colour = b.tint.main * light;
    });
}

/// Thin walls around hexagons.
void draw_honeycomb(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float wall = between(random, 0.07f, 0.13f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale;
        const float v = p.y * b.grain.scale;
        const auto nearest = [&](float shift) {
            return Point{u - std::round(u - 0.5f * shift) - 0.5f * shift,
                         v - 1.732f * (std::round(v / 1.732f - 0.5f * shift) + 0.5f * shift)};
        };
        const Point even = nearest(0);
        const Point odd = nearest(1);
        const Point q = even.x * even.x + even.y * even.y < odd.x * odd.x + odd.y * odd.y ? even : odd;
        const float edge = 0.5f - std::max(std::abs(q.x), 0.5f * std::abs(q.x) + 0.866f * std::abs(q.y));
        const float depth = smooth_step(wall - 0.03f, wall + 0.03f, edge);
        const float slope = q.x * b.light.x + q.y * b.light.y;
        const float inner = 0.45f - b.grain.contrast * slope;
        colour = mix(b.tint.main * (1 + 0.05f * n.smooth(x * 60, y * 60)), b.tint.second * inner, depth);
    });
}

/// Rows of domes: bubble wrap, studs. Detail: gloss.
void draw_studs(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float radius = between(random, 0.30f, 0.44f);
    const bool staggered = random.chance(0.6);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float v = p.y * b.grain.scale;
        const float shift = staggered && (static_cast<int>(std::floor(v)) & 1) != 0 ? 0.5f : 0.0f;
        const float dx = fraction(p.x * b.grain.scale + shift) - 0.5f;
        const float dy = fraction(v) - 0.5f;
        const float d = std::sqrt(dx * dx + dy * dy) / radius;
        const float dome = 1 - smooth_step(0.85f, 1.0f, d);
        const float slope = (dx * b.light.x + dy * b.light.y) / radius;
        const float glint =
            dome *
            smooth_step(0.80f, 0.95f, 1 - std::hypot(dx / radius - 0.45f * b.light.x, dy / radius - 0.45f * b.light.y));
        const float rim = smooth_step(0.85f, 1.0f, d) * (1 - smooth_step(1.0f, 1.25f, d));
        const float light = 0.82f + b.grain.contrast * slope * dome - 0.22f * rim + 0.03f * n.smooth(x * 80, y * 80);
        colour = mix(b.tint.main * light, {1, 1, 1}, b.grain.detail * glint);
    });
}

/// Overlapping rounded plates: roof, fish skin.
void draw_shingles(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, 0.25f);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale;
        const float v = p.y * b.grain.scale * 1.6f;
        int row = static_cast<int>(std::floor(v));
        float a = fraction(u + ((row & 1) != 0 ? 0.5f : 0.0f)) - 0.5f;
        float down = v - static_cast<float>(row);
        // The plate above reaches down in an arc over this row.
        const float reach = 0.62f * std::sqrt(std::max(0.0f, 1 - 4 * a * a));
        const bool upper = down > reach;
        if (upper) {
            --row;
            a = fraction(u + ((row & 1) != 0 ? 0.5f : 0.0f)) - 0.5f;
            down += 1;
        }
        const float shade = n.at(static_cast<int>(std::floor(u + ((row & 1) != 0 ? 0.5f : 0.0f))), row);
        const float shadow = upper ? 0.35f * (1 - smooth_step(0.0f, 0.35f, down - 1 - reach)) : 0.0f;
        const float light = 0.72f + 0.18f * down + b.grain.contrast * (shade - 0.5f) - shadow -
                            0.5f * b.grain.detail * a * a + 0.07f * n.fractal(p.x * 50, p.y * 50, 2);
        colour = b.tint.main * light;
    });
}

/// Smooth patches of uneven brightness under fine grain: castings, ferrite. Detail: the grain.
void draw_cast(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const float stretch = between(random, 0.4f, 1.0f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float cloud = n.fractal(p.x * b.grain.scale, p.y * b.grain.scale * stretch, 3);
        const float fine = n.smooth(p.x * 100, p.y * 100 * stretch) + 0.6f * n.smooth(p.x * 45 + 20, p.y * 45);
        colour = b.tint.main * (0.95f + b.grain.contrast * cloud + b.grain.detail * fine);
    });
}

/// Crystals of different shade with fine lines in them: galvanised sheet, chipboard. Detail: the lines.
void draw_flakes(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale + 0.5f * n.smooth(p.x * 30, p.y * 30);
        const float v = p.y * b.grain.scale * 0.8f;
        const Noise::Cell cell = n.cell(u, v);
        const float c = cell.shade * 2 - 1;
        const float s = std::sqrt(1 - c * c);
        const float lines = n.smooth((c * u - s * v) * 1.2f, (s * u + c * v) * 9);
        const float edge = 1 - smooth_step(0.0f, 0.08f, cell.second - cell.nearest);
        const float light =
            1 + b.grain.contrast * (cell.shade - 0.5f) + b.grain.detail * lines - 0.25f * b.grain.detail * 4 * edge;
        colour = mix(b.tint.main, b.tint.second, fraction(cell.shade * 13)) * light;
    });
}

/// Thin fingers and bold busbars on dark silicon.
void draw_solar(Layer& layer, const Brush& b, Random& random) {
    const Noise& n = b.noise;
    const bool upright = random.chance(0.5);
    const float bars = std::floor(between(random, 2, 5));
    const float crystals = random.chance(0.5) ? 0.12f : 0.02f;
    const Rgb silver{0.72f, 0.74f, 0.76f};
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const float u = upright ? x : y;
        const float v = upright ? y : x;
        const Noise::Cell cell = n.cell(x * 7, y * 7);
        const float finger = inside(std::abs(fraction(v * b.grain.scale) - 0.5f) - 0.12f, 0.06f);
        const float bar = inside(std::abs(fraction(u * bars) - 0.5f) - 0.02f * bars, 0.004f * bars);
        const float light = 0.95f + crystals * (cell.shade - 0.5f) * 4 + 0.05f * n.smooth(x * 3, y * 3);
        colour = mix(b.tint.main * light, silver, std::max(bar, 0.45f * finger));
    });
}

constexpr Rgb steel{0.62f, 0.64f, 0.66f};
constexpr Rgb aluminium{0.76f, 0.77f, 0.78f};
constexpr Rgb copper{0.76f, 0.46f, 0.32f};
constexpr Rgb brass{0.78f, 0.64f, 0.34f};
constexpr Rgb iron{0.36f, 0.36f, 0.38f};
constexpr Rgb chalk{0.92f, 0.91f, 0.88f};
constexpr Rgb black{0.09f, 0.09f, 0.10f};
constexpr Palette own = Palette::own;

constexpr std::array surfaces_of_pairs = {
    Subject{
        "concrete wall", stone, own, {{0.62f, 0.61f, 0.59f}, {0.50f, 0.49f, 0.48f}}, {60, 0.18f, 0.08f}, draw_speckle},
    Subject{
        "asphalt road", stone, own, {{0.27f, 0.27f, 0.28f}, {0.55f, 0.54f, 0.52f}}, {55, 0.35f, 0.35f}, draw_speckle},
    Subject{"sandpaper sheet",
            paper,
            own,
            {{0.62f, 0.44f, 0.28f}, {0.30f, 0.20f, 0.14f}},
            {110, 0.35f, 0.25f},
            draw_speckle},
    Subject{"cork board", paper, own, {{0.76f, 0.57f, 0.38f}, {0.42f, 0.27f, 0.16f}}, {42, 0.20f, 0.30f}, draw_speckle},
    Subject{"sandstone block",
            stone,
            own,
            {{0.82f, 0.68f, 0.48f}, {0.74f, 0.58f, 0.40f}},
            {80, 0.15f, 0.20f},
            draw_speckle},
    Subject{"plaster wall", stone, Palette::dull, {{}, chalk}, {30, 0.09f, -0.5f}, draw_speckle},
    Subject{"felt cloth", cloth, Palette::dyes, {{}, {0.5f, 0.5f, 0.5f}}, {75, 0.20f, -0.5f}, draw_speckle},
    Subject{"rubber mat", rubber, Palette::dull, {{}, black}, {65, 0.18f, 0.15f}, draw_speckle},
    Subject{"marble slab", stone, Palette::minerals, {{}, {0.40f, 0.40f, 0.42f}}, {3.2f, 0.75f, 0}, draw_veins},
    Subject{"onyx plate", stone, Palette::minerals, {{}, {0.95f, 0.90f, 0.80f}}, {4.5f, 0.9f, 0}, draw_veins},
    Subject{"soapstone block", stone, Palette::minerals, {{}, {0.80f, 0.82f, 0.78f}}, {2.2f, 0.4f, 0}, draw_veins},
    Subject{"plastic panel", plastic, Palette::dyes, {}, {90, 0.025f, 0.25f}, draw_satin},
    Subject{"painted panel", plastic, Palette::dyes, {}, {50, 0.035f, 0.18f}, draw_satin},
    Subject{"enamel panel", plastic, Palette::dyes, {}, {20, 0.02f, 0.45f}, draw_satin},
    Subject{"paper sheet", paper, Palette::dyes, {}, {70, 0.03f, 0.03f}, draw_satin},
    Subject{"vinyl sheet", plastic, Palette::dyes, {}, {35, 0.04f, 0.35f}, draw_satin},
    Subject{"glass pane", plastic, own, {{0.62f, 0.74f, 0.74f}, {}}, {8, 0.03f, 0.6f}, draw_satin},
    Subject{"turned metal face", metal, own, {steel, {}}, {95, 0.10f, 0.5f}, draw_turned},
    Subject{"turned brass face", metal, own, {brass, {}}, {80, 0.09f, 0.5f}, draw_turned},
    Subject{"vinyl record", plastic, own, {{0.17f, 0.17f, 0.18f}, {}}, {120, 0.22f, 0.2f}, draw_turned},
    Subject{"milled aluminium block", metal, own, {aluminium, {}}, {14, 0.30f, 0}, draw_milled},
    Subject{"machined steel surface", metal, own, {steel, {}}, {24, 0.35f, 0}, draw_milled},
    Subject{"hammered copper sheet", metal, own, {copper, {}}, {10, 0.45f, 0.06f}, draw_hammered},
    Subject{"hammered metal plate", metal, own, {steel, {}}, {11, 0.50f, 0.12f}, draw_hammered},
    Subject{"aluminium foil", metal, own, {aluminium, {}}, {6, 0.28f, 0.6f}, draw_crumpled},
    Subject{"crumpled paper", paper, Palette::dyes, {}, {4.5f, 0.14f, 0.1f}, draw_crumpled},
    Subject{"tread plate", metal, own, {{0.58f, 0.59f, 0.60f}, {}}, {7, 0.30f, 0}, draw_tread},
    Subject{
        "honeycomb panel", metal, own, {{0.74f, 0.73f, 0.70f}, {0.45f, 0.42f, 0.38f}}, {9, 0.35f, 0}, draw_honeycomb},
    Subject{"bubble wrap", plastic, own, {{0.75f, 0.80f, 0.83f}, {}}, {8, 0.22f, 0.8f}, draw_studs},
    Subject{"studded floor mat", rubber, Palette::dull, {}, {9, 0.22f, 0.15f}, draw_studs},
    Subject{"shingle roof", stone, Palette::minerals, {}, {6, 0.30f, 0.2f}, draw_shingles},
    Subject{"fish skin", cloth, own, {{0.60f, 0.66f, 0.70f}, {}}, {13, 0.12f, 1.0f}, draw_shingles},
    Subject{"iron casting", metal, own, {iron, {}}, {5, 0.22f, 0.10f}, draw_cast},
    Subject{"aluminium casting", metal, own, {{0.68f, 0.68f, 0.69f}, {}}, {4, 0.14f, 0.06f}, draw_cast},
    Subject{"ferrite block", metal, own, {{0.40f, 0.40f, 0.41f}, {}}, {3, 0.16f, 0.05f}, draw_cast},
    Subject{"zinc plate", metal, own, {{0.60f, 0.62f, 0.64f}, {}}, {7, 0.16f, 0.03f}, draw_cast},
    Subject{
        "galvanised sheet", metal, own, {{0.66f, 0.69f, 0.71f}, {0.56f, 0.60f, 0.64f}}, {6, 0.22f, 0.03f}, draw_flakes},
    Subject{
        "particle board", paper, own, {{0.80f, 0.64f, 0.42f}, {0.70f, 0.52f, 0.32f}}, {9, 0.30f, 0.10f}, draw_flakes},
    Subject{"solar cell", plastic, own, {{0.10f, 0.14f, 0.30f}, {}}, {40, 0, 0}, draw_solar},
};

constexpr std::array object_finishes = {
    Finish{"plastic", plastic, Palette::dyes, {}, {60, 0.02f, 0.15f}, draw_satin},
    Finish{"rubber", rubber, Palette::dull, {{}, black}, {60, 0.10f, -0.5f}, draw_speckle},
    Finish{"steel", metal, own, {steel, steel}, {5, 0.08f, 0.03f}, draw_cast},
    Finish{"iron", metal, own, {iron, iron}, {6, 0.16f, 0.10f}, draw_cast},
    Finish{"aluminium", metal, own, {aluminium, aluminium}, {90, 0.07f, 0.4f}, draw_turned},
    Finish{"brass", metal, own, {brass, brass}, {5, 0.07f, 0.02f}, draw_cast},
    Finish{"copper", metal, own, {copper, copper}, {70, 0.06f, 0.4f}, draw_turned},
    Finish{"ceramic", stone, Palette::dyes, {}, {15, 0.015f, 0.3f}, draw_satin},
    Finish{"marble", stone, Palette::minerals, {{}, {0.40f, 0.40f, 0.42f}}, {3.5f, 0.7f, 0}, draw_veins},
    Finish{"clay", stone, own, {{0.72f, 0.42f, 0.28f}, {0.50f, 0.28f, 0.18f}}, {70, 0.12f, 0.12f}, draw_speckle},
    Finish{"cardboard", paper, own, {{0.74f, 0.58f, 0.40f}, {0.6f, 0.45f, 0.3f}}, {80, 0.07f, 0.04f}, draw_speckle},
};

}  // namespace

std::span<const Subject> training_hard_surfaces() { return surfaces_of_pairs; }
std::span<const Finish> finishes() { return object_finishes; }

}  // namespace ltad
