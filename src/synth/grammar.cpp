#include "grammar.h"

#include <array>
#include <vector>

#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr std::array dyes = {
    NamedColour{"red", {0.78f, 0.14f, 0.13f}},        NamedColour{"orange", {0.92f, 0.50f, 0.12f}},
    NamedColour{"yellow", {0.92f, 0.80f, 0.20f}},     NamedColour{"green", {0.20f, 0.56f, 0.24f}},
    NamedColour{"dark green", {0.10f, 0.30f, 0.16f}}, NamedColour{"blue", {0.16f, 0.34f, 0.74f}},
    NamedColour{"light blue", {0.52f, 0.74f, 0.90f}}, NamedColour{"dark blue", {0.10f, 0.14f, 0.36f}},
    NamedColour{"purple", {0.46f, 0.22f, 0.58f}},     NamedColour{"pink", {0.92f, 0.56f, 0.68f}},
    NamedColour{"brown", {0.45f, 0.28f, 0.16f}},      NamedColour{"beige", {0.86f, 0.78f, 0.62f}},
    NamedColour{"turquoise", {0.20f, 0.68f, 0.66f}},  NamedColour{"white", {0.93f, 0.93f, 0.92f}},
    NamedColour{"black", {0.11f, 0.11f, 0.12f}},      NamedColour{"grey", {0.54f, 0.54f, 0.55f}},
};
constexpr std::array minerals = {
    NamedColour{"white", {0.90f, 0.89f, 0.87f}}, NamedColour{"grey", {0.58f, 0.58f, 0.58f}},
    NamedColour{"black", {0.14f, 0.14f, 0.15f}}, NamedColour{"beige", {0.84f, 0.76f, 0.62f}},
    NamedColour{"green", {0.28f, 0.44f, 0.34f}}, NamedColour{"brown", {0.46f, 0.32f, 0.22f}},
    NamedColour{"pink", {0.84f, 0.64f, 0.60f}},
};
constexpr std::array dull = {
    NamedColour{"white", {0.88f, 0.87f, 0.85f}},     NamedColour{"grey", {0.55f, 0.55f, 0.55f}},
    NamedColour{"dark grey", {0.30f, 0.30f, 0.31f}}, NamedColour{"black", {0.13f, 0.13f, 0.13f}},
    NamedColour{"beige", {0.82f, 0.74f, 0.60f}},     NamedColour{"blue", {0.24f, 0.36f, 0.58f}},
    NamedColour{"red", {0.62f, 0.20f, 0.18f}},
};

std::string article(std::string_view noun) {
    return std::string_view("aeiou").find(noun.front()) != std::string_view::npos ? "an " : "a ";
}

}  // namespace

NamedColour draw_colour(Palette palette, Random& random) {
    NamedColour colour = palette == Palette::minerals ? pick(random, minerals)
                         : palette == Palette::dull   ? pick(random, dull)
                                                      : pick(random, dyes);
    const float light = between(random, 0.92f, 1.06f);
    for (float* c : {&colour.rgb.r, &colour.rgb.g, &colour.rgb.b})
        *c = std::clamp(*c * light + between(random, -0.025f, 0.025f), 0.02f, 0.97f);
    return colour;
}

std::string make_caption(const std::string& subject, const Harm* harm, bool drawing, Random& random) {
    constexpr std::array good_words = {"normal", "flawless", "perfect", "unblemished", "good", "intact", "undamaged"};
    constexpr std::array bad_words = {"damaged", "defective", "flawed", "abnormal", "broken", "faulty"};
    const auto views = drawing
                           ? std::array{"", "a black and white picture of ", "an inspection image of ", "a scan of "}
                           : std::array{"", "a photo of ", "a close-up of ", "an inspection image of "};
    const auto a = [&](const std::string& noun) { return article(noun) + noun; };
    const bool plain = random.chance(0.4);
    const std::string view = pick(random, views);
    const double form = random.uniform();
    if (harm == nullptr) {
        if (plain) return a(subject);
        if (form < 0.60) return view + a(text(pick(random, good_words), " ", subject));
        if (form < 0.80) return view + a(subject) + (random.chance(0.5) ? " without any damage" : " without defects");
        return "a photo of " + a(subject);
    }
    if (plain) return a("broken " + subject);
    const std::string bad = pick(random, bad_words);
    if (form < 0.45) return view + a(bad + " " + subject);
    if (form < 0.85) return view + a(subject) + text(" with ", harm->phrase);
    return view + a(bad + " " + subject) + text(" with ", harm->phrase);
}

}  // namespace ltad
