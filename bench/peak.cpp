// What this machine's matrix products reach: the rate that all others are compared with.
#include <memory>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/native/CPUBlas.h>

#include "ltad/kernels/gemm.h"
#include "work.h"

namespace ltad::bench {
namespace {

struct Sizes {
    std::int64_t rows, inner, columns;
};
constexpr Sizes projections{1568, 256, 768};  // Π's, of a batch
constexpr Sizes large{2048, 2048, 2048};

at::Tensor matrix(std::int64_t rows, std::int64_t columns, at::ScalarType type) {
    return at::randn({rows, columns}).to(type);
}

Step of_mm(const Sizes& s, at::ScalarType type) {
    return [x = matrix(s.rows, s.inner, type), w = matrix(s.inner, s.columns, type),
            y = matrix(s.rows, s.columns, type)]() mutable { at::mm_out(y, x, w); };
}

/// oneDNN's linear layer, which LibTorch has for torch.compile.
Step of_linear(const Sizes& s, at::ScalarType type) {
    using Linear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                              c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);
    const auto linear = c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<Linear>();
    return [linear, x = matrix(s.rows, s.inner, type), w = matrix(s.columns, s.inner, type)] {
        (void)linear.call(x, w, std::nullopt, "none", c10::List<std::optional<at::Scalar>>(), "");
    };
}

/// oneDNN's block kernel on blocks of 98 × 256 with the whole sum in one call. The order of bfloat16's rows does not
/// matter here.
template <typename T>
Step of_block_kernel(at::ScalarType type) {
    static constexpr Sizes s = projections;
    constexpr std::int64_t block_rows = 98, block_columns = 256;
    return [x = matrix(s.rows, s.inner, type), w = matrix(s.inner, s.columns, type),
            y = at::empty({s.rows, s.columns})]() mutable {
        const T* const a = x.const_data_ptr<T>();
        const T* const b = w.const_data_ptr<T>();
        float* const c = y.mutable_data_ptr<float>();
        at::parallel_for(0, s.rows / block_rows, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin * block_rows; row < end * block_rows; row += block_rows)
                for (std::int64_t column = 0; column < s.columns; column += block_columns)
                    at::native::cpublas::brgemm(block_rows, block_columns, s.inner, s.inner, s.columns, s.columns,
                                                false, a + row * s.inner, b + column, c + row * s.columns + column);
            at::native::cpublas::brgemm_release();
        });
    };
}

Step of_panels(Precision precision) {
    static constexpr Sizes s = projections;
    const at::Tensor weight = at::randn({s.columns, s.inner});
    const auto panels =
        std::make_shared<Panels>(Panels::transposed(weight.const_data_ptr<float>(), s.columns, s.inner, precision));
    return [weight, panels, x = at::randn({s.rows, s.inner}), y = at::empty({s.rows, s.columns})]() mutable {
        multiply_rows(x.const_data_ptr<float>(), s.inner, s.rows, *panels, y.mutable_data_ptr<float>(), s.columns);
    };
}

Work product(const std::string& name, const Sizes& s, std::vector<Variant> variants) {
    return {.name = name,
            .unit = "products",
            .flops = 2.0 * static_cast<double>(s.rows * s.inner * s.columns),
            .variants = std::move(variants)};
}

std::vector<Variant> libtorch_variants(const Sizes& s, at::ScalarType type) {
    return {{"plain", [=] { return of_mm(s, type); }, {}},
            {"plain, oneDNN's linear", [=] { return of_linear(s, type); }, {}}};
}

}  // namespace

std::vector<Work> peak_works() {
    auto single = libtorch_variants(projections, at::kFloat);
    single.push_back({"plain, oneDNN's block kernel", [] { return of_block_kernel<float>(at::kFloat); }, {}});
    single.push_back({"ours", [] { return of_panels(Precision::float32); }, {}});
    std::vector<Work> works = {product("matrix product", projections, single),
                               product("matrix product, 2048³", large, libtorch_variants(large, at::kFloat))};
    auto half = libtorch_variants(projections, at::kBFloat16);
    half.push_back({"plain, oneDNN's block kernel", [] { return of_block_kernel<at::BFloat16>(at::kBFloat16); }, {}});
    half.push_back({"ours", [] { return of_panels(Precision::bfloat16); }, {}});
    works.push_back(product("matrix product, bfloat16", projections, half));
    works.push_back(product("matrix product, 2048³, bfloat16", large, libtorch_variants(large, at::kBFloat16)));
    return works;
}

}  // namespace ltad::bench
