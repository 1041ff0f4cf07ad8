// Exact AUROC of a class's pixels.
#include <map>

#include <ATen/ATen.h>

#include "ltad/eval/roc.h"
#include "work.h"

namespace ltad::bench {
namespace {

struct Pixels {
    at::Tensor scores, labels;
    explicit Pixels(std::int64_t count) {
        at::manual_seed(1);
        scores = at::randn({count});
        labels = at::rand({count}).lt(0.03).to(at::kByte);
    }
};

double ours(const Pixels& p) {
    const auto size = static_cast<std::size_t>(p.scores.numel());
    return auroc({p.scores.const_data_ptr<float>(), size}, {p.labels.const_data_ptr<std::uint8_t>(), size}).value();
}

/// The trapezoids under the curve through every threshold, ties taken together.
double plain(const Pixels& p) {
    const auto [sorted, order] = p.scores.sort(0, true);
    const at::Tensor hits = p.labels.index_select(0, order).to(at::kDouble).cumsum(0);
    const at::Tensor alarms = at::arange(1, sorted.numel() + 1, at::kDouble) - hits;
    const at::Tensor last = at::cat({sorted.slice(0, 1).ne(sorted.slice(0, 0, -1)), at::ones({1}, at::kBool)});
    const at::Tensor y = at::cat({at::zeros({1}, at::kDouble), hits.masked_select(last)});
    const at::Tensor x = at::cat({at::zeros({1}, at::kDouble), alarms.masked_select(last)});
    return at::trapezoid(y, x).item<double>() / (y[-1] * x[-1]).item<double>();
}

const Pixels& shared_pixels(std::int64_t count) {
    static std::map<std::int64_t, Pixels> made;
    return made.try_emplace(count, count).first->second;
}

Work of(const std::string& name, std::int64_t count,
        const std::vector<std::pair<std::string, double (*)(const Pixels&)>>& ways) {
    Work work{.name = name, .unit = "million pixels", .items = static_cast<double>(count) / 1e6, .variants = {}};
    for (const auto& [way, area] : ways)
        work.variants.push_back({way, [=] { return [=, &p = shared_pixels(count)] { (void)area(p); }; },
                                 [=] { return at::tensor({area(shared_pixels(300'000))}, at::kDouble); }, 1e-12});
    return work;
}

/// All test pixels of MVTec AD, added picture by picture as an evaluation does.
void whole_data_set() {
    constexpr std::size_t pictures = 1725, per_picture = 224 * 224;
    const Pixels& p = shared_pixels(per_picture);
    RankedScores ranked;
    ranked.reserve_good(pictures * per_picture);
    for (std::size_t i = 0; i < pictures; ++i)
        ranked.add({p.scores.const_data_ptr<float>(), per_picture},
                   {p.labels.const_data_ptr<std::uint8_t>(), per_picture});
    (void)ranked.auroc();
}

}  // namespace

std::vector<Work> auroc_works() {
    const auto whole = [] { return whole_data_set; };
    return {of("AUROC of 8.4 million pixels", 8'400'000, {{"plain", plain}, {"ours", ours}}),
            {.name = "AUROC of 86.6 million pixels",
             .unit = "million pixels",
             .items = 86.6,
             .variants = {{"ours", whole, {}}}}};
}

}  // namespace ltad::bench
