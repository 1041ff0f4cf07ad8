#include "ltad/eval/roc.h"

#include <limits>

#include "ltad/core/error.h"
#include "ltad/kernels/multiversion.h"
#include "ordered_keys.h"

namespace ltad {
namespace {

struct Counts {
    std::size_t defective = 0;
    std::size_t nan = 0;
};

LTAD_MULTIVERSION(Counts, count, (const float* scores, const std::uint8_t* labels, std::size_t size)) {
    std::uint64_t defective = 0, nan = 0;
    for (std::size_t i = 0; i < size; ++i) {
        defective += labels[i] != 0 ? 1 : 0;
        nan += scores[i] != scores[i] ? 1 : 0;
    }
    return {defective, nan};
}

/// A score that occurs among the defective ones, as a threshold: what lies above it and what at it.
struct Threshold {
    std::uint32_t key;
    std::size_t defective_above, defective_at;
    std::size_t good_above, good_at;
};

/// Visits these thresholds from the highest down. Scores of good items alone are left out: nothing more is found there.
template <typename Visit>
void for_thresholds(std::span<const std::uint32_t> good, std::span<const std::uint32_t> defective, const Visit& visit) {
    GoodAbove counts(good);
    for (std::size_t above = 0; above < defective.size();) {
        const auto key_at = [&](std::size_t place) { return defective[defective.size() - 1 - place]; };
        const std::uint32_t key = key_at(above);
        std::size_t at_or_above = above + 1;
        while (at_or_above < defective.size() && key_at(at_or_above) == key) ++at_or_above;
        counts.descend_to(key);
        visit(Threshold{.key = key,
                        .defective_above = above,
                        .defective_at = at_or_above - above,
                        .good_above = counts.above,
                        .good_at = counts.at_or_above - counts.above});
        above = at_or_above;
    }
}

double ratio(std::size_t part, std::size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

void RankedScores::add(std::span<const float> scores, std::span<const std::uint8_t> labels) {
    if (scores.size() != labels.size())
        fail("ranking: ", scores.size(), " scores were given with ", labels.size(), " labels");
    const Counts counts = count(scores.data(), labels.data(), scores.size());
    if (counts.nan != 0) {
        const auto found = std::find_if(scores.begin(), scores.end(), [](float score) { return score != score; });
        fail("ranking: score ", found - scores.begin(), " is not a number");
    }
    sorted_ = false;
    const std::size_t good = good_.size(), defective = defective_.size();
    // One element more, which the branchless loop below may write to.
    good_.resize(good + scores.size() - counts.defective + 1);
    defective_.resize(defective + counts.defective + 1);
    std::uint32_t* next_good = good_.data() + good;
    std::uint32_t* next_defective = defective_.data() + defective;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const std::uint32_t key = ordered_key(scores[i]);
        *next_good = key;
        *next_defective = key;
        next_good += labels[i] == 0 ? 1 : 0;
        next_defective += labels[i] == 0 ? 0 : 1;
    }
    good_.pop_back();
    defective_.pop_back();
}

void RankedScores::add(const RankedScores& other) {
    sorted_ = false;
    good_.insert(good_.end(), other.good_.begin(), other.good_.end());
    defective_.insert(defective_.end(), other.defective_.begin(), other.defective_.end());
}

void RankedScores::sort() {
    if (sorted_) return;
    radix_sort(good_);
    radix_sort(defective_);
    sorted_ = true;
}

std::optional<RankedFigures> RankedScores::figures() {
    if (good_.empty() || defective_.empty()) return std::nullopt;
    sort();
    // Twice the number of (defective, good) pairs in the right order, a tie counting one; of n items there are at most
    // n² / 4 pairs, so 64 bits hold it up to 6 · 10^9 items.
    std::uint64_t twice_right = 0;
    long double precisions = 0;  // each defective item's at its own threshold: Σ (R_n − R_{n−1}) P_n · defective
    RankedFigures out{};
    for_thresholds(good_, defective_, [&](const Threshold& at) {
        twice_right += at.defective_at * (2 * (good_.size() - at.good_above) - at.good_at);
        const std::size_t right = at.defective_above + at.defective_at;
        const std::size_t found = right + at.good_above + at.good_at;
        precisions += static_cast<double>(at.defective_at) * ratio(right, found);
        const double f1 = ratio(2 * right, found + defective_.size());
        if (f1 <= out.f1_max) return;
        out.f1_max = f1;
        out.f1_threshold = score_of_key(at.key);
    });
    const auto defective = static_cast<long double>(defective_.size());
    out.auroc = static_cast<double>(static_cast<long double>(twice_right) /
                                    (2 * static_cast<long double>(good_.size()) * defective));
    out.average_precision = static_cast<double>(precisions / defective);
    return out;
}

std::optional<double> RankedScores::auroc() {
    const auto all = figures();
    return all ? std::optional(all->auroc) : std::nullopt;
}

std::vector<RocPoint> RankedScores::roc_curve(std::size_t most) {
    if (most < 2) fail("ROC curve: ", most, " points were asked for, its two ends need 2");
    if (good_.empty() || defective_.empty()) return {};
    sort();
    std::size_t thresholds = 0;
    for_thresholds(good_, defective_, [&](const Threshold&) { ++thresholds; });
    const bool all_fit = 2 * thresholds + 2 <= most;

    // Both rates grow along the curve: their sum says how far it has come. Of the corners in a stretch of equal sums
    // the first is kept, or each corner where all fit.
    std::vector<RocPoint> points;
    std::size_t last_stretch = std::numeric_limits<std::size_t>::max();
    const auto add_corner = [&](std::size_t good, std::size_t defective) {
        const RocPoint point{ratio(good, good_.size()), ratio(defective, defective_.size())};
        const double way = (point.false_positive_rate + point.true_positive_rate) / 2;
        const std::size_t stretch =
            all_fit ? good + defective : static_cast<std::size_t>(way * static_cast<double>(most - 1));
        if (stretch == last_stretch) return;
        last_stretch = stretch;
        points.push_back(point);
    };
    add_corner(0, 0);
    for_thresholds(good_, defective_, [&](const Threshold& at) {
        add_corner(at.good_above, at.defective_above);
        add_corner(at.good_above + at.good_at, at.defective_above + at.defective_at);
    });
    add_corner(good_.size(), defective_.size());
    return points;
}

std::optional<double> auroc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
    RankedScores ranked;
    ranked.add(scores, labels);
    return ranked.auroc();
}

}  // namespace ltad
