#include "ltad/kernels/train_loss.h"

#include "support/golden.h"

namespace ltad {
namespace {

TEST(SquaredError, EqualsPlainOperatorsAndDoesNotDependOnThreads) {
    for (const auto& [rows, channels] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {49, 5}, {700, 33}}) {
        const at::Tensor p = test::random_tensor({rows, channels}, 1), r = test::random_tensor({rows, channels}, 2);
        const at::Tensor weight = test::random_tensor({channels}, 3).abs(), d = at::empty_like(p);
        const auto error = [&, n = rows, c = channels](int threads) {
            at::set_num_threads(threads);
            const double value = squared_error(p.const_data_ptr<float>(), r.const_data_ptr<float>(), n, c,
                                               weight.const_data_ptr<float>());
            at::set_num_threads(1);
            return value;
        };
        const at::Tensor wide = (p.to(at::kDouble) - r) * weight;
        EXPECT_NEAR(error(1), (wide * (p - r)).sum().item<double>(), 1e-5 * error(1));
        EXPECT_EQ(error(1), error(2));
        EXPECT_EQ(error(1), error(5));
        squared_error_gradient(p.const_data_ptr<float>(), r.const_data_ptr<float>(), rows, channels,
                               weight.const_data_ptr<float>(), 0.7f, d.mutable_data_ptr<float>());
        EXPECT_CLOSE_WITHIN(d, 1.4 * wide, 1e-6);
    }
}

}  // namespace
}  // namespace ltad
