#pragma once

#include <span>
#include <string>
#include <string_view>

#include "layer.h"
#include "ltad/synth/pairs.h"
#include "noise.h"
#include "pair_art.h"

namespace ltad {

/// What a thing is made of decides what can happen to it. Bits, so that a defect can name several.
enum Stuff : unsigned { cloth = 1, paper = 2, metal = 4, stone = 8, plastic = 16, rubber = 32, lines = 64 };

/// Which colours a material comes in. `own`: its one natural colour, which captions need not name.
enum class Palette : std::uint8_t { own, dyes, minerals, dull };

struct Tint {
    Rgb main;
    Rgb second;  ///< of patterns, specks, veins
};

/// The numbers that make one material of a texture: how many features side by side, how strong they are, and a number
/// whose meaning is the texture's own.
struct Grain {
    float scale = 0;
    float contrast = 0;
    float detail = 0;
};

/// Everything that a drawing needs to know beside its own random numbers.
struct Brush {
    Tint tint;
    Grain grain;
    Point light;  ///< unit vector towards the light
    const Noise& noise;
};

/// A view of a surface, some way off and turned by up to `turn`.
inline Placement look(Random& random, float turn) {
    return {between(random, -turn, turn),
            between(random, 0.75f, 1.35f),
            {between(random, -0.5f, 0.5f), between(random, -0.5f, 0.5f)}};
}

using DrawSurface = void (*)(Layer& layer, const Brush& brush, Random& random);

/// The outline and relief of an object at a place; it fits into the circle of radius 1.
struct Form {
    float outline = 0;  ///< distance to the outline, below 0 inside
    float height = 0;   ///< of the relief on top of the rounded edge
    float second = 0;   ///< how much of the second colour, 0 to 1
};
/// Numbers in [0, 1) that vary an object's proportions.
struct Proportions {
    float a = 0;
    float b = 0;
    float c = 0;
};
using DescribeForm = Form (*)(Point at, const Proportions& proportions);

struct Subject {
    std::string_view name;
    unsigned stuff = 0;  ///< of surfaces and drawings; an object's follows from its finish
    Palette palette = Palette::own;
    Tint own{};  ///< the natural colours, for palettes that need them
    Grain grain{};
    DrawSurface surface = nullptr;
    DescribeForm form = nullptr;
    float edge = 0;         ///< how far in an object's edge is rounded
    unsigned finishes = 0;  ///< Stuff that an object is made of
    ArtLayout layout = nullptr;
};

/// Where a defect goes.
struct Site {
    Point at;
    float reach = 0;  ///< radius, in picture widths
    float angle = 0;
    bool object = false;  ///< rather than a surface that fills the picture
};

struct Harm {
    std::string_view kind;
    std::string_view phrase;  ///< as captions name it, with its article
    unsigned stuff = 0;       ///< what it can befall
    void (*draw)(Layer& layer, const Site& site, const Brush& brush, Random& random) = nullptr;
    void (*edit)(Art& art, Random& random) = nullptr;  ///< for drawings
    bool objects_only = false;
    bool at_edge = false;  ///< of an object
};

[[nodiscard]] std::span<const Subject> training_hard_surfaces();
[[nodiscard]] std::span<const Subject> training_soft_surfaces();
[[nodiscard]] std::span<const Subject> training_objects();
[[nodiscard]] std::span<const Subject> training_drawings();
[[nodiscard]] std::span<const Harm> training_shape_harms();
[[nodiscard]] std::span<const Harm> training_surface_harms();
[[nodiscard]] std::span<const Harm> training_drawing_harms();
[[nodiscard]] std::span<const Subject> held_out_subjects();
[[nodiscard]] std::span<const Harm> held_out_harms();

/// A colour and its name.
struct NamedColour {
    std::string_view name;
    Rgb rgb;
};
/// A colour of the palette, a little varied, with its name.
[[nodiscard]] NamedColour draw_colour(Palette palette, Random& random);

/// What objects are made of.
struct Finish {
    std::string_view name;  ///< "steel"
    Stuff stuff;
    Palette palette;
    Tint own;
    Grain grain;
    DrawSurface surface;
};
[[nodiscard]] std::span<const Finish> finishes();

/// The caption of a picture that shows `subject`, good where `harm` is null.
[[nodiscard]] std::string make_caption(const std::string& subject, const Harm* harm, bool drawing, Random& random);

}  // namespace ltad
