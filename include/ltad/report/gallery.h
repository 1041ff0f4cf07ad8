#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ltad/core/image.h"
#include "ltad/report/heat_map.h"

namespace ltad {

/// Why a picture is in the gallery.
enum class GalleryKind {
    miss,         ///< defective, but good pictures of its class score as high
    false_alarm,  ///< good, but it scores as high as defective pictures of its class
    hit,          ///< defective, and above all good pictures of its class
};

/// A test picture's class, label and score.
struct GalleryCandidate {
    std::string class_name{};
    bool defective = false;
    double score = 0;
};

struct GalleryChoice {
    std::size_t index = 0;  ///< among the candidates
    GalleryKind kind = GalleryKind::miss;
    std::int64_t rank = 1;  ///< among its class's pictures, 1 for the highest score; ties share the better one
    std::int64_t of = 1;    ///< pictures of its class
};

struct GalleryLimits {
    std::size_t misses = 36;
    std::size_t false_alarms = 24;
    std::size_t hits = 24;
    std::size_t per_class = 3;  ///< of each kind
};

/// What is worth looking at, in order of worth: misses (3), false alarms (2) and hits (1) by turns, each kind from the
/// worst. A miss is the worse, the larger the share of good pictures of its class that score at least as high; a false
/// alarm, the larger the share of defective ones that score at most as high. Among hits those in the middle of their
/// class's hits come first, as the typical ones. Ties go by index. Throws Error for a score that is not a number.
[[nodiscard]] std::vector<GalleryChoice> choose_gallery(std::span<const GalleryCandidate> candidates,
                                                        const GalleryLimits& limits = {});

/// How many pictures of each GalleryKind there are to choose from.
[[nodiscard]] std::array<std::size_t, 3> count_gallery_kinds(std::span<const GalleryCandidate> candidates);

/// A picture with what it shows.
struct GalleryPanel {
    std::string caption{};
    Image image;
};

struct GalleryItem {
    GalleryKind kind = GalleryKind::miss;
    std::string file{};
    std::string class_name{};
    bool defective = false;
    double score = 0;
    std::int64_t rank = 1;
    std::int64_t of = 1;
    std::vector<GalleryPanel> panels{};
};

/// A score's map. The page says that all pictures of a class have the same range.
struct NamedMap {
    std::string name{};
    HeatMap map;
    HeatRange range;
};

/// The panels of one picture, `side` pixels along its longer side: itself, its mask where there is one, and each map
/// over it with the mask's outline. Throws Error as `overlay_heat_map` does.
[[nodiscard]] std::vector<GalleryPanel> gallery_panels(const Image& picture, const std::optional<Mask>& mask,
                                                       std::span<const NamedMap> maps, int side = 224);

}  // namespace ltad
