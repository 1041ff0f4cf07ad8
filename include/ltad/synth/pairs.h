#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ltad/core/image.h"

namespace ltad {

/// Which subjects and defects a pair is drawn from. The two sides share no subject and no kind of defect, and the
/// training side shares none with the generated data set (synth_class_names(), synth_defect_kinds()).
enum class PairSide : std::uint8_t { training, held_out };

/// Which pair: a pure function of these.
struct PairKey {
    std::int64_t seed = 0;
    PairSide side = PairSide::training;
    std::int64_t index = 0;
    int size = 224;  ///< side in pixels, at least 16
};

/// A picture and what a person would say it shows.
struct CaptionedPicture {
    Image image;
    std::string caption;  ///< "a red plastic disc with a dent"
    std::string subject;  ///< as the caption names it, "red plastic disc": one of pair_subjects() after any adjectives
    std::string defect;   ///< one of pair_defects(), empty for a good one
};

/// What can be drawn, such as "marble slab" or "gear", without colour or other adjectives.
[[nodiscard]] std::vector<std::string> pair_subjects(PairSide side);

/// The kinds of defect, such as "dent".
[[nodiscard]] std::vector<std::string> pair_defects(PairSide side);

/// The kinds that can befall one of pair_subjects(side). Throws Error for an index out of range.
[[nodiscard]] std::vector<std::string> pair_defects(PairSide side, std::size_t subject);

/// A subject and, half the time, a defect drawn by chance. 40 % of the captions of defective pictures are exactly
/// "a broken " + subject, 40 % of the good ones' exactly "a " + subject ("an" where English wants it); the others vary.
[[nodiscard]] CaptionedPicture draw_pair(const PairKey& key);

/// The chosen subject, good (`defect` empty) or with a defect. One key gives the same specimen with and without
/// (of another material where the defect could not befall the first, as a tear could not befall a steel disc).
/// Throws Error for a subject out of range or a defect that cannot befall it.
[[nodiscard]] CaptionedPicture draw_pair_of(const PairKey& key, std::size_t subject, std::string_view defect = "");

}  // namespace ltad
