#include "step_time.h"

#include <ATen/ATen.h>

#include "ltad/model/jitter.h"
#include "ltad/train/phase2.h"

namespace ltad {

FeatureBatch random_batch(const Run& run, std::int64_t size) {
    const FeatureLayout& layout = run.layout();
    const at::TensorOptions options = at::TensorOptions(run.device());
    return {at::randn({size, layout.total_channels(), layout.grid, layout.grid}, options),
            at::randn({size, layout.latent}, options), at::zeros({size}, options.dtype(at::kLong))};
}

double reconstruction_step_seconds(const Run& run) {
    const at::Tensor tokens = to_tokens(random_batch(run, run.config().phase2.batch_size).maps);
    Parameters parameters(0, run.device());
    const Reconstruction module(run.config().reconstruction, tokens.size(2), run.layout().grid, parameters);
    AdamW optimizer(parameters, {.learning_rate = 0});
    return mean_seconds([&] {
        reconstruction_loss(module.forward(tokens, true), tokens).backward();
        optimizer.step();
    });
}

}  // namespace ltad
