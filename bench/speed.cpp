// How fast the parts are, in items per second, with one and with two threads (the number behind the name).
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>

#include "ltad/align/align_model.h"
#include "ltad/align/device.h"
#include "ltad/eval/roc.h"
#include "ltad/model/reconstruction.h"
#include "ltad/synth/pairs.h"
#include "ltad/train/adamw.h"
#include "ltad/train/phase2.h"

namespace ltad {
namespace {

constexpr std::int64_t batch_size = 8;

/// Weights that keep activations finite.
Weights finite_weights(const EfficientNetConfig& config) {
    Weights weights;
    for (const auto& [name, shape] : efficientnet_shapes(config))
        weights[name] = shape.size() == 4
                            ? at::randn(shape) * std::sqrt(1.0 / static_cast<double>(shape[1] * shape[2] * shape[3]))
                            : at::ones(shape);
    return weights;
}

/// The same without squeeze-excite, as ltad-pretrain import writes EfficientNet-Lite.
Weights open_weights(const EfficientNetConfig& config) {
    Weights weights = finite_weights(config);
    for (auto& [name, tensor] : weights)
        if (name.find("squeeze_excite.expand") != std::string::npos)
            tensor = at::full_like(tensor, name.ends_with("bias") ? 30 : 0);
    return weights;
}

/// EfficientNet-B<n>.
ImageEncoder make_encoder(double width, double depth) {
    EfficientNetConfig config;
    config.width_coefficient = width;
    config.depth_coefficient = depth;
    return {config, finite_weights(config), at::kCPU};
}

void encode(benchmark::State& state, double width, double depth) {
    set_threads(state.range(0));
    const ImageEncoder encoder = make_encoder(width, depth);
    const at::Tensor pictures = at::randn({batch_size, 3, 224, 224}).contiguous(at::MemoryFormat::ChannelsLast);
    for (auto _ : state) benchmark::DoNotOptimize(encoder.forward(pictures, {3}));
    state.SetItemsProcessed(state.iterations() * batch_size);
}

void encode_b7(benchmark::State& state) { encode(state, 2.0, 3.1); }
void encode_b0(benchmark::State& state) { encode(state, 1.0, 1.0); }

/// Π at the paper's sizes: 384 channels, 14 × 14 tokens, 4 + 4 layers of 256.
struct PaperReconstruction {
    static constexpr std::int64_t channels = 384;
    static constexpr std::int64_t grid = 14;
    Parameters parameters{0, at::kCPU};
    Reconstruction module{ReconstructionConfig{}, channels, grid, parameters};
    at::Tensor normal = at::randn({batch_size, grid* grid, channels});
    at::Tensor abnormal = normal + at::randn_like(normal);
};

void reconstruction_step(benchmark::State& state) {
    set_threads(state.range(0));
    PaperReconstruction paper;
    AdamW optimizer(paper.parameters, {.learning_rate = 1e-4, .weight_decay = 1e-4});
    for (auto _ : state) {
        reconstruction_loss(paper.module.forward(paper.abnormal, true), paper.normal).backward();
        optimizer.step();
    }
    state.SetItemsProcessed(state.iterations() * batch_size);
}

void reconstruction_score(benchmark::State& state) {
    set_threads(state.range(0));
    PaperReconstruction paper;
    const c10::NoGradGuard no_grad;
    for (auto _ : state)
        benchmark::DoNotOptimize((paper.module.forward(paper.normal, false) - paper.normal).square().sum(2));
    state.SetItemsProcessed(state.iterations() * batch_size);
}

void semantic_step(benchmark::State& state) {
    set_threads(state.range(0));
    Parameters parameters(0, at::kCPU);
    SemanticHead head({}, {32, 48, 80, 224}, 640, parameters);
    head.set_texts(at::randn({15, 640}), at::randn({15, 640}));
    AdamW optimizer(parameters, {.learning_rate = 1e-4, .weight_decay = 1e-4});
    const at::Tensor normal = at::randn({batch_size, 196, 384});
    const at::Tensor abnormal = normal + at::randn_like(normal);
    const at::Tensor classes = at::arange(batch_size, at::kLong);
    for (auto _ : state) {
        semantic_loss(head.logits(abnormal, classes), head.logits(normal, classes)).backward();
        optimizer.step();
    }
    state.SetItemsProcessed(state.iterations() * batch_size);
}

void auroc_of_pixels(benchmark::State& state) {
    const std::int64_t pixels = state.range(0);
    const at::Tensor scores = at::randn({pixels});
    const at::Tensor labels = at::rand({pixels}).lt(0.03).to(at::kByte);
    for (auto _ : state)
        benchmark::DoNotOptimize(auroc({scores.const_data_ptr<float>(), static_cast<std::size_t>(pixels)},
                                       {labels.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(pixels)}));
    state.SetItemsProcessed(state.iterations() * pixels);
}

/// Pictures with captions, on one core; 0: the training side, 1: the held-out one.
void caption_pairs(benchmark::State& state) {
    PairKey key{.seed = 1, .side = state.range(0) == 0 ? PairSide::training : PairSide::held_out};
    for (auto _ : state) {
        benchmark::DoNotOptimize(draw_pair(key));
        ++key.index;
    }
    state.SetItemsProcessed(state.iterations());
}

/// EfficientNet-Lite0: B0 without squeeze-excite and with relu6.
void encode_lite0(benchmark::State& state) {
    set_threads(state.range(0));
    EfficientNetConfig config;
    config.width_coefficient = config.depth_coefficient = 1.0;
    config.hidden_act = "relu6";
    const ImageEncoder encoder(config, open_weights(config), at::kCPU);
    const at::Tensor pictures = at::randn({batch_size, 3, 224, 224}).contiguous(at::MemoryFormat::ChannelsLast);
    for (auto _ : state) benchmark::DoNotOptimize(encoder.forward(pictures, {3}));
    state.SetItemsProcessed(state.iterations() * batch_size);
}

BENCHMARK(encode_b7)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(5);
BENCHMARK(encode_b0)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK(encode_lite0)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK(caption_pairs)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK(reconstruction_step)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(5);
BENCHMARK(reconstruction_score)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK(semantic_step)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK(auroc_of_pixels)->Arg(8'400'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ltad
