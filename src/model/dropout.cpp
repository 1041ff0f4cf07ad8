#include "ltad/model/dropout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include "ltad/core/random.h"

namespace ltad {
namespace {

constexpr std::int64_t per_block = 8;  // a Philox block has 128 bits, a value needs 16

std::uint64_t next_key() {
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

}  // namespace

at::Tensor apply_dropout(const at::Tensor& x, double p, bool training) {
    if (!training || p <= 0) return x;
    if (!x.device().is_cpu()) return at::dropout(x, p, true);
    const auto threshold = static_cast<std::uint32_t>(std::lround(p * 65536));
    const float kept = 65536.0f / static_cast<float>(65536 - threshold);
    const std::uint64_t key = next_key();
    const std::array<std::uint32_t, 2> words{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
    at::Tensor mask = at::empty(x.sizes(), at::kFloat);
    float* const out = mask.mutable_data_ptr<float>();
    const std::int64_t size = mask.numel();
    at::parallel_for(0, (size + per_block - 1) / per_block, 2048, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block) {
            const auto number = static_cast<std::uint64_t>(block);
            const auto bits =
                philox4x32({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), 0, 0}, words);
            const std::int64_t count = std::min(per_block, size - block * per_block);
            for (std::int64_t i = 0; i < count; ++i) {
                const std::uint32_t value = bits[static_cast<std::size_t>(i / 2)] >> (i % 2 * 16) & 0xFFFFu;
                out[block * per_block + i] = value < threshold ? 0.0f : kept;
            }
        }
    });
    return x * mask.to(x.scalar_type());
}

}  // namespace ltad
