#include "ltad/synth/pairs.h"

#include "grammar.h"
#include "ltad/core/error.h"
#include "pair_camera.h"
#include "shapes.h"

namespace ltad {
namespace {

struct Catalogue {
    std::vector<Subject> subjects;
    std::vector<Harm> harms;
};

Catalogue make_catalogue(PairSide side) {
    Catalogue all;
    const auto add = [](auto& list, const auto& items) { list.insert(list.end(), items.begin(), items.end()); };
    if (side == PairSide::held_out) {
        add(all.subjects, held_out_subjects());
        add(all.harms, held_out_harms());
        return all;
    }
    add(all.subjects, training_hard_surfaces());
    add(all.subjects, training_soft_surfaces());
    add(all.subjects, training_objects());
    add(all.subjects, training_drawings());
    add(all.harms, training_shape_harms());
    add(all.harms, training_surface_harms());
    add(all.harms, training_drawing_harms());
    return all;
}

const Catalogue& catalogue(PairSide side) {
    static const Catalogue training = make_catalogue(PairSide::training);
    static const Catalogue held_out = make_catalogue(PairSide::held_out);
    return side == PairSide::training ? training : held_out;
}

const Subject& subject_of(PairSide side, std::size_t index) {
    const auto& all = catalogue(side).subjects;
    if (index >= all.size()) fail("synth: there is no subject ", index, " of captioned pictures, only ", all.size());
    return all[index];
}

/// Everything that an object of this kind may be made of.
unsigned stuff_of(const Subject& subject) { return subject.stuff != 0 ? subject.stuff : subject.finishes; }

bool can_befall(const Harm& harm, const Subject& subject, unsigned stuff) {
    if ((subject.layout != nullptr) != (harm.edit != nullptr)) return false;
    return (harm.stuff & stuff) != 0 && (!harm.objects_only || subject.form != nullptr);
}

/// A subject with everything about it chosen.
struct Specimen {
    const Subject& subject;
    const Finish* finish = nullptr;  ///< of objects
    std::string name;                ///< "red plastic disc"
    Tint tint;
    Rgb other;  ///< an object's second colour
    unsigned stuff = 0;
    bool grey = false;
};

Specimen choose(const Subject& subject, const Harm* harm, Random& random) {
    Specimen s{.subject = subject,
               .name = {},
               .tint = subject.own,
               .other = {},
               .stuff = subject.stuff,
               .grey = random.chance(0.3)};
    Palette palette = subject.palette;
    std::string_view material;
    if (subject.form != nullptr) {
        // The same first choice whatever the defect; the next finish that it can befall.
        const auto all = finishes();
        const auto fits = [&](const Finish& finish) {
            return (finish.stuff & subject.finishes) != 0 &&
                   (harm == nullptr || subject.stuff != 0 || (finish.stuff & harm->stuff) != 0);
        };
        std::size_t i;
        do i = static_cast<std::size_t>(random.below(all.size()));
        while ((all[i].stuff & subject.finishes) == 0);
        while (!fits(all[i])) i = (i + 1) % all.size();
        s.finish = &all[i];
        const bool natural = brightness(subject.own.main) > 0;  // rather than the finish's own colours
        if (subject.stuff == 0) s.stuff = s.finish->stuff;
        if (!natural && palette == Palette::own) {
            s.tint = s.finish->own;
            palette = s.finish->palette;
            if (random.chance(0.5)) material = s.finish->name;
        }
    }
    std::string_view colour;
    const bool named = random.chance(0.55) && !s.grey;
    if (palette != Palette::own) {
        const NamedColour chosen = draw_colour(palette, random);
        s.tint.main = chosen.rgb;
        if (brightness(s.tint.second) == 0) s.tint.second = draw_colour(palette, random).rgb;
        if (named) colour = chosen.name;
        // Patterns need two colours that can be told apart.
        if (std::abs(brightness(s.tint.second) - brightness(s.tint.main)) < 0.15f)
            s.tint.second = brightness(s.tint.main) > 0.5f ? s.tint.main * 0.4f : mix(s.tint.main, {1, 1, 1}, 0.6f);
    } else {
        s.tint.main = s.tint.main * between(random, 0.88f, 1.1f);
    }
    if (subject.form != nullptr && brightness(subject.own.main) > 0) s.tint.second = s.tint.main * 0.85f;
    s.other = subject.own.second.g > 0 ? subject.own.second : draw_colour(Palette::dyes, random).rgb;
    for (const std::string_view word : {colour, material})
        if (!word.empty()) s.name += text(word, " ");
    s.name += subject.name;
    return s;
}

/// What lies under an object, or shows through the holes of a surface.
Layer draw_background(int size, const Specimen& s, const Noise& noise, Random& random) {
    Layer back(size);
    Rgb base = random.chance(0.5) ? draw_colour(Palette::dull, random).rgb : draw_colour(Palette::dyes, random).rgb;
    const float own = brightness(s.tint.main);
    if (std::abs(brightness(base) - own) < 0.25f)
        base = own > 0.45f ? base * 0.25f : mix(base, {0.95f, 0.95f, 0.94f}, 0.75f);
    const float fine = between(random, 20, 90);
    const float strength = between(random, 0.01f, 0.10f);
    const float turn = between(random, 0, 2 * pi);
    const float fall = between(random, 0.0f, 0.35f);
    back.paint([&](float x, float y, Rgb& colour, float&) {
        const float slope = fall * ((x - 0.5f) * std::cos(turn) + (y - 0.5f) * std::sin(turn));
        colour = base * (1 + slope + strength * noise.smooth(x * fine, y * fine) + 0.05f * noise.smooth(x * 3, y * 3));
    });
    return back;
}

/// Cuts an object's outline out of a sheet of its material and shades its relief.
void carve(Layer& front, const Specimen& s, Point light, Random& random) {
    const float radius = between(random, 0.26f, 0.46f);
    const float room = 0.8f * (0.5f - radius);
    const Placement place{
        between(random, -pi, pi), radius, {between(random, -room, room), between(random, -room, room)}};
    const Proportions k{between(random, 0, 1), between(random, 0, 1), between(random, 0, 1)};
    const bool shiny = s.stuff == metal || s.stuff == plastic;
    const float relief = between(random, 0.30f, 0.50f);
    const float gloss = shiny ? between(random, 0.2f, 0.6f) : 0.05f;
    const float blur = 0.8f * front.pixel() / radius;
    const Point origin = place(0, 0);
    const Point toward = place(light.x, light.y);
    constexpr float step = 0.03f;
    const Point l{(toward.x - origin.x) * step * radius, (toward.y - origin.y) * step * radius};
    const auto height = [&](const Form& form) {
        const float t = 1 - std::clamp(-form.outline / s.subject.edge, 0.0f, 1.0f);
        return form.height + s.subject.edge * std::sqrt(1 - t * t);
    };
    front.paint([&](float x, float y, Rgb& colour, float& part) {
        const Point p = place(x, y);
        const Form here = s.subject.form(p, k);
        part = inside(here.outline, blur);
        if (part <= 0) return;
        const float slope =
            std::clamp((height(here) - height(s.subject.form({p.x + l.x, p.y + l.y}, k))) / step, -1.6f, 1.6f);
        if (here.second > 0)
            colour =
                mix(colour, s.other * (brightness(colour) / std::max(0.05f, brightness(s.tint.main))), here.second);
        colour = mix(colour * (1 + relief * slope), {1, 1, 1}, gloss * smooth_step(0.5f, 1.3f, slope));
    });
}

/// A place for a defect on the object or surface, and how far it may reach.
Site choose_site(const Layer& front, const Specimen& s, const Harm& harm, Random& random) {
    const bool object = s.subject.form != nullptr;
    float area = 0;
    Point centre{};
    constexpr int steps = 40;  // a coarse look at where the object is
    std::vector<Point> places;
    for (int j = 0; j < steps; ++j)
        for (int i = 0; i < steps; ++i) {
            const Point p{(static_cast<float>(i) + 0.5f) / steps, (static_cast<float>(j) + 0.5f) / steps};
            if (front.part(p) <= 0.9f) continue;
            area += 1.0f / (steps * steps);
            centre = {centre.x + p.x, centre.y + p.y};
            if (std::min(p.x, p.y) > 0.1f && std::max(p.x, p.y) < 0.9f) places.push_back(p);
        }
    const auto count = std::max(1.0f, area * steps * steps);
    centre = {centre.x / count, centre.y / count};
    const float wanted = std::exp(between(random, std::log(object ? 0.03f : 0.006f), std::log(object ? 0.30f : 0.15f)));
    Site site{.at = places.empty() ? centre : pick(random, places),
              .reach = 0,
              .angle = between(random, -pi, pi),
              .object = object};
    site.reach = std::max(0.028f, std::sqrt(wanted * area / pi));
    if (!object) return site;
    const float outward = std::atan2(site.at.y - centre.y, site.at.x - centre.x);
    if (harm.objects_only) site.angle = outward;
    if (harm.objects_only && !harm.at_edge)  // a bent tip would hardly show
        site.at = {std::lerp(centre.x, site.at.x, 0.6f), std::lerp(centre.y, site.at.y, 0.6f)};
    if (harm.at_edge) {
        site.reach = std::max(site.reach, 0.045f);
        const Point step{0.005f * std::cos(site.angle), 0.005f * std::sin(site.angle)};
        while (front.part(site.at) > 0.5f && std::min(site.at.x, site.at.y) > 0.06f &&
               std::max(site.at.x, site.at.y) < 0.94f)
            site.at = {site.at.x + step.x, site.at.y + step.y};
    }
    return site;
}

constexpr int attempts = 12;

/// The part of the pixels in which two layers differ by more than a person could overlook.
float difference(Layer& a, Layer& b, bool grey) {
    float count = 0;
    for (std::size_t i = 0; i < a.parts().size(); ++i) {
        const Rgb d = a.colours()[i] + b.colours()[i] * -1;
        const float colour = grey ? std::abs(brightness(d)) : std::max({std::abs(d.r), std::abs(d.g), std::abs(d.b)});
        const float change = std::max(colour * a.parts()[i], std::abs(a.parts()[i] - b.parts()[i]));
        count += change > 0.16f ? 1.0f : 0.0f;
    }
    return count / static_cast<float>(a.parts().size());
}

/// Draws the defect, and again, elsewhere and larger, where it would be too small or too faint to see; the clearest of
/// several attempts.
void draw_harm(Layer& front, const Specimen& s, const Harm& harm, const Brush& brush, Random& random) {
    Layer intact = front;
    Layer attempt = front;
    float clearest = -1;
    for (int i = 0; i < attempts && clearest < 0.0025f; ++i) {
        attempt = intact;
        Site site = choose_site(intact, s, harm, random);
        site.reach *= 1 + 0.1f * static_cast<float>(i);
        harm.draw(attempt, site, brush, random);
        const float clear = difference(intact, attempt, s.grey);
        if (clear <= clearest) continue;
        clearest = clear;
        std::swap(front, attempt);
    }
}

Image draw_drawing(int size, const Subject& subject, const Harm* harm, Random& random, Random& harm_random) {
    const Noise noise(random);
    const Art art = subject.layout(random);
    const Rgb dark = Rgb{1, 1, 1} * between(random, 0.0f, 0.14f);
    const Rgb bright = Rgb{1, 1, 1} * between(random, 0.86f, 1.0f);
    const bool inked_bright = random.chance(0.6);
    const auto draw = [&](Layer& layer, const Art& what) {
        draw_art(layer, what, inked_bright ? dark : bright, inked_bright ? bright : dark, noise);
    };
    Layer scene(size);
    draw(scene, art);
    if (harm != nullptr) {
        Layer intact = scene;
        Layer attempt(size);
        float clearest = -1;
        for (int i = 0; i < attempts && clearest < 0.001f; ++i) {
            Art edited = art;
            harm->edit(edited, harm_random);
            draw(attempt, edited);
            const float clear = difference(intact, attempt, true);
            if (clear <= clearest) continue;
            clearest = clear;
            std::swap(scene, attempt);
        }
    }
    const Exposure exposure{.grey = true,
                            .unevenness = 0,
                            .noise = between(random, 0.0f, 0.02f),
                            .contrast = 1.05f,
                            .soft = random.chance(0.3)};
    return take_picture(scene, exposure, random);
}

Image draw_thing(int size, const Specimen& s, const Harm* harm, Random& random, Random& harm_random) {
    const Noise noise(random);
    const float angle = between(random, -pi, pi);
    const Brush brush{.tint = s.tint,
                      .grain = s.finish != nullptr ? s.finish->grain : s.subject.grain,
                      .light = {std::cos(angle), std::sin(angle)},
                      .noise = noise};
    Layer front(size);
    (s.finish != nullptr ? s.finish->surface : s.subject.surface)(front, brush, random);
    if (s.subject.form != nullptr) carve(front, s, brush.light, random);
    if (harm != nullptr) draw_harm(front, s, *harm, brush, harm_random);
    const Layer back = draw_background(size, s, noise, random);
    lay_over(front, back, brush.light, between(random, 0.2f, 0.6f));
    const Exposure exposure{.grey = s.grey,
                            .unevenness = s.grey ? between(random, 0.0f, 0.7f) : between(random, 0.0f, 0.3f),
                            .noise = between(random, 0.003f, 0.028f),
                            .contrast = between(random, 0.9f, 1.15f),
                            .soft = random.chance(0.3)};
    return take_picture(front, exposure, random);
}

}  // namespace

std::vector<std::string> pair_subjects(PairSide side) {
    std::vector<std::string> names;
    for (const Subject& subject : catalogue(side).subjects) names.emplace_back(subject.name);
    return names;
}

std::vector<std::string> pair_defects(PairSide side) {
    std::vector<std::string> kinds;
    for (const Harm& harm : catalogue(side).harms) kinds.emplace_back(harm.kind);
    return kinds;
}

std::vector<std::string> pair_defects(PairSide side, std::size_t subject) {
    const Subject& what = subject_of(side, subject);
    std::vector<std::string> kinds;
    for (const Harm& harm : catalogue(side).harms)
        if (can_befall(harm, what, stuff_of(what))) kinds.emplace_back(harm.kind);
    return kinds;
}

CaptionedPicture draw_pair(const PairKey& key) {
    Random random(RandomUse::captions, {static_cast<std::uint64_t>(key.seed), static_cast<std::uint64_t>(key.side),
                                        static_cast<std::uint64_t>(key.index)});
    const auto& subjects = catalogue(key.side).subjects;
    // One kind of subject first, so that the few drawings and objects are not outnumbered by the many surfaces.
    const double kind = random.uniform();
    std::size_t subject;
    do {
        subject = static_cast<std::size_t>(random.below(subjects.size()));
    } while (kind < 0.15   ? subjects[subject].layout == nullptr
             : kind < 0.45 ? subjects[subject].form == nullptr
                           : subjects[subject].surface == nullptr);
    std::string defect;
    if (random.chance(0.5)) defect = pick(random, pair_defects(key.side, subject));
    return draw_pair_of(key, subject, defect);
}

CaptionedPicture draw_pair_of(const PairKey& key, std::size_t index, std::string_view defect) {
    if (key.size < 16) fail("synth: a captioned picture of ", key.size, " pixels a side (at least 16)");
    const Subject& subject = subject_of(key.side, index);
    const Harm* harm = nullptr;
    for (const Harm& one : catalogue(key.side).harms)
        if (one.kind == defect && can_befall(one, subject, stuff_of(subject))) harm = &one;
    if (harm == nullptr && !defect.empty()) fail("synth: a ", subject.name, " has no defect of kind '", defect, "'");
    const auto stream = [&](std::uint64_t use) {
        return Random(RandomUse::captions, {static_cast<std::uint64_t>(key.seed), static_cast<std::uint64_t>(key.side),
                                            static_cast<std::uint64_t>(key.index), index, use});
    };
    Random random = stream(1);
    Random harm_random = stream(2);
    Random words = stream(3);
    const bool drawing = subject.layout != nullptr;
    CaptionedPicture out{
        .image = {}, .caption = {}, .subject = std::string(subject.name), .defect = std::string(defect)};
    if (drawing) {
        out.image = draw_drawing(key.size, subject, harm, random, harm_random);
    } else {
        const Specimen specimen = choose(subject, harm, random);
        out.subject = specimen.name;
        out.image = draw_thing(key.size, specimen, harm, random, harm_random);
    }
    out.caption = make_caption(out.subject, harm, drawing, words);
    return out;
}

}  // namespace ltad
