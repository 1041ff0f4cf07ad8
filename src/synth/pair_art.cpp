// Two-tone drawings of conductors.

#include "pair_art.h"

#include "grammar.h"

namespace ltad {

float distance_to(const Mark& mark, Point at) {
    const float dx = mark.to.x - mark.from.x;
    const float dy = mark.to.y - mark.from.y;
    const float square = dx * dx + dy * dy;
    const float x = at.x - mark.from.x;
    const float y = at.y - mark.from.y;
    if (mark.square) {
        const float along = std::sqrt(square);
        const Point unit = along > 0 ? Point{dx / along, dy / along} : Point{1, 0};
        const float u = std::abs(x * unit.x + y * unit.y - along / 2) - along / 2 - (along > 0 ? 0.0f : mark.half);
        const float v = std::abs(y * unit.x - x * unit.y) - mark.half;
        return std::max(u, v);
    }
    const float t = square > 0 ? std::clamp((x * dx + y * dy) / square, 0.0f, 1.0f) : 0.0f;
    return std::hypot(x - t * dx, y - t * dy) - mark.half;
}

void draw_art(Layer& layer, const Art& art, Rgb ground, Rgb ink, const Noise& noise) {
    std::vector<float>& cover = layer.parts();
    std::fill(cover.begin(), cover.end(), 0.0f);
    const float blur = 0.7f * layer.pixel();
    for (const Mark& mark : art.marks) {
        const Point middle{(mark.from.x + mark.to.x) / 2, (mark.from.y + mark.to.y) / 2};
        const float reach_x = std::abs(mark.to.x - mark.from.x) / 2 + 1.5f * mark.half + mark.rough + 2 * blur;
        const float reach_y = std::abs(mark.to.y - mark.from.y) / 2 + 1.5f * mark.half + mark.rough + 2 * blur;
        layer.paint_box(middle, {reach_x, reach_y}, [&](float x, float y, Rgb&, float& part) {
            float distance = distance_to(mark, {x, y});
            if (mark.rough > 0) distance += mark.rough * noise.fractal(x * 45, y * 45, 2);
            const float inked = inside(distance, blur);
            part = mark.ink ? std::max(part, inked) : std::min(part, 1 - inked);
        });
    }
    layer.paint([&](float, float, Rgb& colour, float& part) {
        colour = mix(ground, ink, part);
        part = 1;
    });
}

namespace {

/// The drawing turned by quarter turns or mirrored.
Art turned(Art art, Random& random) {
    const bool swap = random.chance(0.5);
    const bool flip_x = random.chance(0.5);
    const bool flip_y = random.chance(0.5);
    const auto turn = [&](Point p) {
        if (flip_x) p.x = 1 - p.x;
        if (flip_y) p.y = 1 - p.y;
        return swap ? Point{p.y, p.x} : p;
    };
    for (Mark& mark : art.marks) mark = {turn(mark.from), turn(mark.to), mark.half, mark.square, mark.ink, mark.rough};
    return art;
}

void add_via(Art& art, Point at, float outer, float bore) {
    art.marks.push_back({.from = at, .to = at, .half = outer});
    if (bore > 0) art.marks.push_back({.from = at, .to = at, .half = bore, .ink = false});
}

/// Parallel conductors that jog together, some of which end at pads; rows of pads in the gaps.
Art wiring_board(Random& random) {
    Art art;
    const float pitch = between(random, 0.05f, 0.10f);
    const float half = pitch * between(random, 0.21f, 0.30f);
    const bool bored = random.chance(0.6);
    std::vector<Point> bends = {{-0.2f, 0}};  // x, shift
    for (float x = between(random, 0.0f, 0.3f), shift = 0; x < 1.0f;) {
        const float way = random.chance(0.5) ? pitch : -pitch;
        const float jog = way * std::floor(between(random, 1, 4));
        bends.push_back({x, shift});
        shift += jog;
        x += std::abs(jog);
        bends.push_back({x, shift});
        x += between(random, 0.15f, 0.45f);
    }
    bends.push_back({1.2f, bends.back().y});
    const auto run = [&](float y, float from, float to) {
        for (std::size_t i = 0; i + 1 < bends.size(); ++i) {
            Point a = bends[i];
            Point b = bends[i + 1];
            if (b.x <= from || a.x >= to || b.x <= a.x) continue;
            const float slope = (b.y - a.y) / (b.x - a.x);
            if (a.x < from) a = {from, a.y + slope * (from - a.x)};
            if (b.x > to) b = {to, a.y + slope * (to - a.x)};
            art.marks.push_back({.from = {a.x, y + a.y}, .to = {b.x, y + b.y}, .half = half});
        }
    };
    const auto shift_at = [&](float x) {
        for (std::size_t i = 0; i + 1 < bends.size(); ++i)
            if (x <= bends[i + 1].x && bends[i + 1].x > bends[i].x)
                return std::lerp(bends[i].y, bends[i + 1].y, (x - bends[i].x) / (bends[i + 1].x - bends[i].x));
        return bends.back().y;
    };
    for (float y = -0.6f; y < 1.6f; y += pitch) {
        const double kind = random.uniform();
        const float x = between(random, 0.1f, 0.9f);
        const float pad = std::min(half * between(random, 1.6f, 2.2f), 0.8f * pitch - half);
        if (kind < 0.55) {
            run(y, -0.2f, 1.2f);
        } else if (kind < 0.85) {
            const float gap = between(random, 0.05f, 0.2f);
            run(y, -0.2f, x);
            add_via(art, {x, y + shift_at(x)}, pad, bored ? 0.5f * pad : 0);
            if (random.chance(0.6)) {
                run(y, x + gap + pad, 1.2f);
                add_via(art, {x + gap + pad, y + shift_at(x + gap + pad)}, pad, bored ? 0.5f * pad : 0);
            }
        } else {
            for (float at = -0.05f; at < 1.05f; at += 2.2f * pitch)
                art.marks.push_back({.from = {at, y + shift_at(at)},
                                     .to = {at, y + shift_at(at)},
                                     .half = pad,
                                     .square = random.chance(0.5)});
        }
    }
    return turned(art, random);
}

/// Straight conductors at right angles between vias on a lattice.
Art trace_pattern(Random& random) {
    Art art;
    const float pitch = between(random, 0.09f, 0.16f);
    const float half = pitch * between(random, 0.13f, 0.22f);
    const float pad = pitch * between(random, 0.26f, 0.36f);
    const int count = static_cast<int>(1.2f / pitch) + 1;
    const auto at = [&](int i, int j) {
        return Point{-0.05f + pitch * static_cast<float>(i), -0.05f + pitch * static_cast<float>(j)};
    };
    for (int j = 0; j < count; ++j)
        for (int i = 0; i < count; ++i) {
            const int reach = 1 + static_cast<int>(random.below(4));
            if (random.chance(0.45)) art.marks.push_back({.from = at(i, j), .to = at(i + reach, j), .half = half});
            if (random.chance(0.10)) art.marks.push_back({.from = at(i, j), .to = at(i + 1, j + 1), .half = half});
            if (random.chance(0.10)) art.marks.push_back({.from = at(i, j), .to = at(i, j + 1), .half = half});
        }
    for (int j = 0; j < count; ++j)
        for (int i = 0; i < count; ++i)
            if (random.chance(0.4)) add_via(art, at(i, j), pad, 0.45f * pad);
    return turned(art, random);
}

Art pad_array(Random& random) {
    Art art;
    const float pitch = between(random, 0.08f, 0.17f);
    const float pad = pitch * between(random, 0.24f, 0.36f);
    const float half = pitch * between(random, 0.13f, 0.18f);
    const bool square = random.chance(0.5);
    const bool bored = !square && random.chance(0.5);
    for (float y = -0.02f; y < 1.1f; y += pitch)
        for (float x = -0.02f; x < 1.1f; x += pitch) {
            if (random.chance(0.2)) art.marks.push_back({.from = {x, y}, .to = {x + pitch, y + pitch}, .half = half});
            art.marks.push_back({.from = {x, y}, .to = {x, y}, .half = pad, .square = square});
            if (bored) art.marks.push_back({.from = {x, y}, .to = {x, y}, .half = 0.5f * pad, .ink = false});
        }
    return turned(art, random);
}

/// Two combs whose fingers lie between each other.
Art comb_electrode(Random& random) {
    Art art;
    const float pitch = between(random, 0.06f, 0.12f);
    const float half = pitch * between(random, 0.20f, 0.30f);
    const float margin = between(random, 0.06f, 0.14f);
    art.marks.push_back({.from = {-0.1f, margin}, .to = {1.1f, margin}, .half = 0.6f * pitch, .square = true});
    art.marks.push_back({.from = {-0.1f, 1 - margin}, .to = {1.1f, 1 - margin}, .half = 0.6f * pitch, .square = true});
    bool up = true;
    for (float x = between(random, -0.05f, 0.0f); x < 1.1f; x += pitch, up = !up)
        art.marks.push_back({.from = {x, up ? margin : 1 - margin},
                             .to = {x, up ? 1 - margin - 1.4f * pitch : margin + 1.4f * pitch},
                             .half = half});
    return turned(art, random);
}

/// A square spiral with a pad in its middle.
Art flat_coil(Random& random) {
    Art art;
    const float pitch = between(random, 0.06f, 0.11f);
    const float half = pitch * between(random, 0.20f, 0.30f);
    const Point middle{between(random, 0.4f, 0.6f), between(random, 0.4f, 0.6f)};
    Point at = middle;
    Point step{1, 0};
    for (int side = 1; static_cast<float>(side) * pitch < 2.2f; ++side) {
        const float run = pitch * static_cast<float>((side + 1) / 2);
        const Point next{at.x + run * step.x, at.y + run * step.y};
        art.marks.push_back({.from = at, .to = next, .half = half});
        at = next;
        step = {-step.y, step.x};
    }
    add_via(art, middle, 0.42f * pitch, 0.18f * pitch);
    return turned(art, random);
}

constexpr std::array drawings_of_pairs = {
    Subject{.name = "printed wiring board", .stuff = lines, .layout = wiring_board},
    Subject{.name = "copper trace pattern", .stuff = lines, .layout = trace_pattern},
    Subject{.name = "pad array", .stuff = lines, .layout = pad_array},
    Subject{.name = "comb electrode", .stuff = lines, .layout = comb_electrode},
    Subject{.name = "flat coil", .stuff = lines, .layout = flat_coil},
};

/// A place on a conductor within the picture.
struct OnConductor {
    std::size_t mark = 0;
    Point at;
    Point along;
    float half = 0;
};

OnConductor find_conductor(const Art& art, Random& random, bool line) {
    OnConductor found;
    for (int attempt = 0; attempt < 300; ++attempt) {
        found.mark = static_cast<std::size_t>(random.below(art.marks.size()));
        const Mark& mark = art.marks[found.mark];
        const float t = between(random, 0.15f, 0.85f);
        const float dx = mark.to.x - mark.from.x;
        const float dy = mark.to.y - mark.from.y;
        const float along = std::hypot(dx, dy);
        found.at = {mark.from.x + t * dx, mark.from.y + t * dy};
        found.along = along > 0 ? Point{dx / along, dy / along} : Point{1, 0};
        found.half = mark.half;
        const bool visible = std::min(found.at.x, found.at.y) > 0.06f && std::max(found.at.x, found.at.y) < 0.94f;
        if (mark.ink && visible && (!line || along > 3 * mark.half)) break;
    }
    return found;
}

/// A conductor that is interrupted.
void edit_open(Art& art, Random& random) {
    const OnConductor c = find_conductor(art, random, true);
    const float gap = c.half * between(random, 0.8f, 2.5f);
    art.marks.push_back({.from = {c.at.x - c.along.y * c.half, c.at.y + c.along.x * c.half},
                         .to = {c.at.x + c.along.y * c.half, c.at.y - c.along.x * c.half},
                         .half = gap,
                         .ink = false,
                         .rough = 0.35f * gap});
}

/// Ink between a conductor and its nearest neighbour.
void edit_short(Art& art, Random& random) {
    OnConductor c;
    Point across{};
    float best = 0;
    for (int attempt = 0; attempt < 20 && best == 0; ++attempt) {
        c = find_conductor(art, random, attempt < 15);
        const float side = random.chance(0.5) ? 1.0f : -1.0f;
        across = {-c.along.y * side, c.along.x * side};
        for (float reach = 1.3f * c.half; reach < 0.16f && best == 0; reach += 0.006f)
            for (std::size_t i = 0; i < art.marks.size(); ++i)
                if (i != c.mark && art.marks[i].ink && reach > 1.8f * c.half &&
                    distance_to(art.marks[i], {c.at.x + reach * across.x, c.at.y + reach * across.y}) < 0)
                    best = reach;
    }
    if (best == 0) best = 4 * c.half;
    const float half = c.half * between(random, 0.5f, 1.4f);
    art.marks.push_back(
        {.from = c.at, .to = {c.at.x + best * across.x, c.at.y + best * across.y}, .half = half, .rough = 0.4f * half});
}

/// Ink that sticks out of a conductor, or a bite out of it.
void edit_edge(Art& art, Random& random, bool ink) {
    const OnConductor c = find_conductor(art, random, true);
    const float side = random.chance(0.5) ? 1.0f : -1.0f;
    const auto off = [&](float d) { return Point{c.at.x - side * d * c.along.y, c.at.y + side * d * c.along.x}; };
    const float half = c.half * (ink ? between(random, 0.5f, 1.0f) : between(random, 0.8f, 1.2f));
    if (ink)
        art.marks.push_back(
            {.from = off(c.half), .to = off(c.half * between(random, 1.7f, 2.6f)), .half = half, .rough = 0.4f * half});
    else
        art.marks.push_back({.from = off(c.half), .to = off(c.half), .half = half, .ink = false, .rough = 0.3f * half});
}

void edit_spur(Art& art, Random& random) { edit_edge(art, random, true); }
void edit_bite(Art& art, Random& random) { edit_edge(art, random, false); }

void edit_pinhole(Art& art, Random& random) {
    const OnConductor c = find_conductor(art, random, false);
    const float half = c.half * between(random, 0.6f, 0.8f);
    art.marks.push_back({.from = c.at, .to = c.at, .half = half, .ink = false, .rough = 0.2f * half});
}

/// A blot of ink on the ground.
void edit_island(Art& art, Random& random) {
    const float half = between(random, 0.015f, 0.05f);
    Point at;
    float best = -1;
    for (int attempt = 0; attempt < 40 && best < 1.2f * half; ++attempt) {
        const Point here{between(random, 0.08f, 0.92f), between(random, 0.08f, 0.92f)};
        float clear = 1;
        for (const Mark& mark : art.marks)
            if (mark.ink) clear = std::min(clear, distance_to(mark, here));
        if (clear > best) {
            best = clear;
            at = here;
        }
    }
    const Point to{at.x + between(random, -half, half), at.y + between(random, -half, half)};
    art.marks.push_back({.from = at, .to = to, .half = half, .rough = 0.5f * half});
}

constexpr std::array harms_of_drawings = {
    Harm{.kind = "open trace", .phrase = "an open trace", .stuff = lines, .edit = edit_open},
    Harm{.kind = "short", .phrase = "a short", .stuff = lines, .edit = edit_short},
    Harm{.kind = "spur", .phrase = "a spur", .stuff = lines, .edit = edit_spur},
    Harm{.kind = "mouse bite", .phrase = "a mouse bite", .stuff = lines, .edit = edit_bite},
    Harm{.kind = "pinhole", .phrase = "a pinhole", .stuff = lines, .edit = edit_pinhole},
    Harm{.kind = "spurious copper", .phrase = "spurious copper", .stuff = lines, .edit = edit_island},
};

}  // namespace

std::span<const Subject> training_drawings() { return drawings_of_pairs; }
std::span<const Harm> training_drawing_harms() { return harms_of_drawings; }

}  // namespace ltad
