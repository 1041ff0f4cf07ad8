// Phase 1: training steps of the feature VAE, and the synthetic features that phase 2 has from it.
#include <memory>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/train/adamw.h"
#include "modules.h"

namespace ltad::bench {
namespace {

/// What is trained, and with how many pictures.
struct Setting {
    Network network;
    std::string resolution;
    std::int64_t batch = batch_size;

    [[nodiscard]] std::shared_ptr<Generating> make() const {
        return std::make_shared<Generating>(network, resolution, batch);
    }
};

Step our_step(const std::shared_ptr<Generating>& model) {
    const auto optimizer =
        std::make_shared<AdamW>(model->parameters, AdamWOptions{.learning_rate = 1e-4, .weight_decay = 1e-4});
    return [=] {
        model->loss(false).backward();
        optimizer->step();
    };
}

Step plain_step(const std::shared_ptr<Generating>& model) {
    const auto optimizer = std::make_shared<PlainAdamW>(model->weights);
    return [=] {
        model->loss(true).backward();
        optimizer->step();
    };
}

/// The loss and the lengths of its gradients. Single values move further, where rounding carries one across a kink of
/// relu6.
at::Tensor slopes(const Generating& model, bool plain) {
    const at::Tensor loss = model.loss(plain);
    loss.backward();
    std::vector<at::Tensor> all = {loss.detach()};
    for (const auto& [name, parameter] : model.parameters.trained()) all.push_back(parameter.grad().norm());
    return at::stack(all);
}

Work training(const std::string& name, const Setting& s) {
    return {.name = name + ", training step",
            .unit = "images",
            .items = static_cast<double>(s.batch),
            .flops = 3 * decoder_flops(s.network, s.resolution),
            .variants = {{"plain", [=] { return plain_step(s.make()); }, [=] { return slopes(*s.make(), true); }},
                         {"ours", [=] { return our_step(s.make()); }, [=] { return slopes(*s.make(), false); }, 1e-3}}};
}

Work generation(const std::string& name, const Setting& s) {
    const auto settled = [=] {
        auto model = s.make();
        model->settle();
        return model;
    };
    const auto step = [=](at::Tensor (Generating::*maps)(bool) const) {
        return [=] {
            return [=, model = settled()] {
                const c10::NoGradGuard no_grad;
                (void)((*model).*maps)(false);
            };
        };
    };
    return {.name = name + ", synthetic features",
            .unit = "images",
            .items = static_cast<double>(s.batch),
            .flops = decoder_flops(s.network, s.resolution),
            .variants = {{"plain", step(&Generating::plain), [=] { return settled()->plain(false); }},
                         {"ours", step(&Generating::ours), [=] { return settled()->ours(false); }, 1e-3}}};
}

}  // namespace

std::vector<Work> phase1_works() {
    Work native = training("D of B7 (native)", {b7(), "native", 2});
    native.threads = {2};
    return {training("D of Lite0 (grid)", {lite0(), "grid"}), generation("D of Lite0 (grid)", {lite0(), "grid"}),
            training("D of B7 (grid)", {b7(), "grid"}), generation("D of B7 (grid)", {b7(), "grid"}), native};
}

}  // namespace ltad::bench
