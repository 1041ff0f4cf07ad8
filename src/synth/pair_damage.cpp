// Training defects that change the shape of things: holes, dents, tears, bends.

#include <array>

#include "grammar.h"
#include "harm_tools.h"

namespace ltad {
namespace {

/// A hole right through, with a thin rim.
void draw_hole(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float rough = between(random, 0.02f, 0.30f);
    const float fineness = between(random, 1.2f, 3.0f);
    const bool bright = random.chance(0.5);
    const float blur = 1.2f * layer.pixel() / site.reach;
    layer.paint_near(site.at, 1.7f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float r = q.r + rough * b.noise.fractal(q.u * fineness + 7, q.v * fineness + 3, 3);
        const float slope = (x - site.at.x) * b.light.x + (y - site.at.y) * b.light.y;
        const float rim = inside(std::abs(r - 1.04f) - 0.05f, 0.05f);
        colour = mix(colour, bright == (slope < 0) ? Rgb{0.95f, 0.95f, 0.93f} : Rgb{0.06f, 0.06f, 0.06f}, 0.6f * rim);
        part = std::min(part, 1 - inside(r - 1, blur));
    });
}

/// A straight slit that gapes, one lip lit.
void draw_cut(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float gape = between(random, 0.10f, 0.22f);
    const float blur = 1.0f * layer.pixel() / site.reach;
    const float bow = between(random, -0.15f, 0.15f);
    layer.paint_near(site.at, 2.4f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float open = gape * (1 - q.u * q.u / 4.4f);
        if (open <= 0) return;
        const float v = q.v - bow * q.u * q.u / 2 + 0.02f * b.noise.smooth(q.u * 6, 3);
        const float lip = inside(std::abs(v - open) - 0.06f, 0.05f);
        const float dark = inside(std::abs(v) - open, blur);
        colour = mix(colour, mix(colour, {1, 1, 1}, 0.75f), 0.8f * lip * part);
        colour = mix(colour, {0.05f, 0.04f, 0.04f}, 0.92f * dark * part);
    });
}

/// A jagged gash with frayed or white edges; what lies below shows.
void draw_tear(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float gape = between(random, 0.30f, 0.60f);
    const float blur = 1.2f * layer.pixel() / site.reach;
    const Rgb fibre = mix(b.tint.main, {0.97f, 0.96f, 0.93f}, between(random, 0.5f, 0.85f));
    layer.paint_near(site.at, 2.2f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float open = gape * (1 - std::abs(q.u) / 1.9f);
        if (open <= -0.2f) return;
        const float path = 0.30f * b.noise.fractal(q.u * 1.6f, 11, 3);
        const float side = q.v > path ? 5.0f : 40.0f;
        const float ragged = open + 0.16f * b.noise.fractal(q.u * 5, side, 2) * smooth_step(-0.2f, 0.1f, open);
        const float d = std::abs(q.v - path) - ragged;
        const float frayed =
            inside(d - 0.10f - 0.08f * b.noise.smooth(q.u * 22, side), 0.05f) * smooth_step(-0.1f, 0.05f, open);
        colour = mix(colour, fibre * (0.9f + 0.2f * b.noise.smooth(x * 150, y * 150)), frayed);
        part = std::min(part, 1 - inside(d, blur));
    });
}

/// A flake broken off: a faceted hollow of fresher, rougher material.
void draw_chip(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const bool dark = brightness(layer.colour(site.at)) > 0.55f;
    const Rgb fresh = dark ? b.tint.main * 0.38f : mix(b.tint.main, {0.97f, 0.95f, 0.90f}, 0.75f);
    const float corners = std::floor(between(random, 4, 8));
    const float phase = between(random, 0, 6);
    layer.paint_near(site.at, 1.5f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float theta = std::atan2(q.v, q.u);
        const float polygon = 0.16f * std::abs(std::sin(0.5f * corners * theta + phase));
        const float r = q.r * (1 + polygon) + 0.22f * b.noise.fractal(q.u * 2, q.v * 2, 3);
        const float hollow = inside(r - 0.95f, 0.04f);
        const float slope = (q.u * b.light.x + q.v * b.light.y);
        const float shells = 0.10f * std::sin(9 * r + 3 * b.noise.smooth(q.u * 3, q.v * 3));
        const float rough = 0.16f * b.noise.fractal(x * 50, y * 50, 2);
        const float rim = inside(std::abs(r - 0.95f) - 0.04f, 0.04f);
        if (site.object && q.r < 1.5f)
            part = std::min(part, 1 - 0.9f * inside(r - 0.55f, 0.03f) * (part < 1 ? 1.0f : 0.0f));
        colour = mix(colour, fresh * (0.92f - 0.28f * slope + shells + rough), hollow * part);
        colour = mix(colour, slope > 0 ? Rgb{0.98f, 0.98f, 0.96f} : Rgb{0.08f, 0.08f, 0.08f}, 0.5f * rim * part);
    });
}

/// Part of an object beyond a jagged line is gone.
void draw_break(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float blur = 1.2f * layer.pixel() / site.reach;
    const float depth = between(random, 0.75f, 1.0f);
    const bool notch = random.chance(0.6);
    const Rgb fresh =
        mix(b.tint.main, brightness(b.tint.main) > 0.5f ? Rgb{0.1f, 0.1f, 0.1f} : Rgb{0.95f, 0.95f, 0.95f}, 0.45f);
    layer.paint([&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float jag =
            0.28f * b.noise.fractal(q.u * 1.4f + 5, q.v * 1.4f, 3) + 0.10f * std::abs(fraction(q.v * 1.1f) - 0.5f);
        const float d = notch ? q.r - depth + jag : -q.u - 0.2f + jag;
        if (!notch && q.r > 5) return;
        const float cut = inside(d, blur);
        const float face = inside(d - 0.10f, 0.03f);
        colour = mix(colour, fresh * (0.9f + 0.2f * b.noise.smooth(x * 90, y * 90)), face * part);
        part = std::min(part, 1 - cut);
    });
}

/// A soft hollow: dark on the side of the light, bright on the other.
void draw_dent(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float strength = between(random, 0.8f, 1.25f);
    const float oval = between(random, 0.6f, 1.0f);
    const float sharp = between(random, 0.1f, 0.5f);
    layer.paint_near(site.at, 1.6f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float r = std::sqrt(q.u * q.u + q.v * q.v / (oval * oval)) + 0.12f * b.noise.smooth(q.u * 2, q.v * 2);
        const float slope = ((x - site.at.x) * b.light.x + (y - site.at.y) * b.light.y) / site.reach;
        const float wall = smooth_step(sharp, 0.75f, r) * (1 - smooth_step(0.8f, 1.1f, r));
        const float floor = 1 - smooth_step(0.2f, 0.8f, r);
        const float shade = -strength * (1.1f * slope * wall + 0.30f * floor);
        colour = shade < 0 ? colour * (1 - part * std::min(0.85f, -shade))
                           : mix(colour, {1, 1, 1}, part * std::min(0.8f, 0.9f * shade));
    });
}

/// The picture beyond a line is turned about it, as if bent there.
void draw_bend(Layer& layer, const Site& site, const Brush&, Random& random) {
    const float way = random.chance(0.5) ? 1.0f : -1.0f;
    const float turn = way * between(random, 0.30f, 0.75f);
    const float width = between(random, 0.03f, 0.10f);
    const Layer before = layer;
    const Point along{std::cos(site.angle), std::sin(site.angle)};
    layer.paint([&](float x, float y, Rgb& colour, float& part) {
        const float dx = x - site.at.x;
        const float dy = y - site.at.y;
        const float beyond = dx * along.x + dy * along.y;
        if (beyond < -width) return;
        const float angle = -turn * smooth_step(-width, width, beyond);
        const float c = std::cos(angle);
        const float s = std::sin(angle);
        const Point from{site.at.x + c * dx - s * dy, site.at.y + s * dx + c * dy};
        const bool within = from.x >= 0 && from.x < 1 && from.y >= 0 && from.y < 1;
        part = within ? before.part(from) : 0;
        const float crease = 1 - 0.35f * inside(std::abs(beyond) - 0.2f * width, width);
        colour = before.colour(from) * crease;
    });
}

/// A sharp crease with the far side shifted and in shade.
void draw_fold(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const Layer before = layer;
    const float shift = 0.35f * site.reach;
    const float strength = between(random, 0.45f, 0.75f);
    const float span = 3.2f;
    layer.paint_near(site.at, span * site.reach, [&](float x, float y, Rgb& colour, float&) {
        const Local q = local(site, x, y);
        const float fade = 1 - smooth_step(0.7f * span, span, std::abs(q.u));
        const float v = q.v + 0.15f * b.noise.smooth(q.u * 0.8f, 4);
        if (fade <= 0 || std::abs(v) > 1.3f) return;
        const float under = smooth_step(0.0f, 0.03f, v) * (1 - smooth_step(0.2f, 1.2f, v));
        const float over = smooth_step(-0.9f, -0.05f, v) * (1 - smooth_step(-0.03f, 0.02f, v));
        if (v > 0)
            colour = before.colour({x - std::sin(site.angle) * shift * fade, y + std::cos(site.angle) * shift * fade});
        colour = mix(colour * (1 - strength * fade * under), {1, 1, 1}, 0.55f * strength * fade * over);
    });
}

/// Soft ridges side by side.
void draw_wrinkle(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float count = between(random, 1.2f, 2.4f);
    const float strength = between(random, 0.5f, 0.75f);
    const Site wide{.at = site.at, .reach = 1.3f * site.reach, .angle = site.angle, .object = site.object};
    layer.paint_near(site.at, 1.9f * wide.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(wide, x, y);
        const float fade = 1 - smooth_step(0.6f, 1.7f, std::sqrt(0.5f * q.u * q.u + q.v * q.v));
        if (fade <= 0) return;
        const float wave = std::sin(pi * count * (q.v + 0.35f * b.noise.fractal(q.u * 0.9f, q.v * 0.7f, 2)));
        const float ridge = wave * std::abs(wave) * fade * strength;
        colour = ridge > 0 ? mix(colour, {1, 1, 1}, 0.7f * part * ridge) : colour * (1 + part * ridge);
    });
}

/// A blister that is lit from one side and mirrors the light in a spot.
void draw_bubble(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const int count = random.chance(0.5) ? 1 : 2 + static_cast<int>(random.below(5));
    for (int i = 0; i < count; ++i) {
        Site one = site;
        if (count > 1) {
            one.reach = site.reach * between(random, 0.25f, 0.6f);
            one.at = around(site, random, 1.0f);
        }
        layer.paint_near(one.at, 1.3f * one.reach, [&](float x, float y, Rgb& colour, float& part) {
            const Local q = local(one, x, y);
            const float r = q.r + 0.08f * b.noise.smooth(q.u * 2, q.v * 2);
            const float cover = inside(r - 1, 0.05f) * part;
            const float dx = (x - one.at.x) / one.reach;
            const float dy = (y - one.at.y) / one.reach;
            const float slope = (dx * b.light.x + dy * b.light.y) * smooth_step(0.2f, 1.0f, r);
            const float rim = inside(std::abs(r - 1) - 0.03f, 0.07f) * part;
            const float glint = inside(std::hypot(dx - 0.45f * b.light.x, dy - 0.45f * b.light.y) - 0.16f, 0.12f);
            colour = slope < 0 ? colour * (1 + 0.6f * slope * cover) : mix(colour, {1, 1, 1}, 0.45f * slope * cover);
            colour = mix(colour * (1 - 0.35f * rim), {1, 1, 1}, 0.85f * glint * cover);
        });
    }
}

/// The coat has come off and its edge casts a shadow.
void draw_peeling(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const bool dark = brightness(layer.colour(site.at)) > 0.5f;
    const Rgb under = dark ? Rgb{0.30f, 0.28f, 0.26f} : Rgb{0.80f, 0.78f, 0.74f};
    const float fineness = between(random, 0.9f, 1.6f);
    layer.paint_near(site.at, 1.8f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const auto bare = [&](Point at) {
            const Local q = local(site, at.x, at.y);
            return q.r + 0.65f * b.noise.fractal(q.u * fineness + 13, q.v * fineness, 4) - 0.85f;
        };
        const float d = bare({x, y});
        const float shadow =
            inside(d, 0.03f) * smooth_step(-0.12f, 0.10f, bare({x + 0.012f * b.light.x, y + 0.012f * b.light.y}));
        const float edge = inside(std::abs(d - 0.05f) - 0.03f, 0.03f);
        colour = mix(colour, {1, 1, 1}, 0.5f * edge * part);
        colour = mix(colour, under * (1 + 0.12f * b.noise.fractal(x * 40, y * 40, 2) - 0.5f * shadow),
                     inside(d, 0.03f) * part);
    });
}

constexpr unsigned soft = cloth | paper;
constexpr unsigned brittle = stone | plastic;

constexpr std::array shape_harms = {
    Harm{.kind = "hole", .phrase = "a hole", .stuff = soft | metal | plastic | rubber, .draw = draw_hole},
    Harm{.kind = "cut", .phrase = "a cut", .stuff = soft | rubber, .draw = draw_cut},
    Harm{.kind = "tear", .phrase = "a tear", .stuff = soft | rubber, .draw = draw_tear},
    Harm{.kind = "chip", .phrase = "a chip", .stuff = brittle, .draw = draw_chip, .at_edge = true},
    Harm{.kind = "broken-off piece",
         .phrase = "a piece broken off",
         .stuff = ~0u,
         .draw = draw_break,
         .objects_only = true,
         .at_edge = true},
    Harm{.kind = "dent", .phrase = "a dent", .stuff = metal | plastic, .draw = draw_dent},
    Harm{
        .kind = "bend", .phrase = "a bend", .stuff = metal | plastic | rubber, .draw = draw_bend, .objects_only = true},
    Harm{.kind = "fold", .phrase = "a fold", .stuff = soft, .draw = draw_fold},
    Harm{.kind = "wrinkle", .phrase = "a wrinkle", .stuff = soft, .draw = draw_wrinkle},
    Harm{.kind = "bubble", .phrase = "a bubble", .stuff = plastic | rubber, .draw = draw_bubble},
    Harm{.kind = "peeling", .phrase = "peeling", .stuff = plastic | stone, .draw = draw_peeling},
};

}  // namespace

std::span<const Harm> training_shape_harms() { return shape_harms; }

}  // namespace ltad
