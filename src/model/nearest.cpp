#include "ltad/model/nearest.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "ltad/core/error.h"
#include "ltad/kernels/farthest_point.h"

namespace ltad {
namespace {

// Of one tile of products: 16 MB; the allocator gives memory of 32 MB back to the system after every tile.
constexpr std::int64_t query_rows = 1024;
constexpr std::int64_t bank_rows = 4096;

constexpr std::int64_t starting_points = 10;

}  // namespace

at::Tensor nearest_distances(const at::Tensor& queries, const at::Tensor& bank) {
    const c10::NoGradGuard no_grad;
    at::Tensor distances = at::empty({queries.size(0)}, queries.options());
    const at::Tensor squares = bank.square().sum(1);
    for (std::int64_t q = 0; q < queries.size(0); q += query_rows) {
        const at::Tensor part = queries.narrow(0, q, std::min(query_rows, queries.size(0) - q));
        at::Tensor least, nearest;
        for (std::int64_t b = 0; b < bank.size(0); b += bank_rows) {
            const std::int64_t rows = std::min(bank_rows, bank.size(0) - b);
            // |q − b|² less |q|², which does not matter to which b is nearest.
            const auto [value, index] =
                at::addmm(squares.narrow(0, b, rows), part, bank.narrow(0, b, rows).t(), 1, -2).min(1);
            if (b == 0) {
                least = value;
                nearest = index;
                continue;
            }
            const at::Tensor closer = value < least;
            least = at::where(closer, value, least);
            nearest = at::where(closer, index + b, nearest);
        }
        distances.narrow(0, q, part.size(0)).copy_((part - bank.index_select(0, nearest)).square().sum(1).sqrt());
    }
    return distances;
}

at::Tensor greedy_coreset(const at::Tensor& points, std::int64_t count, Random& random,
                          const std::function<void()>& progress) {
    const c10::NoGradGuard no_grad;
    const std::int64_t rows = points.size(0);
    if (count < 1 || count > rows) fail("a coreset of ", count, " of ", rows, " points cannot be chosen");
    const auto distances_to = [&](std::int64_t row) { return (points - points[row]).square_().sum(1).sqrt_(); };
    at::Tensor least = at::zeros({rows}, points.options());
    for (std::int64_t i = 0; i < starting_points; ++i)
        least.add_(distances_to(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(rows)))));
    least.div_(starting_points);

    const bool has_kernel = points.device().is_cpu() && points.scalar_type() == at::kFloat && points.is_contiguous();
    std::vector<std::int64_t> chosen;
    std::int64_t next = least.argmax().item<std::int64_t>();
    while (static_cast<std::int64_t>(chosen.size()) < count) {
        chosen.push_back(next);
        if (has_kernel) {
            next =
                cover_from(points.const_data_ptr<float>(), rows, points.size(1), next, least.mutable_data_ptr<float>());
        } else {
            least = at::minimum(least, distances_to(next));
            least[next].fill_(-1);
            next = least.argmax().item<std::int64_t>();
        }
        progress();
    }
    return at::tensor(chosen, at::kLong).to(points.device());
}

}  // namespace ltad
