// What this machine's matrix products reach: the rate that all others are compared with.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "ltad/kernels/gemm.h"
#include "work.h"

namespace ltad::bench {
namespace {

constexpr std::int64_t rows = 1568, inner = 256, columns = 768;  // Π's projections

Step of_mm() {
    return [x = at::randn({rows, inner}), w = at::randn({inner, columns}), y = at::empty({rows, columns})]() mutable {
        at::mm_out(y, x, w);
    };
}

Step of_panels(Precision precision) {
    const at::Tensor weight = at::randn({columns, inner});
    const auto panels =
        std::make_shared<Panels>(Panels::transposed(weight.const_data_ptr<float>(), columns, inner, precision));
    return [panels, x = at::randn({rows, inner}), y = at::empty({rows, columns})]() mutable {
        multiply_rows(x.const_data_ptr<float>(), inner, rows, *panels, y.mutable_data_ptr<float>(), columns);
    };
}

Step of_bfloat16_mm() {
    return [x = at::randn({rows, inner}).to(at::kBFloat16), w = at::randn({inner, columns}).to(at::kBFloat16),
            y = at::empty({rows, columns}, at::kBFloat16)]() mutable { at::mm_out(y, x, w); };
}

const Register peak([] {
    add({.name = "matrix product",
         .unit = "products",
         .flops = 2.0 * rows * inner * columns,
         .variants = {{"plain", of_mm, {}}, {"ours", [] { return of_panels(Precision::float32); }, {}}}});
    add({.name = "matrix product, bfloat16",
         .unit = "products",
         .flops = 2.0 * rows * inner * columns,
         .variants = {{"plain", of_bfloat16_mm, {}}, {"ours", [] { return of_panels(Precision::bfloat16); }, {}}}});
});

}  // namespace
}  // namespace ltad::bench
