#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ltad {

/// Of a ROC curve that is drawn.
inline constexpr std::size_t curve_points = 100;

/// How well scores tell defective items from good ones. "Found at t" are the items that score t or more; of them TP are
/// defective.
struct RankedFigures {
    /// Area under the ROC curve: the probability that a defective item scores higher than a good one, ties counted
    /// half.
    double auroc;
    /// Σ (R_n − R_{n−1}) P_n over the distinct scores from the highest down: recall R_n = TP / defective, precision
    /// P_n = TP / found.
    double average_precision;
    /// The largest F1 = 2 TP / (found + defective) over all thresholds, and the score that is that threshold; the
    /// highest one, where several have this F1.
    double f1_max;
    float f1_threshold;
};

/// A point of a ROC curve: the shares of the good and of the defective items that score at least a threshold.
struct RocPoint {
    double false_positive_rate;
    double true_positive_rate;

    bool operator==(const RocPoint&) const = default;
};

/// The scores of good and of defective items, collected to rank them. Holds each score once, 4 bytes of it. Figures
/// sort by all threads, once however many are asked, with a second copy of the good scores meanwhile. They are exact:
/// no bins, ties taken together, infinities ordered, whole numbers until the last divisions.
class RankedScores {
public:
    /// labels: 0 good, else defective; as many as scores. −0 becomes 0. Throws Error for a NaN and where the lengths
    /// differ; nothing is added then.
    void add(std::span<const float> scores, std::span<const std::uint8_t> labels);
    /// All of another's.
    void add(const RankedScores& other);
    void reserve_good(std::size_t count) { good_.reserve(count); }

    /// Empty when only one label is there.
    [[nodiscard]] std::optional<RankedFigures> figures();
    /// RankedFigures::auroc alone.
    [[nodiscard]] std::optional<double> auroc();
    /// The ROC curve from (0, 0) to (1, 1), at most `most` points joined by straight lines: every corner where `most`
    /// is at least 2 + twice the number of distinct defective scores, else corners about equally far apart, from whose
    /// lines the curve is less than 2 / (most − 1) away. Empty when only one label is there. Throws Error for `most`
    /// below 2.
    [[nodiscard]] std::vector<RocPoint> roc_curve(std::size_t most);

private:
    friend class PixelScores;  // compares its regions with the good scores, which are too many to hold twice

    void sort();

    // Whole numbers in the order of the floats, which sort by digits.
    std::vector<std::uint32_t> good_;
    std::vector<std::uint32_t> defective_;
    bool sorted_ = false;
};

/// RankedScores::auroc of these.
[[nodiscard]] std::optional<double> auroc(std::span<const float> scores, std::span<const std::uint8_t> labels);

}  // namespace ltad
