// Scoring pictures whose features are there: Π, Φ, anomaly maps and image scores.
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/score.h"
#include "modules.h"

namespace ltad::bench {
namespace {

constexpr std::int64_t map_size = 224, pooling = 16;

at::Tensor distance(const at::Tensor& reconstructed, const at::Tensor& tokens) {
    return (reconstructed - tokens).square().sum(2);
}

Step rebuild(bool plain, const std::string& precision) {
    const auto s = std::make_shared<Rebuilding>(precision);
    const bool in_bfloat16 = precision == "bfloat16";
    return [=] {
        const c10::NoGradGuard no_grad;
        const auto autocast = plain && in_bfloat16 ? std::make_unique<Autocast>() : nullptr;
        (void)distance(plain ? s->plain(s->normal, false) : s->ours(s->normal, false), s->normal);
    };
}

at::Tensor rebuilt(bool plain, const std::string& precision) {
    const Rebuilding s(precision);
    const c10::NoGradGuard no_grad;
    return plain ? s.plain(s.normal, false) : s.ours(s.normal, false);
}

Step compare(bool plain) {
    const auto s = std::make_shared<Comparing>();
    return [=] {
        const c10::NoGradGuard no_grad;
        (void)(plain ? s->plain(s->normal) : s->ours(s->normal)).sigmoid();
    };
}

at::Tensor compared(bool plain) {
    const Comparing s;
    const c10::NoGradGuard no_grad;
    return plain ? s.plain(s.normal) : s.ours(s.normal);
}

/// The two modules, and the maps and image scores of their sum and of each, as the evaluation wants them.
struct Scoring {
    Rebuilding rebuilding;
    Comparing comparing;

    [[nodiscard]] at::Tensor ours() const {
        const TokenScores parts = score_tokens(rebuilding.module, comparing.head, rebuilding.normal, comparing.labels);
        std::vector<at::Tensor> all;
        for (const at::Tensor& scores : {parts.reconstruction + parts.semantic, parts.reconstruction, parts.semantic})
            all.push_back(image_scores(anomaly_maps(scores, map_size), pooling));
        return at::cat(all);
    }
    [[nodiscard]] at::Tensor plain() const {
        const c10::NoGradGuard no_grad;
        const at::Tensor& tokens = rebuilding.normal;
        const at::Tensor reconstruction = distance(rebuilding.plain(tokens, false), tokens);
        const at::Tensor semantic = comparing.plain(tokens).sigmoid();
        const std::int64_t grid = rebuilding.layout.grid;
        std::vector<at::Tensor> all;
        for (const at::Tensor& scores : {reconstruction + semantic, reconstruction, semantic}) {
            const at::Tensor maps =
                at::upsample_bilinear2d(scores.view({batch_size, 1, grid, grid}), {map_size, map_size}, true);
            all.push_back(at::avg_pool2d(maps, {pooling, pooling}, {1, 1}).flatten(1).amax(1));
        }
        return at::cat(all);
    }
};

Variant score(const std::string& name, at::Tensor (Scoring::*scores)() const) {
    return {name, [=] { return [=, s = std::make_shared<Scoring>()] { (void)((*s).*scores)(); }; },
            [=] { return (Scoring().*scores)(); }};
}

}  // namespace

std::vector<Work> score_works() {
    const FeatureLayout layout = b7().layout;
    const double flops = reconstruction_flops({}, layout.grid * layout.grid, layout.total_channels());
    const double semantic_flops = Comparing().flops();
    const auto exact = [] { return rebuilt(true, "float32"); };
    return {
        {.name = "Π, scoring",
         .unit = "images",
         .items = batch_size,
         .flops = flops,
         .variants = {{"plain", [] { return rebuild(true, "float32"); }, exact},
                      {"ours", [] { return rebuild(false, "float32"); }, [] { return rebuilt(false, "float32"); }}}},
        {.name = "Π, scoring, bfloat16",
         .unit = "images",
         .items = batch_size,
         .flops = flops,
         .variants = {{"plain, autocast", [] { return rebuild(true, "bfloat16"); }, exact},
                      {"ours", [] { return rebuild(false, "bfloat16"); }, [] { return rebuilt(false, "bfloat16"); },
                       0.03}}},
        {.name = "Φ, scoring",
         .unit = "images",
         .items = batch_size,
         .flops = semantic_flops,
         .variants = {{"plain", [] { return compare(true); }, [] { return compared(true); }},
                      {"ours", [] { return compare(false); }, [] { return compared(false); }}}},
        {.name = "scoring with maps and image scores",
         .unit = "images",
         .items = batch_size,
         .flops = flops + semantic_flops,
         .variants = {score("plain", &Scoring::plain), score("ours", &Scoring::ours)}}};
}

}  // namespace ltad::bench
