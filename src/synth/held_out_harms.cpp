// Defects of the held-out side: the generated data set's damage, and two kinds for drawings.

#include <array>

#include "grammar.h"
#include "ltad/synth/defects.h"

namespace ltad {
namespace {

/// damage() draws on a Canvas: there and back.
void damage_layer(Layer& layer, std::string_view kind, const Site& site, Random& random) {
    Canvas canvas(layer.size());
    std::size_t i = 0;
    canvas.paint([&](float, float, Rgb& colour, float& part) {
        colour = layer.colours()[i];
        part = layer.parts()[i++];
    });
    const float reach = std::clamp(site.reach, 0.05f, 0.22f);
    damage(canvas, kind, {.at = site.at, .reach = reach, .strength = between(random, 0.75f, 1.0f)}, random);
    i = 0;
    canvas.paint([&](float, float, Rgb& colour, float&) { layer.colours()[i++] = colour; });
}

void draw_scratch(Layer& l, const Site& s, const Brush&, Random& random) { damage_layer(l, "scratch", s, random); }
void draw_crack(Layer& l, const Site& s, const Brush&, Random& random) { damage_layer(l, "crack", s, random); }
void draw_stain(Layer& l, const Site& s, const Brush&, Random& random) { damage_layer(l, "stain", s, random); }
void draw_pit(Layer& l, const Site& s, const Brush&, Random& random) { damage_layer(l, "pit", s, random); }

/// A place on a mark near the middle of the picture.
Point find_mark(const Art& art, Random& random, float& half) {
    Point at{0.5f, 0.5f};
    for (int attempt = 0; attempt < 200; ++attempt) {
        const Mark& mark = pick(random, art.marks);
        const float t = between(random, 0.2f, 0.8f);
        at = {std::lerp(mark.from.x, mark.to.x, t), std::lerp(mark.from.y, mark.to.y, t)};
        half = mark.half;
        if (mark.ink && std::min(at.x, at.y) > 0.1f && std::max(at.x, at.y) < 0.9f) break;
    }
    return at;
}

/// Ink where a drop fell.
void edit_blot(Art& art, Random& random) {
    float half = 0;
    const Point at = find_mark(art, random, half);
    const float size = between(random, 0.035f, 0.10f);
    art.marks.push_back({.from = at, .to = at, .half = size, .rough = 0.35f * size});
}

/// A stretch that did not print: only specks of it are there.
void edit_fading(Art& art, Random& random) {
    float half = 0;
    const Point at = find_mark(art, random, half);
    const float reach = between(random, 0.06f, 0.14f);
    for (int i = 0; i < 60; ++i) {
        const float angle = between(random, 0, 2 * pi);
        const float r = reach * std::sqrt(between(random, 0, 1));
        const Point speck{at.x + r * std::cos(angle), at.y + r * std::sin(angle)};
        const float size = between(random, 0.005f, 0.014f);
        art.marks.push_back({.from = speck, .to = speck, .half = size, .ink = false, .rough = 0.3f * size});
    }
}

constexpr unsigned things = ~0u ^ lines;

constexpr std::array harms = {
    Harm{.kind = "scratch", .phrase = "a scratch", .stuff = things, .draw = draw_scratch},
    Harm{.kind = "crack", .phrase = "a crack", .stuff = things, .draw = draw_crack},
    Harm{.kind = "stain", .phrase = "a stain", .stuff = things, .draw = draw_stain},
    Harm{.kind = "pit", .phrase = "a pit", .stuff = things, .draw = draw_pit},
    Harm{.kind = "ink blot", .phrase = "an ink blot", .stuff = lines, .edit = edit_blot},
    Harm{.kind = "fading", .phrase = "fading", .stuff = lines, .edit = edit_fading},
};

}  // namespace

std::span<const Harm> held_out_harms() { return harms; }

}  // namespace ltad
