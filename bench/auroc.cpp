// Exact AUROC of a class's pixels.
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

Work of(const std::string& name, std::int64_t count) {
    const auto step = [=](const auto& area) { return [=] { return [=, p = Pixels(count)] { (void)area(p); }; }; };
    const auto result = [](const auto& area) {
        return [=] { return at::tensor({area(Pixels(300'000))}, at::kDouble); };
    };
    return {.name = name,
            .unit = "million pixels",
            .items = static_cast<double>(count) / 1e6,
            .variants = {{"plain", step(plain), result(plain), 1e-12}, {"ours", step(ours), result(ours), 1e-12}}};
}

/// All test pixels of MVTec AD at once, added picture by picture as an evaluation would.
Step whole_data_set() {
    return [] {
        constexpr std::size_t pictures = 1725, per_picture = 224 * 224;
        const Pixels p(static_cast<std::int64_t>(per_picture));
        RankedScores ranked;
        ranked.reserve_good(pictures * per_picture);
        for (std::size_t i = 0; i < pictures; ++i)
            ranked.add({p.scores.const_data_ptr<float>(), per_picture},
                       {p.labels.const_data_ptr<std::uint8_t>(), per_picture});
        (void)ranked.auroc();
    };
}

const Register areas([] {
    add(of("AUROC of 8.4 million pixels", 8'400'000));
    add({.name = "AUROC of 86.6 million pixels",
         .unit = "million pixels",
         .items = 86.6,
         .variants = {{"ours", whole_data_set, {}}},
         .threads = {2}});
});

}  // namespace
}  // namespace ltad::bench
