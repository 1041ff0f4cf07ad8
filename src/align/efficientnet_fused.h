#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "ltad/align/efficientnet.h"
#include "ltad/kernels/mbconv.h"

namespace ltad {

/// EfficientNet on the CPU with the kernels of kernels/mbconv.h.
class FusedEfficientNet {
public:
    FusedEfficientNet(const ImageEncoder::Convolution& stem, Rectifier f, Precision precision);
    /// Blocks are added in order, so that no more than one is held unpacked.
    void add(const ImageEncoder::Block& block);

    /// As ImageEncoder::forward. Calls from several threads take turns; each uses all threads anyway.
    [[nodiscard]] ImageEncoder::Output forward(const at::Tensor& pixels, const std::vector<std::int64_t>& taps) const;

private:
    struct Block {
        BlockSpec spec;
        std::optional<FrozenPointwise> expand;
        FrozenDepthwise depthwise;
        std::optional<FrozenPointwise> reduce, excite;  ///< none where squeeze-excite lets everything through
        FrozenPointwise project;
    };
    /// What blocks use one after the other, kept from call to call: new pages for every batch cost Lite0 a sixth of its
    /// time.
    struct Scratch {
        struct Floats {
            Buffer<float> data;
            std::int64_t size = 0;
            float* grown_to(std::int64_t needed);
        };
        std::array<Floats, 2> passing;  ///< maps between one block and the next
        Floats planes, means, gates;
    };
    class Call;

    Rectifier f_;
    Precision precision_;
    FrozenPointwise stem_;
    std::vector<Block> blocks_;
    mutable std::mutex mutex_;
    mutable Scratch scratch_;  ///< under mutex_
};

}  // namespace ltad
