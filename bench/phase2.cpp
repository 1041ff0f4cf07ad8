// Phase 2: training steps of Π and Φ at the paper's sizes, alone and with the decoder D making half of the pictures.
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/model/jitter.h"
#include "ltad/train/adamw.h"
#include "ltad/train/phase2.h"
#include "modules.h"

namespace ltad::bench {
namespace {

constexpr AdamWOptions adamw{.learning_rate = 1e-4, .weight_decay = 1e-4};

Step our_reconstruction(const std::string& precision) {
    const auto s = std::make_shared<Rebuilding>(precision);
    const auto optimizer = std::make_shared<AdamW>(s->parameters, adamw);
    return [=] {
        reconstruction_loss(s->ours(s->abnormal, true), s->normal).backward();
        optimizer->step();
    };
}

at::Tensor plain_loss(const Rebuilding& s, const at::Tensor& abnormal, const at::Tensor& normal) {
    return (s.plain(abnormal, true) - normal).square().sum(2).mean();
}

Step plain_reconstruction_step(bool in_bfloat16) {
    const auto s = std::make_shared<Rebuilding>();
    const auto optimizer = std::make_shared<PlainAdamW>(s->weights);
    return [=] {
        at::Tensor loss;
        {
            const auto autocast = in_bfloat16 ? std::make_unique<Autocast>() : nullptr;
            loss = plain_loss(*s, s->abnormal, s->normal);
        }
        loss.backward();
        optimizer->step();
    };
}

/// Of Π's parameters, without dropout.
at::Tensor reconstruction_gradients(bool plain, const std::string& precision = "float32") {
    const Rebuilding s(precision);
    reconstruction_loss(plain ? s.plain(s.abnormal, false) : s.ours(s.abnormal, false), s.normal).backward();
    return gradients(s.parameters);
}

Step our_semantic() {
    const auto s = std::make_shared<Comparing>();
    const auto optimizer = std::make_shared<AdamW>(s->parameters, adamw);
    return [=] {
        s->loss(false).backward();
        optimizer->step();
    };
}

Step plain_semantic_step() {
    const auto s = std::make_shared<Comparing>();
    const auto optimizer = std::make_shared<PlainAdamW>(s->weights);
    return [=] {
        s->loss(true).backward();
        optimizer->step();
    };
}

at::Tensor semantic_gradients(bool plain) {
    const Comparing s;
    s.loss(plain).backward();
    return gradients(s.parameters);
}

/// Everything in a step of phase 2 but reading: D's half of the pictures, jitter, Π and Φ.
struct Phase2 {
    Generating generating{b7(), "grid", batch_size / 2};
    Rebuilding rebuilding;
    Comparing comparing;
    at::Tensor maps =
        at::randn({batch_size, rebuilding.layout.total_channels(), rebuilding.layout.grid, rebuilding.layout.grid});
    at::Tensor rows = at::arange(0, batch_size, 2, at::kLong);

    Phase2() { generating.settle(); }

    void draw(bool plain) {
        const c10::NoGradGuard no_grad;
        maps.index_copy_(0, rows, plain ? generating.plain(false) : generating.ours(false));
        comparing.normal = to_tokens(maps);
        comparing.abnormal = jitter({}, comparing.normal, at::randn_like(comparing.normal), {});
    }
};

Step our_phase2() {
    const auto s = std::make_shared<Phase2>();
    const auto rebuild = std::make_shared<AdamW>(s->rebuilding.parameters, adamw);
    const auto compare = std::make_shared<AdamW>(s->comparing.parameters, adamw);
    return [=] {
        s->draw(false);
        reconstruction_loss(s->rebuilding.ours(s->comparing.abnormal, true), s->comparing.normal).backward();
        rebuild->step();
        s->comparing.loss(false).backward();
        compare->step();
    };
}

Step plain_phase2() {
    const auto s = std::make_shared<Phase2>();
    const auto rebuild = std::make_shared<PlainAdamW>(s->rebuilding.weights);
    const auto compare = std::make_shared<PlainAdamW>(s->comparing.weights);
    return [=] {
        s->draw(true);
        plain_loss(s->rebuilding, s->comparing.abnormal, s->comparing.normal).backward();
        rebuild->step();
        s->comparing.loss(true).backward();
        compare->step();
    };
}

}  // namespace

std::vector<Work> phase2_works() {
    const FeatureLayout layout = b7().layout;
    const double flops = 3 * reconstruction_flops({}, layout.grid * layout.grid, layout.total_channels());
    // Forward and the gradients of the weights, on normal and abnormal tokens.
    const double semantic_flops = 2 * 2 * Comparing().flops();
    const auto exact = [] { return reconstruction_gradients(true); };
    return {{.name = "Π, training step",
             .unit = "images",
             .items = batch_size,
             .flops = flops,
             .variants = {{"plain", [] { return plain_reconstruction_step(false); }, exact},
                          {"ours", [] { return our_reconstruction("float32"); },
                           [] { return reconstruction_gradients(false); }}}},
            {.name = "Π, training step, bfloat16",
             .unit = "images",
             .items = batch_size,
             .flops = flops,
             .variants = {{"plain, autocast", [] { return plain_reconstruction_step(true); }, exact},
                          {"ours", [] { return our_reconstruction("bfloat16"); },
                           [] { return reconstruction_gradients(false, "bfloat16"); }, 0.03}}},
            {.name = "Φ, training step",
             .unit = "images",
             .items = batch_size,
             .flops = semantic_flops,
             .variants = {{"plain", plain_semantic_step, [] { return semantic_gradients(true); }},
                          {"ours", our_semantic, [] { return semantic_gradients(false); }}}},
            {.name = "Π and Φ, training step with D of B7 (grid)",
             .unit = "images",
             .items = batch_size,
             .flops = flops + semantic_flops + decoder_flops(b7(), "grid") / 2,
             .variants = {{"plain", plain_phase2, {}}, {"ours", our_phase2, {}}}}};
}

}  // namespace ltad::bench
