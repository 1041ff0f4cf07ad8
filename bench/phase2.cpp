// Phase 2: training steps and scoring of Π and Φ at the paper's sizes.
#include <memory>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "ltad/model/reconstruction.h"
#include "ltad/model/score.h"
#include "ltad/model/semantic_head.h"
#include "ltad/train/adamw.h"
#include "ltad/train/phase2.h"
#include "plain.h"
#include "work.h"

namespace ltad::bench {
namespace {

constexpr std::int64_t batch = 8, grid = 14, tokens = grid * grid, channels = 384, text_dim = 640, classes = 15;
const std::vector<std::int64_t> taps = {32, 48, 80, 224};

/// Multiplications and additions of one forward pass over a picture; a training step has three times as many.
double reconstruction_flops(const ReconstructionConfig& c) {
    const auto dim = static_cast<double>(c.hidden_dim), inner = static_cast<double>(c.feedforward_dim);
    const double attention = 4 * dim * dim + 2 * tokens * dim, feed_forward = 2 * dim * inner;
    const double layers = static_cast<double>(c.encoder_layers) * (attention + feed_forward) +
                          static_cast<double>(c.decoder_layers) * (2 * attention + feed_forward);
    return 2 * tokens * (layers + 2 * dim * channels);
}
constexpr double semantic_flops = 2.0 * tokens * channels * text_dim;

struct Features {
    at::Tensor normal, abnormal, labels = at::arange(batch, at::kLong);
    Features() {
        at::manual_seed(1);
        normal = at::randn({batch, tokens, channels});
        abnormal = normal + at::randn_like(normal);
    }
};

/// Π with its features.
struct Rebuilding : Features {
    ReconstructionConfig config;
    Parameters parameters{0, at::kCPU};
    Reconstruction module;
    Weights weights = parameters.all();
    at::Tensor mask = neighbor_mask(grid, 7);

    explicit Rebuilding(const std::string& precision = "float32")
        : config{.precision = precision}, module(config, channels, grid, parameters) {
        weights = parameters.all();
    }
    at::Tensor ours(const at::Tensor& x, bool training) const { return module.forward(x, training); }
    at::Tensor plain(const at::Tensor& x, bool training) const {
        return plain_reconstruction(weights, x, mask, 4, 8, config.dropout, training);
    }
};

class Autocast {
public:
    explicit Autocast(bool enabled) {
        at::autocast::set_autocast_enabled(at::kCPU, enabled);
        at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    }
    ~Autocast() {
        at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(at::kCPU, false);
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;
};

Step our_step(const std::string& precision) {
    const auto s = std::make_shared<Rebuilding>(precision);
    const auto optimizer =
        std::make_shared<AdamW>(s->parameters, AdamWOptions{.learning_rate = 1e-4, .weight_decay = 1e-4});
    return [=] {
        reconstruction_loss(s->ours(s->abnormal, true), s->normal).backward();
        optimizer->step();
    };
}

Step plain_step(bool cast) {
    const auto s = std::make_shared<Rebuilding>();
    const auto optimizer = std::make_shared<PlainAdamW>(s->weights);
    return [=] {
        at::Tensor loss;
        {
            const Autocast autocast(cast);
            loss = reconstruction_loss(s->plain(s->abnormal, true), s->normal);
        }
        loss.backward();
        optimizer->step();
    };
}

/// Loss and all gradients without dropout.
at::Tensor gradients(bool plain) {
    const Rebuilding s;
    reconstruction_loss(plain ? s.plain(s.abnormal, false) : s.ours(s.abnormal, false), s.normal).backward();
    std::vector<at::Tensor> all;
    for (const auto& [name, parameter] : s.parameters.trained()) all.push_back(parameter.grad().flatten());
    return at::cat(all);
}

Step scoring(const std::function<at::Tensor(const Rebuilding&)>& reconstruct, const std::string& precision, bool cast) {
    const auto s = std::make_shared<Rebuilding>(precision);
    return [=] {
        const c10::NoGradGuard no_grad;
        const Autocast autocast(cast);
        (void)(reconstruct(*s) - s->normal).square().sum(2);
    };
}

/// Φ with its features and the texts of 15 classes.
struct Comparing : Features {
    Parameters parameters{0, at::kCPU};
    SemanticHead head{{}, taps, text_dim, parameters};
    at::Tensor normal_texts = at::randn({classes, text_dim}), abnormal_texts = at::randn({classes, text_dim});
    Weights weights = parameters.all();

    Comparing() {
        head.set_texts(normal_texts, abnormal_texts);
        weights = parameters.all();
    }
    at::Tensor ours(const at::Tensor& x) const { return head.logits(x, labels); }
    /// One projection after the other, stacked; softmax over the two texts as a sigmoid of the difference.
    at::Tensor plain(const at::Tensor& x) const {
        std::vector<at::Tensor> layers;
        std::int64_t first = 0;
        for (std::size_t l = 0; l < taps.size(); ++l) {
            const std::string name = "projections." + std::to_string(l);
            layers.push_back(
                at::linear(x.narrow(2, first, taps[l]), weights.at(name + ".weight"), weights.at(name + ".bias")));
            first += taps[l];
        }
        const at::Tensor unit_normal = normal_texts / normal_texts.norm(2, {1}, true);
        const at::Tensor unit_abnormal = abnormal_texts / abnormal_texts.norm(2, {1}, true);
        const at::Tensor contrast = (unit_abnormal - unit_normal).index_select(0, labels).unsqueeze(2);
        return at::bmm(at::stack(layers).amax(0), contrast).squeeze(2);
    }
    at::Tensor loss(bool use_plain) const {
        return use_plain ? semantic_loss(plain(abnormal), plain(normal)) : semantic_loss(ours(abnormal), ours(normal));
    }
};

at::Tensor semantic_gradients(bool plain) {
    const Comparing s;
    s.loss(plain).backward();
    std::vector<at::Tensor> all;
    for (const auto& [name, parameter] : s.parameters.trained()) all.push_back(parameter.grad().flatten());
    return at::cat(all);
}

template <typename Optimizer, typename Source, typename... Options>
Step semantic_step(bool plain, Source source, Options... options) {
    const auto s = std::make_shared<Comparing>();
    const auto optimizer = std::make_shared<Optimizer>(source(*s), options...);
    return [=] {
        s->loss(plain).backward();
        optimizer->step();
    };
}

const Register phase2([] {
    const double flops = reconstruction_flops({});
    const AdamWOptions options{.learning_rate = 1e-4, .weight_decay = 1e-4};
    add({.name = "Π, training step",
         .unit = "images",
         .items = batch,
         .flops = 3 * flops,
         .variants = {{"plain", [] { return plain_step(false); }, [] { return gradients(true); }},
                      {"ours", [] { return our_step("float32"); }, [] { return gradients(false); }}}});
    add({.name = "Π, training step, bfloat16",
         .unit = "images",
         .items = batch,
         .flops = 3 * flops,
         .variants = {{"plain", [] { return plain_step(true); }, {}},
                      {"ours", [] { return our_step("bfloat16"); }, {}}}});
    const auto plain = [](const Rebuilding& s) { return s.plain(s.normal, false); };
    const auto ours = [](const Rebuilding& s) { return s.ours(s.normal, false); };
    add({.name = "Π, scoring",
         .unit = "images",
         .items = batch,
         .flops = flops,
         .variants = {{"plain", [=] { return scoring(plain, "float32", false); }, [=] { return plain(Rebuilding()); }},
                      {"ours", [=] { return scoring(ours, "float32", false); }, [=] { return ours(Rebuilding()); }}}});
    add({.name = "Π, scoring, bfloat16",
         .unit = "images",
         .items = batch,
         .flops = flops,
         .variants = {{"plain", [=] { return scoring(plain, "float32", true); }, {}},
                      {"ours", [=] { return scoring(ours, "bfloat16", false); }, {}}}});
    add({.name = "Φ, training step",
         .unit = "images",
         .items = batch,
         .flops = 2 * 2 * semantic_flops,  // forward and the weights' gradients, on normal and abnormal tokens
         .variants = {
             {"plain", [] { return semantic_step<PlainAdamW>(true, [](const Comparing& s) { return s.weights; }); },
              [] { return semantic_gradients(true); }},
             {"ours",
              [=] {
                  return semantic_step<AdamW>(
                      false, [](const Comparing& s) -> const Parameters& { return s.parameters; }, options);
              },
              [] { return semantic_gradients(false); }}}});
});

}  // namespace
}  // namespace ltad::bench
