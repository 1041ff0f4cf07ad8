#include <array>
#include <numbers>
#include <vector>

#include "ltad/synth/field.h"
#include "ltad/synth/products.h"

namespace ltad {
namespace {

constexpr float pi = std::numbers::pi_v<float>;

float draw_between(Random& random, double low, double high) { return static_cast<float>(random.uniform(low, high)); }

/// A thing lies near the middle, turned by up to `largest_angle`.
Placement put_down(Random& random, double largest_angle) {
    const float angle = draw_between(random, -largest_angle, largest_angle);
    return {angle,
            draw_between(random, 0.97, 1.03),
            {draw_between(random, -0.02, 0.02), draw_between(random, -0.02, 0.02)}};
}

/// 1 inside a shape, 0 outside; `distance` to its edge is negative inside.
float inside(float distance, float blur) { return 1 - smooth_step(-blur, blur, distance); }

/// Signed distance to a rectangle around the origin.
float rectangle(Point p, float half_width, float half_height) {
    const float dx = std::abs(p.x) - half_width;
    const float dy = std::abs(p.y) - half_height;
    return std::hypot(std::max(dx, 0.0f), std::max(dy, 0.0f)) + std::min(std::max(dx, dy), 0.0f);
}

float distance_to_segment(Point p, Point a, Point b) {
    const float dx = b.x - a.x;
    const float dy = b.y - a.y;
    const float length = dx * dx + dy * dy;
    const float t = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0f, 1.0f) : 0.0f;
    return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

void draw_washer(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = put_down(random, pi);
    const Field metal(random.next_u64());
    const float outer = draw_between(random, 0.34, 0.35);
    const float inner = draw_between(random, 0.15, 0.16);
    const float blur = canvas.pixel();
    // Whatever spot is asked for, the bite is taken out of the rim.
    Point bite;
    if (fault != nullptr) {
        const Point p = place(fault->at.x, fault->at.y);
        const float radius = std::max(std::hypot(p.x, p.y), 1e-3f);
        bite = {p.x * outer / radius, p.y * outer / radius};
    }
    canvas.paint([&](float x, float y, Rgb& colour, float& part) {
        const Point p = place(x, y);
        const float radius = std::hypot(p.x, p.y);
        const float angle = std::atan2(p.y, p.x);
        part = inside(std::max(radius - outer, inner - radius), blur);
        const float bevel = smooth_step(outer - 0.03f, outer, radius) + 1 - smooth_step(inner, inner + 0.025f, radius);
        const float turning = 0.05f * metal.smooth(radius * 160, 5) + 0.10f * std::cos(2 * angle + 0.7f);
        const Rgb steel =
            Rgb{0.74f, 0.76f, 0.78f} * (0.92f + turning - 0.22f * bevel + 0.04f * metal.smooth(x * 70, y * 70));
        const Rgb belt = Rgb{0.16f, 0.17f, 0.19f} * (1 + 0.25f * metal.fractal(x * 30, y * 30, 3));
        float steel_here = part;
        if (fault != nullptr) {
            const float gap = std::hypot(p.x - bite.x, p.y - bite.y) - 0.9f * fault->reach;
            steel_here *= 1 - inside(gap + 0.01f * metal.fractal(p.x * 40, p.y * 40, 2), blur);
        }
        colour = mix(belt, steel, steel_here);
    });
}

void draw_tablet(Canvas& canvas, Random& random, const Spot* fault) {
    const Placement place = put_down(random, 0.12);
    const Field powder(random.next_u64());
    const float tone = draw_between(random, 0.96, 1.02);
    const float blur = canvas.pixel();
    // The imprint: a score line, and two strokes on either side of it.
    const std::array<std::array<Point, 2>, 5> strokes = {{{{{0, -0.30f}, {0, 0.30f}}},
                                                          {{{-0.20f, -0.10f}, {-0.10f, 0.10f}}},
                                                          {{{-0.10f, -0.10f}, {-0.20f, 0.10f}}},
                                                          {{{0.10f, -0.10f}, {0.10f, 0.10f}}},
                                                          {{{0.10f, 0.10f}, {0.21f, 0.10f}}}}};
    canvas.paint([&](float x, float y, Rgb& colour, float& part) {
        const Point p = place(x, y);
        const float radius = std::hypot(p.x, p.y);
        part = inside(radius - 0.38f, blur);
        const float dome = 1 - 0.30f * smooth_step(0.26f, 0.39f, radius) - 0.10f * (p.x + p.y);
        float depth = 0;
        for (const auto& stroke : strokes)
            depth = std::max(depth, inside(distance_to_segment(p, stroke[0], stroke[1]) - 0.012f, 0.008f));
        if (fault != nullptr) {  // the stamp did not come down everywhere
            const Point middle = place(fault->at.x, fault->at.y);
            depth *=
                1 - fault->strength * inside(std::hypot(p.x - middle.x, p.y - middle.y) - 1.6f * fault->reach, 0.02f);
        }
        const float light = (dome + 0.035f * powder.fractal(p.x * 60, p.y * 60, 3) - 0.30f * depth) * tone;
        const Rgb belt = Rgb{0.20f, 0.32f, 0.42f} * (1 + 0.08f * powder.fractal(x * 20, y * 20, 2));
        colour = mix(belt, Rgb{0.90f, 0.89f, 0.86f} * light, part);
    });
}

/// The bars of the printed label: rectangles, the same on every specimen.
struct Bar {
    Point middle;
    float half_width, half_height;
};

std::vector<Bar> label_layout() {
    Random random(RandomUse::synth, {random_key("label layout")});
    std::vector<Bar> bars;
    for (int line = 0; line < 5; ++line) {  // words of text
        const float y = -0.24f + 0.07f * static_cast<float>(line);
        for (float x = -0.36f; x < 0.26f;) {
            const float width = draw_between(random, 0.03, 0.11);
            bars.push_back({{x + width / 2, y}, width / 2, line == 0 ? 0.022f : 0.013f});
            x += width + 0.02f;
        }
    }
    for (float x = -0.34f; x < 0.34f;) {  // a bar code
        const float width = draw_between(random, 0.005, 0.018);
        bars.push_back({{x, 0.21f}, width / 2, 0.07f});
        x += width + draw_between(random, 0.008, 0.016);
    }
    return bars;
}

void draw_label(Canvas& canvas, Random& random, const Spot* fault) {
    static const std::vector<Bar> bars = label_layout();
    const Placement place = put_down(random, 0.03);
    const Field paper(random.next_u64());
    const float ink = draw_between(random, 0.85, 1.0);
    const float blur = canvas.pixel();
    canvas.paint([&](float x, float y, Rgb& colour, float& part) {
        const Point p = place(x, y);
        part = inside(rectangle(p, 0.44f, 0.34f), blur);
        float black = 0;
        for (const Bar& bar : bars)
            black = std::max(
                black,
                inside(rectangle({p.x - bar.middle.x, p.y - bar.middle.y}, bar.half_width, bar.half_height), blur));
        if (fault != nullptr) {  // the ribbon had a fold: nothing printed here
            const Point middle = place(fault->at.x, fault->at.y);
            const float fold = rectangle({p.x - middle.x, p.y - middle.y}, 1.6f * fault->reach, 0.7f * fault->reach);
            black *= 1 - fault->strength * inside(fold, 2 * blur);
        }
        const Rgb sheet = Rgb{0.93f, 0.92f, 0.88f} * (1 + 0.03f * paper.fractal(p.x * 50, p.y * 50, 3));
        const Rgb carton = Rgb{0.60f, 0.47f, 0.33f} * (1 + 0.14f * paper.fractal(x * 7, y * 120, 3));
        colour = mix(carton, mix(sheet, {0.10f, 0.10f, 0.14f}, ink * black), part);
    });
}

/// Traces and pads of the circuit board, the same on every specimen.
struct Circuit {
    std::vector<std::array<Point, 2>> traces;
    std::vector<Point> pads;
};

Circuit circuit_layout() {
    Random random(RandomUse::synth, {random_key("circuit layout")});
    Circuit circuit;
    constexpr float pitch = 0.09f;
    for (int row = -4; row <= 4; ++row) {
        // A track with one 45° step between two pads.
        const float y = pitch * static_cast<float>(row);
        const float step = row % 2 == 0 ? 0.0f : pitch / 2;
        const float bend = draw_between(random, -0.25, 0.2);
        const Point left{-0.40f, y}, before{bend, y}, after{bend + step, y + step}, right{0.40f, y + step};
        circuit.traces.push_back({left, before});
        circuit.traces.push_back({before, after});
        circuit.traces.push_back({after, right});
        circuit.pads.push_back(left);
        circuit.pads.push_back(right);
        if (random.chance(0.5)) circuit.pads.push_back({draw_between(random, -0.35, -0.27), y});
    }
    return circuit;
}

void draw_circuit(Canvas& canvas, Random& random, const Spot* fault) {
    static const Circuit circuit = circuit_layout();
    const Placement place = put_down(random, 0.02);
    const Field board(random.next_u64());
    const float etching = draw_between(random, 0.0135, 0.0155);  // half a trace's width
    const float blur = canvas.pixel();
    canvas.paint([&](float x, float y, Rgb& colour, float&) {
        const Point p = place(x, y);
        const float ragged = 0.002f * board.fractal(p.x * 80, p.y * 80, 2);
        float copper = 0;
        for (const auto& trace : circuit.traces)
            copper = std::max(copper, inside(distance_to_segment(p, trace[0], trace[1]) - etching + ragged, blur));
        float drill = 0;
        for (const Point pad : circuit.pads) {
            const float distance = std::hypot(p.x - pad.x, p.y - pad.y);
            copper = std::max(copper, inside(distance - 0.032f, blur));
            drill = std::max(drill, inside(distance - 0.013f, blur));
        }
        if (fault != nullptr) {  // etched away: an open trace or a missing pad
            const Point middle = place(fault->at.x, fault->at.y);
            const float eaten = std::hypot(p.x - middle.x, p.y - middle.y) - 0.7f * fault->reach;
            copper *= 1 - inside(eaten + 4 * ragged, 2 * blur);
        }
        const Rgb laminate = Rgb{0.10f, 0.34f, 0.20f} * (1 + 0.10f * board.fractal(x * 60, y * 60, 2));
        const Rgb metal = Rgb{0.84f, 0.62f, 0.34f} * (1 + 0.08f * board.fractal(p.x * 25, p.y * 25, 2));
        colour = mix(mix(laminate, metal, copper), {0.05f, 0.06f, 0.06f}, drill * copper);
    });
}

constexpr std::array<Product, 4> all = {{{"washer", "missing", draw_washer},
                                         {"tablet", "misprint", draw_tablet},
                                         {"label", "misprint", draw_label},
                                         {"circuit", "missing", draw_circuit}}};

}  // namespace

std::span<const Product> things() { return all; }

}  // namespace ltad
