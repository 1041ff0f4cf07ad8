#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ltad {

/// What a thing in a chart is painted with; each has a colour for light and one for dark ground.
enum class Paint { paper, ink, soft, line, good, bad, s1, s2, s3, s4, s5, s6 };
inline constexpr std::size_t series_paints = 6;

/// The paint of the i-th series; after six they come again.
[[nodiscard]] Paint series_paint(std::size_t i);
/// "s1": the variable without its dashes.
[[nodiscard]] std::string_view name_of(Paint paint);

enum class Anchor { start, middle, end };

/// A chart being drawn, in user units that are pixels at its natural size; y grows downwards.
class Svg {
public:
    Svg(double width, double height, std::string_view title, std::string_view description);

    void line(double x1, double y1, double x2, double y2, Paint paint, double width = 1, std::string_view dashes = {});
    void rect(double x, double y, double width, double height, Paint paint);
    void circle(double x, double y, double radius, Paint paint);
    /// An open line through path data ("M0 0L1 1").
    void path(std::string_view data, Paint paint, double width);
    /// `y` is the base line. Cut to `characters` (0: no limit); the whole text is then in its tooltip.
    void label(double x, double y, Anchor anchor, Paint paint, std::string_view text, bool bold = false,
               std::size_t characters = 0);

    [[nodiscard]] std::string finish() &&;

private:
    std::string out_;
};

/// Height of a line of text.
inline constexpr double text_height = 14;
/// A guess, a little wide, from the number of characters.
[[nodiscard]] double text_width(std::string_view text);
/// Characters of a bold text that have room.
[[nodiscard]] std::size_t bold_characters_in(double width);

/// Swatches with names from (x, y), wrapped at `right`: draws them and returns the height used.
double draw_legend(Svg& svg, double x, double y, double right, const std::vector<std::string>& names);

/// A number for path data and attributes: at most two decimals.
[[nodiscard]] std::string coordinate(double value);

}  // namespace ltad
