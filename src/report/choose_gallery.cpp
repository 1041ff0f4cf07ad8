#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "ltad/core/error.h"
#include "ltad/report/gallery.h"

namespace ltad {
namespace {

struct ClassScores {
    std::vector<double> good;  ///< ascending, as the next
    std::vector<double> defective;
};

/// A choice and how early it comes within its kind: the smallest first.
struct Ranked {
    double order = 0;
    GalleryChoice choice;
};

double share(std::ptrdiff_t part, std::size_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<std::size_t>(whole, 1));
}

std::ptrdiff_t at_least(const std::vector<double>& ascending, double score) {
    return ascending.end() - std::lower_bound(ascending.begin(), ascending.end(), score);
}

std::ptrdiff_t at_most(const std::vector<double>& ascending, double score) {
    return std::upper_bound(ascending.begin(), ascending.end(), score) - ascending.begin();
}

std::map<std::string, ClassScores> scores_by_class(std::span<const GalleryCandidate> candidates) {
    std::map<std::string, ClassScores> classes;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const GalleryCandidate& one = candidates[i];
        if (std::isnan(one.score)) fail("gallery: the score of picture ", i, " (", one.class_name, ") is not a number");
        ClassScores& scores = classes[one.class_name];
        (one.defective ? scores.defective : scores.good).push_back(one.score);
    }
    for (auto& [name, scores] : classes) {
        std::sort(scores.good.begin(), scores.good.end());
        std::sort(scores.defective.begin(), scores.defective.end());
    }
    return classes;
}

/// Empty for a good picture that no defective one falls below: nothing is to be seen there.
std::optional<Ranked> rank(std::size_t index, const GalleryCandidate& one, const ClassScores& scores) {
    GalleryChoice choice{.index = index};
    choice.of = static_cast<std::int64_t>(scores.good.size() + scores.defective.size());
    choice.rank = 1 + choice.of - at_most(scores.good, one.score) - at_most(scores.defective, one.score);
    if (!one.defective) {
        choice.kind = GalleryKind::false_alarm;
        const auto below = at_most(scores.defective, one.score);
        return below == 0 ? std::nullopt : std::optional(Ranked{-share(below, scores.defective.size()), choice});
    }
    const auto above = at_least(scores.good, one.score);
    if (above > 0) return Ranked{-share(above, scores.good.size()), choice};
    choice.kind = GalleryKind::hit;
    // The hits are the defective pictures above the best good one.
    const auto misses = scores.good.empty() ? 0 : at_most(scores.defective, scores.good.back());
    const auto hits = static_cast<std::ptrdiff_t>(scores.defective.size()) - misses;
    return Ranked{std::abs(share(at_least(scores.defective, one.score), static_cast<std::size_t>(hits)) - 0.5), choice};
}

/// The first `limit` of them, at most `per_class` of a class.
std::vector<GalleryChoice> best(std::vector<Ranked> ranked, std::span<const GalleryCandidate> candidates,
                                std::size_t limit, std::size_t per_class) {
    std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.order < b.order; });
    std::map<std::string, std::size_t> taken;
    std::vector<GalleryChoice> result;
    for (const Ranked& one : ranked)
        if (result.size() < limit && taken[candidates[one.choice.index].class_name]++ < per_class)
            result.push_back(one.choice);
    return result;
}

/// By kind.
std::array<std::vector<Ranked>, 3> rank_all(std::span<const GalleryCandidate> candidates) {
    const auto classes = scores_by_class(candidates);
    std::array<std::vector<Ranked>, 3> ranked;
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (const auto one = rank(i, candidates[i], classes.at(candidates[i].class_name)))
            ranked[static_cast<std::size_t>(one->choice.kind)].push_back(*one);
    return ranked;
}

}  // namespace

std::array<std::size_t, 3> count_gallery_kinds(std::span<const GalleryCandidate> candidates) {
    const auto ranked = rank_all(candidates);
    return {ranked[0].size(), ranked[1].size(), ranked[2].size()};
}

std::vector<GalleryChoice> choose_gallery(std::span<const GalleryCandidate> candidates, const GalleryLimits& limits) {
    auto ranked = rank_all(candidates);
    constexpr std::array<std::size_t, 3> turns = {3, 2, 1};
    const std::array<std::size_t, 3> most = {limits.misses, limits.false_alarms, limits.hits};
    std::array<std::vector<GalleryChoice>, 3> chosen;
    std::size_t total = 0;
    for (std::size_t kind = 0; kind < 3; ++kind) {
        chosen[kind] = best(std::move(ranked[kind]), candidates, most[kind], limits.per_class);
        total += chosen[kind].size();
    }
    std::vector<GalleryChoice> result;
    for (std::array<std::size_t, 3> next{}; result.size() < total;)
        for (std::size_t kind = 0; kind < 3; ++kind)
            for (std::size_t turn = 0; turn < turns[kind] && next[kind] < chosen[kind].size(); ++turn)
                result.push_back(chosen[kind][next[kind]++]);
    return result;
}

}  // namespace ltad
