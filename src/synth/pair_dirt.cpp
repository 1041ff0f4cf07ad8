// Training defects that lie on the surface or change its colour: burns, smears, corrosion, threads.

#include <array>

#include "grammar.h"
#include "harm_tools.h"

namespace ltad {
namespace {

void draw_burn(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const float heart = between(random, 0.25f, 0.6f);
    const Rgb scorched{0.36f, 0.20f, 0.09f};
    layer.paint_near(site.at, 1.8f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float r = q.r + 0.45f * b.noise.fractal(q.u * 1.3f + 3, q.v * 1.3f, 3);
        const float halo = (1 - smooth_step(0.5f, 1.2f, r)) * part;
        const float black = (1 - smooth_step(heart, heart + 0.3f, r)) * part;
        colour = mix(colour, {colour.r * scorched.r * 1.6f, colour.g * scorched.g * 1.6f, colour.b * scorched.b * 1.6f},
                     0.9f * halo);
        colour = mix(colour, Rgb{0.05f, 0.045f, 0.04f} * (1 + 0.8f * b.noise.smooth(x * 90, y * 90)), 0.95f * black);
    });
}

/// A film wiped along, with streaks.
void draw_smear(Layer& layer, const Site& site, const Brush& b, Random& random) {
    constexpr std::array<Rgb, 5> films = {{{0.93f, 0.93f, 0.90f},
                                           {0.12f, 0.11f, 0.10f},
                                           {0.48f, 0.36f, 0.18f},
                                           {0.55f, 0.12f, 0.10f},
                                           {0.16f, 0.22f, 0.48f}}};
    Rgb film = pick(random, films);
    if (std::abs(brightness(film) - brightness(layer.colour(site.at))) < 0.25f)
        film = brightness(layer.colour(site.at)) > 0.5f ? films[1] : films[0];
    const float strength = between(random, 0.6f, 0.9f);
    const float bow = between(random, -0.2f, 0.2f);
    layer.paint_near(site.at, 2.2f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float v = q.v + bow * q.u * q.u;
        const float width = 0.62f + 0.25f * b.noise.smooth(q.u * 1.5f, 20);
        const float streak = 0.65f + 0.5f * b.noise.smooth(q.u * 0.7f, v * 11) + 0.2f * b.noise.smooth(q.u, v * 25);
        const float end = 1 - smooth_step(1.2f + 0.5f * b.noise.smooth(5, v * 7), 1.9f, std::abs(q.u));
        const float wet = end * (1 - smooth_step(width, width + 0.2f, std::abs(v)));
        colour = mix(colour, film, part * strength * wet * std::clamp(streak, 0.0f, 1.0f));
    });
}

/// Round, sharp, of one colour; one large or several small ones.
void draw_spot(Layer& layer, const Site& site, const Brush& b, Random& random) {
    constexpr std::array<Rgb, 6> inks = {{{0.06f, 0.06f, 0.07f},
                                          {0.96f, 0.96f, 0.94f},
                                          {0.75f, 0.10f, 0.10f},
                                          {0.12f, 0.20f, 0.60f},
                                          {0.30f, 0.18f, 0.08f},
                                          {0.90f, 0.80f, 0.15f}}};
    Rgb ink = pick(random, inks);
    if (std::abs(brightness(ink) - brightness(b.tint.main)) < 0.3f)
        ink = brightness(b.tint.main) > 0.5f ? inks[0] : inks[1];
    const int count = random.chance(0.6) ? 1 : 2 + static_cast<int>(random.below(5));
    for (int i = 0; i < count; ++i) {
        Site one = site;
        one.reach *= count == 1 ? 0.9f : between(random, 0.25f, 0.55f);
        if (count > 1) one.at = around(site, random, 1.2f);
        layer.paint_near(one.at, 1.3f * one.reach, [&](float x, float y, Rgb& colour, float& part) {
            const Local q = local(one, x, y);
            const float r = q.r + 0.10f * b.noise.smooth(q.u * 1.5f + one.at.x * 50, q.v * 1.5f);
            colour = mix(colour, ink, 0.95f * part * inside(r - 1, 0.07f));
        });
    }
}

/// Rust, or verdigris on what is reddish or yellow.
void draw_corrosion(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const bool green = b.tint.main.r > b.tint.main.b + 0.2f;
    const float lighter = brightness(b.tint.main) < 0.42f ? 1.5f : 1.0f;  // or it would not show on black iron
    const Rgb dark = (green ? Rgb{0.16f, 0.36f, 0.32f} : Rgb{0.28f, 0.12f, 0.05f}) * lighter;
    const Rgb light = (green ? Rgb{0.46f, 0.70f, 0.60f} : Rgb{0.68f, 0.34f, 0.12f}) * lighter;
    const float fineness = between(random, 1.2f, 3.0f);
    layer.paint_near(site.at, 1.8f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const float patch = b.noise.fractal(q.u * fineness, q.v * fineness + 30, 4);
        const float rust = smooth_step(-0.05f, 0.22f, 1.1f - q.r + 0.9f * patch) * part;
        const float shade = 0.5f + 0.6f * b.noise.fractal(x * 45 + 10, y * 45, 2);
        const float eaten = smooth_step(0.25f, 0.6f, b.noise.smooth(x * 80, y * 80 + 40));
        colour = mix(colour, mix(dark, light, std::clamp(shade, 0.0f, 1.0f)) * (1 - 0.5f * eaten), 0.94f * rust);
    });
}

/// A thread or hair. Braces, unlike a call's arguments, draw random numbers in order.
struct Curl {
    Point start;
    float angle;
    float length;
    float half;  ///< half its width
    float bend;  ///< how tightly it winds
    Rgb colour;
    float shadow;
};

/// A curve that wanders, drawn as round pieces.
void draw_curl(Layer& layer, const Curl& curl, Random& random) {
    const float half = curl.half;
    const float step = std::max(half, 1.2f * layer.pixel());
    const float blur = 0.8f * layer.pixel();
    float turn = between(random, -curl.bend, curl.bend);
    float angle = curl.angle;
    Point at = curl.start;
    std::vector<Point> path;
    for (float run = 0; run < curl.length; run += step) {
        path.push_back(at);
        at = {at.x + step * std::cos(angle), at.y + step * std::sin(angle)};
        angle += turn * step;
        turn = 0.97f * turn + between(random, -0.25f, 0.25f) * curl.bend;
    }
    for (const Point p : path) {
        const Point below{p.x + 1.5f * half, p.y + 1.5f * half};
        layer.paint_near(below, half + 2 * blur, [&](float x, float y, Rgb& colour, float& part) {
            const float d = std::hypot(x - below.x, y - below.y) - half;
            colour = mix(colour, colour * (1 - curl.shadow), 0.5f * inside(d, 2 * blur) * part);
        });
    }
    for (const Point p : path)
        layer.paint_near(p, half + 2 * blur, [&](float x, float y, Rgb& colour, float&) {
            colour = mix(colour, curl.colour, inside(std::hypot(x - p.x, y - p.y) - half, blur));
        });
}

void draw_thread(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const Rgb yarn =
        brightness(b.tint.main) > 0.5f && random.chance(0.5) ? b.tint.main * 0.35f : mix(b.tint.main, {1, 1, 1}, 0.65f);
    const int count = 1 + static_cast<int>(random.below(3));
    for (int i = 0; i < count; ++i)
        draw_curl(layer,
                  Curl{around(site, random, 0.4f), between(random, 0, 2 * pi), site.reach * between(random, 2.0f, 4.0f),
                       between(random, 0.004f, 0.009f), 2.0f / site.reach, yarn, 0.6f},
                  random);
}

/// Crumbs, dust, hairs that do not belong there.
void draw_contamination(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const bool dark = brightness(b.tint.main) > 0.45f;
    if (random.chance(0.35)) {
        const int hairs = 1 + static_cast<int>(random.below(3));
        for (int i = 0; i < hairs; ++i)
            draw_curl(layer,
                      Curl{around(site, random, 0.5f), between(random, 0, 2 * pi),
                           site.reach * between(random, 2.0f, 3.5f), between(random, 0.003f, 0.006f), 0.5f / site.reach,
                           dark ? Rgb{0.1f, 0.08f, 0.06f} : Rgb{0.95f, 0.94f, 0.9f}, 0.3f},
                      random);
        return;
    }
    const int count = 3 + static_cast<int>(random.below(14));
    for (int i = 0; i < count; ++i) {
        const float shade = between(random, 0.7f, 1.3f);
        const Rgb crumb = (dark ? Rgb{0.20f, 0.15f, 0.10f} : Rgb{0.85f, 0.80f, 0.70f}) * shade;
        const Site one{around(site, random, 1.0f), std::max(0.009f, site.reach * between(random, 0.12f, 0.36f)),
                       between(random, 0, 3), false};
        const float corners = std::floor(between(random, 3, 6));
        layer.paint_near(one.at, 1.8f * one.reach, [&](float x, float y, Rgb& colour, float& part) {
            const Local q = local(one, x, y);
            const float r =
                q.r * (1 + 0.25f * std::cos(corners * std::atan2(q.v, q.u))) + 0.2f * b.noise.smooth(x * 60, y * 60);
            const Local s = local(one, x + 0.25f * one.reach * b.light.x, y + 0.25f * one.reach * b.light.y);
            const float slope = q.u * b.light.x + q.v * b.light.y;
            colour = colour * (1 - 0.4f * part * inside(s.r - 1.0f, 0.3f));
            colour = mix(colour, crumb * (1 + 0.3f * slope), part * inside(r - 0.9f, 0.12f));
        });
    }
}

/// A large area in another tone.
void draw_discolouration(Layer& layer, const Site& site, const Brush& b, Random& random) {
    constexpr std::array<Rgb, 5> tints = {{{1.0f, 0.78f, 0.35f},
                                           {0.50f, 0.46f, 0.42f},
                                           {0.55f, 0.70f, 0.95f},
                                           {0.95f, 0.60f, 0.50f},
                                           {0.60f, 0.72f, 0.45f}}};
    const Rgb tint = pick(random, tints);
    const bool bleach = brightness(b.tint.main) < 0.45f;
    const float strength = between(random, 0.75f, 1.0f);
    const float soft = between(random, 0.15f, 0.6f);
    const float size = 1.3f * site.reach;
    layer.paint_near(site.at, 1.9f * size, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local({site.at, size, site.angle, false}, x, y);
        const float r = q.r + 0.5f * b.noise.fractal(q.u * 0.9f + 31, q.v * 0.9f, 3);
        const float there = part * strength * (1 - smooth_step(0.9f - soft, 0.9f + 0.3f * soft, r));
        const Rgb toned{colour.r * tint.r, colour.g * tint.g, colour.b * tint.b};
        colour = mix(colour, bleach ? mix(colour, mix(tint, {0.9f, 0.9f, 0.88f}, 0.5f), 0.65f) : toned * 0.8f, there);
    });
}

/// A clear or coloured blob with runs.
void draw_drip(Layer& layer, const Site& site, const Brush& b, Random& random) {
    constexpr std::array<Rgb, 4> glues = {
        {{0.93f, 0.92f, 0.88f}, {0.86f, 0.66f, 0.22f}, {0.10f, 0.10f, 0.11f}, {0.80f, 0.78f, 0.70f}}};
    Rgb glue = pick(random, glues);
    if (std::abs(brightness(glue) - brightness(b.tint.main)) < 0.2f)
        glue = brightness(b.tint.main) > 0.5f ? glues[2] : glues[0];
    const float run = between(random, 0.6f, 1.8f);
    const float lanes = between(random, 0.8f, 2.2f);
    const float phase = between(random, 0, 40);
    layer.paint_near(site.at, 2.6f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const float u = (x - site.at.x) / site.reach;
        const float v = (y - site.at.y) / site.reach;
        const float body = std::hypot(u, v) - 0.75f + 0.22f * b.noise.smooth(u * 1.5f + phase, v * 1.5f);
        const float lane = std::floor(u * lanes + phase);
        const float length = b.noise.at(static_cast<int>(lane), 9);  // some lanes have no run
        const float across = (u * lanes + phase - lane - 0.5f) / lanes;
        const float down = std::max(v - 0.5f - run * length, 0.0f) - std::min(v, 0.0f);
        const float runs = std::abs(u) < 0.7f && length > 0.3f ? std::hypot(across, down) - 0.24f / lanes : 1.0f;
        const float d = std::min(body, runs);
        const float cover = inside(d, 0.03f) * part;
        const float rim = inside(std::abs(d + 0.05f) - 0.02f, 0.05f);
        const float slope = (u * b.light.x + v * b.light.y);
        const float glint = inside(std::hypot(u - 0.3f * b.light.x, v - 0.3f * b.light.y) - 0.12f, 0.06f);
        colour = colour * (1 - 0.35f * part * inside(d - 0.08f, 0.08f));
        colour = mix(colour, glue * (0.95f + 0.12f * slope - 0.2f * rim), 0.92f * cover);
        colour = mix(colour, {1, 1, 1}, 0.8f * glint * cover);
    });
}

/// Furry dots in clusters.
void draw_mould(Layer& layer, const Site& site, const Brush& b, Random& random) {
    const Rgb fur = brightness(b.tint.main) > 0.4f ? Rgb{0.16f, 0.22f, 0.16f} : Rgb{0.74f, 0.80f, 0.74f};
    const float density = between(random, 3.0f, 6.0f);
    layer.paint_near(site.at, 1.5f * site.reach, [&](float x, float y, Rgb& colour, float& part) {
        const Local q = local(site, x, y);
        const Noise::Cell cell = b.noise.cell(q.u * density + 60, q.v * density);
        const float size = 0.75f * cell.shade * (1.3f - q.r) + 0.05f;
        const float fuzz = 0.18f * b.noise.smooth(x * 120, y * 120);
        const float dot = 1 - smooth_step(0.6f * size, size, cell.nearest + fuzz);
        const float haze = 0.35f * (1 - smooth_step(0.3f, 1.3f, q.r + 0.3f * b.noise.smooth(q.u * 3, q.v * 3)));
        colour = mix(colour, fur, part * (size > 0 ? std::max(0.9f * dot, haze) : 0.0f));
    });
}

constexpr unsigned soft = cloth | paper;

constexpr std::array surface_harms = {
    Harm{.kind = "burn", .phrase = "a burn", .stuff = soft | plastic | rubber | metal, .draw = draw_burn},
    Harm{.kind = "smear", .phrase = "a smear", .stuff = ~0u, .draw = draw_smear},
    Harm{.kind = "spot", .phrase = "a spot", .stuff = ~0u, .draw = draw_spot},
    Harm{.kind = "corrosion", .phrase = "corrosion", .stuff = metal, .draw = draw_corrosion},
    Harm{.kind = "loose thread", .phrase = "a loose thread", .stuff = cloth, .draw = draw_thread},
    Harm{.kind = "contamination", .phrase = "contamination", .stuff = ~0u, .draw = draw_contamination},
    Harm{.kind = "discolouration", .phrase = "discolouration", .stuff = ~0u, .draw = draw_discolouration},
    Harm{.kind = "glue drip", .phrase = "a glue drip", .stuff = ~0u, .draw = draw_drip},
    Harm{.kind = "mould", .phrase = "mould", .stuff = soft | stone, .draw = draw_mould},
};

}  // namespace

std::span<const Harm> training_surface_harms() { return surface_harms; }

}  // namespace ltad
