// Surfaces of the training pairs: cloth, foam, fibres and what is printed on them.

#include <array>

#include "grammar.h"

namespace ltad {
namespace {

/// Columns of V-shaped stitches.
void draw_knit(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, 0.5f);
    const Noise& n = b.noise;
    const float tall = between(random, 1.1f, 1.5f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale + 0.12f * n.smooth(p.x * 6, p.y * 6);
        const float a = std::abs(fraction(u) - 0.5f);
        const float v = p.y * b.grain.scale * tall + 1.3f * a + 0.12f * n.smooth(p.x * 7 + 50, p.y * 7);
        const float f = fraction(v) - 0.5f;
        const float yarn = std::sqrt(std::max(0.0f, 1 - 4 * f * f));
        const float legs = smooth_step(0.0f, 0.07f, a) * (1 - smooth_step(0.42f, 0.5f, a));
        const float fuzz = n.smooth(p.x * 110, p.y * 110);
        colour = b.tint.main * (0.35f + 0.65f * yarn * (0.45f + 0.55f * legs) + b.grain.contrast * fuzz);
    });
}

/// Short tufts that lean one way here and another there. Detail: how long they are.
void draw_pile(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float lean = 0.5f * n.smooth(p.x * 5, p.y * 5);
        const float s = b.grain.scale;
        const float u = p.x + lean * 0.15f;
        const float v = p.y / b.grain.detail;
        const float tuft = 0.6f * n.smooth(u * s, v * s) + 0.4f * n.smooth(u * s * 1.9f + 30, v * s * 1.9f);
        const float lie = 0.10f * n.fractal(p.x * 4, p.y * 4, 2);
        colour = mix(b.tint.main, b.tint.second, 0.3f + 0.3f * tuft) * (0.9f + b.grain.contrast * tuft + lie);
    });
}

/// Long fibres that lie every way: mats. Detail: how much lighter or darker they are than the ground.
void draw_fibres(Layer& layer, const Brush& b, Random& random) {
    const Noise& n = b.noise;
    std::array<Placement, 4> layers = {look(random, pi), look(random, pi), look(random, pi), look(random, pi)};
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        float top = 0;
        float shade = 0;
        float shift = 0;
        for (const Placement& place : layers) {
            const Point p = place(x, y);
            const float ridge =
                1 - std::abs(n.smooth(p.x * b.grain.scale * 0.08f + shift, p.y * b.grain.scale + shift));
            const float line = smooth_step(0.75f, 0.98f, ridge);
            if (line > top) shade = shift * 0.02f;
            top = std::max(top, line);
            shift += 21;
        }
        const float light = 0.85f + b.grain.contrast * (top - 0.5f) + shade * 0.1f;
        colour = mix(b.tint.main * light, b.tint.second, b.grain.detail * top);
    });
}

/// A net of wires, over and under each other, above a dark ground. Detail: how thick.
void draw_mesh(Layer& layer, const Brush& b, Random& random) {
    const float turn = b.grain.scale < 20 ? 0.25f * pi : 0.0f;
    const Placement place{turn + between(random, -0.12f, 0.12f), between(random, 0.8f, 1.3f), {0, 0}};
    const Noise& n = b.noise;
    const float half = b.grain.detail * between(random, 0.8f, 1.2f);
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale + 0.04f * n.smooth(p.x * 8, p.y * 8);
        const float v = p.y * b.grain.scale + 0.04f * n.smooth(p.x * 8 + 40, p.y * 8);
        const float a = (fraction(u) - 0.5f) / half;
        const float c = (fraction(v) - 0.5f) / half;
        const bool over = ((static_cast<int>(std::floor(u)) + static_cast<int>(std::floor(v))) & 1) == 0;
        const float blur = b.grain.scale * layer.pixel() / half;
        const float first = inside(std::abs(over ? a : c) - 1, blur);
        const float other = inside(std::abs(over ? c : a) - 1, blur);
        const auto wire = [&](float t) { return 0.55f + 0.45f * std::sqrt(std::max(0.0f, 1 - t * t)) + 0.2f * t; };
        colour = b.tint.second * (1 + 0.2f * n.smooth(x * 6, y * 6));
        colour = mix(colour, b.tint.main * (0.85f * wire(over ? c : a)), other);
        colour = mix(colour, b.tint.main * wire(over ? a : c), first);
    });
}

/// A printed pattern, with the cloth's threads faintly under it.
template <typename Pattern>
void print(Layer& layer, const Brush& b, Random& random, float turn, Pattern pattern) {
    const Placement place = look(random, turn);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float threads =
            0.06f * std::sin(p.x * 420) * std::sin(p.y * 420) + 0.05f * n.smooth(p.x * 100, p.y * 100);
        const float drape = 0.08f * n.smooth(p.x * 2.5f, p.y * 2.5f);
        colour = mix(b.tint.main, b.tint.second, pattern(p.x * b.grain.scale, p.y * b.grain.scale)) *
                 (0.95f + threads + drape);
    });
}

void draw_dots(Layer& layer, const Brush& b, Random& random) {
    const float radius = between(random, 0.22f, 0.36f);
    const float blur = b.grain.scale * layer.pixel();
    print(layer, b, random, pi, [=](float u, float v) {
        const float shift = (static_cast<int>(std::floor(v)) & 1) != 0 ? 0.5f : 0.0f;
        return inside(std::hypot(fraction(u + shift) - 0.5f, fraction(v) - 0.5f) - radius, blur);
    });
}

void draw_checks(Layer& layer, const Brush& b, Random& random) {
    const bool gingham = random.chance(0.5);
    const float blur = b.grain.scale * layer.pixel();
    print(layer, b, random, 0.6f, [=](float u, float v) {
        const float a = inside(std::abs(fraction(u) - 0.5f) - 0.25f, blur);
        const float c = inside(std::abs(fraction(v) - 0.5f) - 0.25f, blur);
        return gingham ? 0.5f * (a + c) : a + c - 2 * a * c;
    });
}

void draw_tartan(Layer& layer, const Brush& b, Random& random) {
    const float wide = between(random, 0.14f, 0.28f);
    const float thin = between(random, 0.02f, 0.05f);
    const float blur = b.grain.scale * layer.pixel();
    const auto bands = [=](float t) {
        const float f = std::abs(fraction(t) - 0.5f);
        return std::max(0.55f * inside(f - wide, blur), inside(std::abs(f - 0.40f) - thin, blur));
    };
    print(layer, b, random, 0.4f, [=](float u, float v) { return 0.5f * (bands(u) + bands(v)); });
}

/// Patches of several shades: camouflage.
void draw_patches(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    const Rgb third = mix(b.tint.main, b.tint.second, 0.5f) * 0.55f;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float s = b.grain.scale;
        const float one = n.fractal(p.x * s, p.y * s * 1.4f, 3);
        const float two = n.fractal(p.x * s + 60, p.y * s * 1.4f + 20, 3);
        const float blur = 0.04f;
        colour = mix(b.tint.main, b.tint.second, smooth_step(0.05f - blur, 0.05f + blur, one));
        colour = mix(colour, third, smooth_step(0.12f - blur, 0.12f + blur, two));
        colour = colour * (0.97f + 0.08f * n.smooth(p.x * 110, p.y * 110));
    });
}

/// Padded diamonds between seams. Detail: gloss.
void draw_quilt(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float u = p.x * b.grain.scale + 0.05f * n.smooth(p.x * 7, p.y * 7);
        const float v = p.y * b.grain.scale;
        const float a = 2 * fraction(u) - 1;
        const float c = 2 * fraction(v) - 1;
        const float a3 = a * a * a;
        const float c3 = c * c * c;
        const float slope = a3 * (1 - c * c) * b.light.x + c3 * (1 - a * a) * b.light.y;
        const float seam = std::max(smooth_step(0.90f, 1.0f, std::abs(a)), smooth_step(0.90f, 1.0f, std::abs(c)));
        const float wrinkle = 0.10f * n.smooth(u * 5, v * 5) * std::max(std::abs(a3), std::abs(c3));
        const float light =
            0.85f + b.grain.contrast * slope - 0.35f * seam + wrinkle + 0.03f * n.smooth(x * 90, y * 90);
        colour = mix(b.tint.main * light, {1, 1, 1}, b.grain.detail * smooth_step(0.2f, 0.5f, slope));
    });
}

/// Open bubbles of many sizes: sponge, bread. Detail: how deep they look.
void draw_pores(Layer& layer, const Brush& b, Random& random) {
    const Placement place = look(random, pi);
    const Noise& n = b.noise;
    layer.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float wobble = 0.3f * n.smooth(p.x * b.grain.scale * 2, p.y * b.grain.scale * 2);
        const Noise::Cell cell = n.cell(p.x * b.grain.scale + wobble, p.y * b.grain.scale);
        const float radius = 0.12f + 0.38f * cell.shade;
        const float open = 1 - smooth_step(0.75f * radius, radius, cell.nearest);
        const float slope = (cell.dx * b.light.x + cell.dy * b.light.y) / radius;
        const float light =
            1 + b.grain.contrast * n.smooth(p.x * 70, p.y * 70) - b.grain.detail * open * (0.7f + 0.3f * slope);
        colour = mix(b.tint.main, b.tint.second, 0.5f * open) * light;
    });
}

constexpr Rgb grey{0.5f, 0.5f, 0.5f};
constexpr Rgb white{0.93f, 0.93f, 0.91f};
constexpr Palette own = Palette::own;
constexpr Palette dyes = Palette::dyes;

constexpr std::array surfaces_of_pairs = {
    Subject{"knitted scarf", cloth, dyes, {}, {13, 0.08f, 0}, draw_knit},
    Subject{"wool sweater", cloth, dyes, {}, {19, 0.14f, 0}, draw_knit},
    Subject{"jersey cloth", cloth, dyes, {}, {30, 0.06f, 0}, draw_knit},
    Subject{"carpet", cloth, dyes, {{}, grey}, {60, 0.28f, 1.3f}, draw_pile},
    Subject{"towel", cloth, dyes, {{}, white}, {45, 0.22f, 1.6f}, draw_pile},
    Subject{"velvet cloth", cloth, dyes, {{}, grey}, {90, 0.09f, 1.5f}, draw_pile},
    Subject{"fur rug", cloth, own, {{0.62f, 0.50f, 0.38f}, {0.25f, 0.18f, 0.12f}}, {70, 0.35f, 7}, draw_pile},
    Subject{"lawn", cloth, own, {{0.28f, 0.46f, 0.16f}, {0.62f, 0.70f, 0.32f}}, {60, 0.45f, 3}, draw_pile},
    Subject{"fibreboard", paper, own, {{0.60f, 0.46f, 0.32f}, {0.78f, 0.64f, 0.46f}}, {60, 0.20f, 0.4f}, draw_fibres},
    Subject{
        "fibreglass mat", cloth, own, {{0.70f, 0.74f, 0.70f}, {0.94f, 0.96f, 0.94f}}, {50, 0.25f, 0.7f}, draw_fibres},
    Subject{"paper towel", paper, own, {{0.84f, 0.83f, 0.80f}, white}, {80, 0.12f, 0.5f}, draw_fibres},
    Subject{"straw mat", paper, own, {{0.70f, 0.56f, 0.28f}, {0.90f, 0.78f, 0.46f}}, {30, 0.35f, 0.7f}, draw_fibres},
    Subject{"wire fence", metal, own, {{0.70f, 0.72f, 0.74f}, {0.22f, 0.27f, 0.18f}}, {9, 0, 0.10f}, draw_mesh},
    Subject{"window screen", metal, own, {{0.56f, 0.57f, 0.58f}, {0.10f, 0.10f, 0.12f}}, {30, 0, 0.16f}, draw_mesh},
    Subject{"fishing net", cloth, own, {{0.24f, 0.52f, 0.44f}, {0.80f, 0.80f, 0.76f}}, {11, 0, 0.08f}, draw_mesh},
    Subject{"polka dot cloth", cloth, dyes, {{}, white}, {9, 0, 0}, draw_dots},
    Subject{"chequered cloth", cloth, dyes, {{}, white}, {7, 0, 0}, draw_checks},
    Subject{"tartan blanket", cloth, dyes, {{}, {0.12f, 0.16f, 0.20f}}, {4, 0, 0}, draw_tartan},
    Subject{"camouflage cloth", cloth, own, {{0.36f, 0.40f, 0.24f}, {0.62f, 0.54f, 0.38f}}, {5, 0, 0}, draw_patches},
    Subject{"cow hide", cloth, own, {{0.90f, 0.88f, 0.84f}, {0.16f, 0.11f, 0.09f}}, {2.5f, 0, 0}, draw_patches},
    Subject{"quilted jacket", cloth, dyes, {}, {5, 0.55f, 0.35f}, draw_quilt},
    Subject{"mattress", cloth, own, {white, {}}, {4, 0.40f, 0.05f}, draw_quilt},
    Subject{"sponge", rubber, dyes, {{}, {0.2f, 0.15f, 0.05f}}, {15, 0.10f, 0.65f}, draw_pores},
    Subject{"foam block", rubber, Palette::dull, {{}, {0.2f, 0.2f, 0.2f}}, {40, 0.10f, 0.45f}, draw_pores},
    Subject{"pumice stone", stone, own, {{0.66f, 0.64f, 0.62f}, {0.20f, 0.20f, 0.20f}}, {22, 0.15f, 0.60f}, draw_pores},
    Subject{
        "slice of bread", paper, own, {{0.90f, 0.80f, 0.62f}, {0.70f, 0.54f, 0.34f}}, {18, 0.06f, 0.25f}, draw_pores},
};

}  // namespace

std::span<const Subject> training_soft_surfaces() { return surfaces_of_pairs; }

}  // namespace ltad
