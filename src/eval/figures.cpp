#include "ltad/eval/figures.h"

#include <string>

namespace ltad {
namespace {

using Figure = std::optional<double>;

/// Calls `visit` with a figure's key and how to find it.
template <typename Visit>
void for_each_figure(const Visit& visit) {
    for (const auto& [level, part] : {std::pair("image", &Figures::image), std::pair("pixel", &Figures::pixel)})
        for (const auto& [name, field] :
             {std::pair("auroc", &LevelFigures::auroc), std::pair("ap", &LevelFigures::average_precision),
              std::pair("f1_max", &LevelFigures::f1_max), std::pair("f1_threshold", &LevelFigures::f1_threshold)})
            visit(
                std::string(level) + "_" + name,
                [ part, field ](auto& figures) -> auto& { return figures.*part.*field; });
    visit(
        std::string("pixel_aupro"), [](auto& figures) -> auto& { return figures.region_overlap; });
}

}  // namespace

LevelFigures level_figures(const std::optional<RankedFigures>& ranked) {
    if (!ranked) return {};
    return {ranked->auroc, ranked->average_precision, ranked->f1_max, static_cast<double>(ranked->f1_threshold)};
}

Figures mean_figures(const std::vector<Figures>& classes) {
    Figures mean;
    for_each_figure([&](const std::string& name, const auto& of) {
        if (name.ends_with("threshold")) return;
        double sum = 0;
        int count = 0;
        for (const Figures& c : classes)
            if (const Figure& value = of(c)) {
                sum += *value;
                ++count;
            }
        if (count > 0) of(mean) = sum / count;
    });
    return mean;
}

json to_json(const Figures& figures) {
    json out = json::object();
    for_each_figure([&](const std::string& name, const auto& of) {
        const Figure& value = of(figures);
        out[name] = value ? json(*value) : json();
    });
    return out;
}

}  // namespace ltad
