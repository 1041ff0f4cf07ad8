#include "ltad/model/dropout.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

namespace ltad {

DropoutMask draw_dropout(double p, bool training) {
    if (!training || p <= 0) return {};
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return {at::check_generator<at::CPUGeneratorImpl>(generator)->random64(), p};
}

at::Tensor apply_dropout(const at::Tensor& x, double p, bool training) {
    if (!training || p <= 0) return x;
    if (!x.device().is_cpu()) return at::dropout(x, p, true);
    const DropoutMask mask = draw_dropout(p, training);
    at::Tensor factors = at::empty(x.sizes(), at::kFloat);
    float* const out = factors.mutable_data_ptr<float>();
    at::parallel_for(0, factors.numel(), 1 << 16,
                     [&](std::int64_t begin, std::int64_t end) { mask.factors(out + begin, begin, end - begin); });
    return x * factors.to(x.scalar_type());
}

}  // namespace ltad
