// Objects of the training pairs: outlines and reliefs.

#include <array>

#include "grammar.h"
#include "shapes.h"

namespace ltad {
namespace {

Form disc(Point p, const Proportions& k) {
    const float r = length(p);
    return {.outline = r - 1,
            .height = k.a > 0.5f ? 0.05f * inside(std::abs(r - 0.5f - 0.3f * k.b) - 0.03f, 0.03f) : 0.0f};
}

Form ring(Point p, const Proportions& k) {
    const float width = 0.10f + 0.08f * k.a;
    return {.outline = std::abs(length(p) - (1 - width)) - width};
}

Form gear(Point p, const Proportions& k) {
    const float teeth = std::floor(9 + 15 * k.a);
    const float r = length(p);
    const float wave = std::cos(teeth * std::atan2(p.y, p.x));
    const float rim = r - (0.90f + 0.10f * std::clamp(wave * 2.2f, -1.0f, 1.0f));
    const float bore = 0.16f + 0.2f * k.b - r;
    return {.outline = std::max(rim, bore), .height = 0.06f * inside(r - 0.45f - 0.15f * k.c, 0.02f)};
}

Form nut(Point p, const Proportions& k) {
    const float hexagon = hexagon_distance(p, 0.86f);
    const float r = length(p);
    const float bore = 0.42f + 0.12f * k.a;
    return {.outline = std::max(hexagon, bore - r),
            .height = 0.05f * inside(r - 0.80f, 0.06f) - 0.1f * inside(r - bore - 0.07f, 0.03f)};
}

/// Seen from the side, with a head at the left.
Form bolt(Point p, const Proportions& k) {
    const float head = box_distance({p.x + 0.78f, p.y}, {0.20f, 0.38f + 0.08f * k.a});
    const float thread = p.x > -0.2f ? 0.022f * std::cos(p.x * (38 + 14 * k.b) + 3 * p.y) : 0.0f;
    const float radius = 0.17f + 0.05f * k.c;
    const float shank = box_distance({p.x - 0.2f, p.y}, {0.80f, radius}) - thread;
    const float round = std::sqrt(std::max(0.0f, 1 - p.y * p.y / (radius * radius)));
    return {.outline = std::min(head, shank), .height = head < 0 ? 0.15f : 0.12f * round + 0.8f * thread};
}

Form bottle_cap(Point p, const Proportions& k) {
    const float r = length(p);
    const float flutes = std::cos(21 * std::atan2(p.y, p.x));
    const float crown = smooth_step(0.72f, 0.98f, r) * flutes;
    return {.outline = r - 0.95f - 0.05f * flutes,
            .height = 0.10f * inside(r - 0.76f, 0.08f) + 0.03f * crown,
            .second = k.a > 0.4f ? inside(std::abs(r - 0.25f - 0.25f * k.b) - 0.08f, 0.015f) : 0.0f};
}

Form dinner_plate(Point p, const Proportions& k) {
    const float r = length(p);
    const float well = 0.62f + 0.08f * k.a;
    return {.outline = r - 1,
            .height = 0.10f * smooth_step(well - 0.05f, well + 0.05f, r),
            .second = k.b > 0.5f ? inside(std::abs(r - 0.88f) - 0.03f, 0.01f) : 0.0f};
}

Form capsule(Point p, const Proportions& k) {
    const float radius = 0.30f + 0.06f * k.a;
    const Point q{std::max(std::abs(p.x) - (1 - radius), 0.0f), p.y};
    const float outline = length(q) - radius;
    const float seam = 0.03f * inside(std::abs(p.x - 0.1f) - 0.012f, 0.012f);
    return {.outline = outline,
            .height = 0.4f * std::sqrt(std::max(0.0f, -outline)) - seam,
            .second = inside(p.x - 0.1f, 0.015f)};
}

Form cable(Point p, const Proportions& k) {
    const float middle = 0.25f * std::sin(p.x * (1.5f + 2 * k.a) + 6 * k.b);
    const float radius = 0.10f + 0.07f * k.c;
    const float y = (p.y - middle) / std::sqrt(1 + 0.15f * k.a);
    return {.outline = std::abs(y) - radius, .height = 1.2f * std::sqrt(std::max(0.0f, radius * radius - y * y))};
}

/// Three strands that wind round each other.
Form rope(Point p, const Proportions& k) {
    const float middle = 0.2f * std::sin(p.x * (1 + 2 * k.a) + 6 * k.b);
    const float radius = 0.14f + 0.06f * k.c;
    const float y = p.y - middle;
    const float strand = std::abs(std::sin(p.x * 1.3f / radius + 1.6f * y / radius));
    return {.outline = std::abs(y) - radius + 0.02f * (1 - strand),
            .height = std::sqrt(std::max(0.0f, radius * radius - y * y)) + 0.12f * std::sqrt(strand)};
}

Form gasket(Point p, const Proportions& k) {
    const float corner = 0.25f;
    const float outer = box_distance(p, {0.95f - corner, 0.70f - corner}) - corner;
    const float inner =
        std::min(length({p.x - 0.4f, p.y}) - 0.30f - 0.05f * k.a, length({p.x + 0.4f, p.y}) - 0.30f - 0.05f * k.a);
    const float holes = length({std::abs(p.x) - 0.80f, std::abs(p.y) - 0.54f}) - 0.07f;
    return {.outline = std::max({outer, -inner, -holes}),
            .height = 0.02f * inside(std::abs(inner - 0.08f) - 0.02f, 0.02f)};
}

Form key(Point p, const Proportions& k) {
    const float bow = std::max(length({p.x + 0.65f, p.y}) - 0.34f, 0.15f + 0.05f * k.a - length({p.x + 0.72f, p.y}));
    const float shaft = box_distance({p.x - 0.3f, p.y}, {0.69f, 0.08f});
    const float depth = 0.10f + 0.08f * std::sin(9 * k.b + 26 * std::floor(p.x * 9));
    const float bit = box_distance({p.x - 0.70f, p.y - 0.5f * depth - 0.05f}, {0.26f, 0.5f * depth + 0.03f});
    return {.outline = std::min({bow, shaft, bit}),
            .height = -0.03f * inside(std::abs(p.y) - 0.02f, 0.015f) * inside(-p.x - 0.2f, 0.02f)};
}

/// A flat L with holes in it.
Form bracket(Point p, const Proportions& k) {
    const float width = 0.24f + 0.08f * k.a;
    const float lying = box_distance({p.x, p.y - 0.75f + width}, {0.75f, width});
    const float standing = box_distance({p.x + 0.75f - width, p.y}, {width, 0.75f});
    const float hole = 0.08f + 0.05f * k.b;
    const float holes =
        std::min({length({p.x - 0.50f, p.y - 0.75f + width}), length({p.x - 0.02f, p.y - 0.75f + width}),
                  length({p.x + 0.75f - width, p.y + 0.50f})}) -
        hole;
    return {.outline = std::max(std::min(lying, standing), -holes)};
}

Form ball(Point p, const Proportions& k) {
    const float r = length(p);
    const float seam = k.a > 0.5f ? inside(std::abs(p.y + 0.3f * (p.x * p.x) - 0.2f * k.b) - 0.03f, 0.02f) : 0.0f;
    return {.outline = r - 1, .height = 0.9f * std::sqrt(std::max(0.0f, 1.0f - r * r)), .second = 0.6f * seam};
}

Form bottle(Point p, const Proportions& k) {
    const float corner = 0.10f;
    const float body = box_distance({p.x - 0.25f, p.y}, {0.70f - corner, 0.34f - corner}) - corner;
    const float neck = box_distance({p.x + 0.70f, p.y}, {0.30f, 0.10f + 0.05f * k.a});
    const float shoulder = length({(p.x + 0.38f) * 0.9f, p.y}) - 0.26f;
    const float half = p.x > -0.45f ? 0.34f : 0.13f;
    return {.outline = std::min({body, neck, shoulder}),
            .height = 0.5f * std::sqrt(std::max(0.0f, half * half - p.y * p.y)),
            .second =
                std::max(inside(p.x + 0.80f, 0.01f), k.b > 0.5f ? inside(std::abs(p.x - 0.3f) - 0.25f, 0.01f) : 0.0f)};
}

Form spoon(Point p, const Proportions& k) {
    const float bowl = (length({(p.x + 0.62f) / 0.36f, p.y / (0.22f + 0.06f * k.a)}) - 1) * 0.25f;
    const float handle = box_distance({p.x - 0.35f, p.y}, {0.64f, 0.05f + 0.04f * std::max(0.0f, p.x)}) - 0.01f;
    return {.outline = std::min(bowl, handle), .height = 0.4f * std::min(0.0f, bowl + 0.05f)};
}

/// A black body with three legs of another colour.
Form transistor(Point p, const Proportions& k) {
    const float body = box_distance({p.x + 0.45f, p.y}, {0.42f, 0.50f});
    const float lane = std::clamp(std::round(p.y / 0.32f), -1.0f, 1.0f) * 0.32f;
    const float legs = box_distance({p.x - 0.45f, p.y - lane}, {0.52f, 0.05f + 0.02f * k.a});
    return {.outline = std::min(body, legs), .height = body < 0 ? 0.15f : 0.0f, .second = inside(-p.x - 0.03f, 0.01f)};
}

Form rod(Point p, const Proportions& k) {
    const float radius = 0.12f + 0.12f * k.a;
    return {.outline = box_distance(p, {1.0f, radius}),
            .height = std::sqrt(std::max(0.0f, radius * radius - p.y * p.y))};
}

Form star(Point p, const Proportions& k) {
    const float points = std::floor(5 + 3 * k.a);
    const float turn = 2 * pi / points;
    const float theta = std::atan2(p.y, p.x);
    const float local = std::abs(theta - turn * std::round(theta / turn));
    const float r = length(p);
    const float outline = r * std::cos(local) + r * std::sin(local) * (1.0f + 0.8f * k.b) - 0.95f;
    return {.outline = 0.6f * outline};
}

Form comb(Point p, const Proportions& k) {
    const float spine = box_distance({p.x, p.y + 0.35f}, {0.95f, 0.14f});
    const float pitch = 0.10f + 0.05f * k.a;
    const float lane = std::clamp(std::round(p.x / pitch), -std::floor(0.9f / pitch), std::floor(0.9f / pitch)) * pitch;
    const float teeth = box_distance({p.x - lane, p.y - 0.15f}, {0.28f * pitch, 0.42f});
    return {.outline = std::min(spine, teeth)};
}

constexpr unsigned hard = metal | plastic | stone;

constexpr std::array objects_of_pairs = {
    Subject{.name = "disc", .form = disc, .edge = 0.08f, .finishes = hard | rubber | paper},
    Subject{.name = "ring", .form = ring, .edge = 0.09f, .finishes = hard | rubber},
    Subject{.name = "gear", .form = gear, .edge = 0.05f, .finishes = metal | plastic},
    Subject{.name = "hex nut", .form = nut, .edge = 0.06f, .finishes = metal | plastic},
    Subject{.name = "bolt", .form = bolt, .edge = 0.06f, .finishes = metal | plastic},
    Subject{.name = "bottle cap", .form = bottle_cap, .edge = 0.06f, .finishes = metal | plastic},
    Subject{.name = "dinner plate", .form = dinner_plate, .edge = 0.04f, .finishes = stone | plastic},
    Subject{.name = "capsule", .form = capsule, .edge = 0.10f, .finishes = plastic},
    Subject{.name = "cable", .form = cable, .edge = 0.05f, .finishes = plastic | rubber},
    Subject{.name = "rope", .stuff = cloth, .palette = Palette::dull, .form = rope, .edge = 0.03f, .finishes = rubber},
    Subject{.name = "gasket", .form = gasket, .edge = 0.03f, .finishes = rubber | paper | metal},
    Subject{.name = "key", .form = key, .edge = 0.03f, .finishes = metal},
    Subject{.name = "bracket", .form = bracket, .edge = 0.04f, .finishes = metal | plastic},
    Subject{.name = "ball", .form = ball, .edge = 0.03f, .finishes = hard | rubber},
    Subject{.name = "bottle", .form = bottle, .edge = 0.05f, .finishes = plastic | stone},
    Subject{.name = "spoon", .form = spoon, .edge = 0.04f, .finishes = metal | plastic},
    Subject{.name = "transistor",
            .own = {{0.13f, 0.13f, 0.14f}, {0.78f, 0.78f, 0.78f}},
            .form = transistor,
            .edge = 0.04f,
            .finishes = plastic},
    Subject{.name = "rod", .form = rod, .edge = 0.03f, .finishes = hard},
    Subject{.name = "star", .form = star, .edge = 0.10f, .finishes = hard | paper},
    Subject{.name = "comb", .form = comb, .edge = 0.03f, .finishes = plastic | metal},
};

}  // namespace

std::span<const Subject> training_objects() { return objects_of_pairs; }

}  // namespace ltad
