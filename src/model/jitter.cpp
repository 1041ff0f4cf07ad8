#include "ltad/model/jitter.h"

#include <cmath>

#include <ATen/ATen.h>

namespace ltad {

at::Tensor jitter(const Phase2Config& config, const at::Tensor& tokens, const at::Tensor& noise,
                  const at::Tensor& channel_deviation) {
    const auto channels = static_cast<double>(tokens.size(2));
    if (config.jitter_scale == "channel")
        return tokens + noise * (channel_deviation * (config.jitter / std::sqrt(channels)));
    return tokens + noise * (tokens.norm(2, {2}, true) * (config.jitter / channels));
}

at::Tensor to_tokens(const at::Tensor& maps) { return maps.flatten(2).transpose(1, 2).contiguous(); }

}  // namespace ltad
