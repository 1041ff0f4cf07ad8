// The image encoder's kernels against plain loops in double.
#include "ltad/kernels/mbconv.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/kernels/multiversion.h"
#include "support/golden.h"

namespace ltad {
namespace {

std::vector<float> random_floats(std::int64_t count, std::uint64_t seed) {
    const at::Tensor x = test::random_tensor({count}, seed);
    return {x.const_data_ptr<float>(), x.const_data_ptr<float>() + count};
}

double plain(Rectifier f, double x) {
    if (f == Rectifier::swish) return x / (1 + std::exp(-x));
    return f == Rectifier::relu ? std::max(x, 0.0) : std::min(std::max(x, 0.0), 6.0);
}

float rounded(float x) { return at::tensor(x).to(at::kBFloat16).item<float>(); }

/// [m, n] = a [m, k] weight [n, k]ᵀ + bias.
std::vector<double> product(const std::vector<double>& a, const std::vector<float>& weight,
                            const std::vector<float>& bias, std::size_t k) {
    const std::size_t n = bias.size(), m = a.size() / k;
    std::vector<double> out(m * n);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            out[i * n + j] = bias[j];
            for (std::size_t p = 0; p < k; ++p) out[i * n + j] += a[i * k + p] * static_cast<double>(weight[j * k + p]);
        }
    return out;
}

/// [N, H', W', C] from x [N, H, W, C]; zeros outside.
std::vector<double> depthwise(const MapShape& s, const std::vector<double>& x, const std::vector<float>& weight,
                              const std::vector<float>& bias) {
    const auto channels = static_cast<std::int64_t>(bias.size());
    std::vector<double> out;
    for (std::int64_t image = 0; image < s.batch; ++image)
        for (std::int64_t y = 0; y < s.out_height(); ++y)
            for (std::int64_t column = 0; column < s.out_width(); ++column)
                for (std::int64_t c = 0; c < channels; ++c) {
                    double sum = bias[static_cast<std::size_t>(c)];
                    for (std::int64_t i = 0; i < s.kernel * s.kernel; ++i) {
                        const std::int64_t from_y = y * s.stride - s.before + i / s.kernel;
                        const std::int64_t from_x = column * s.stride - s.before + i % s.kernel;
                        if (from_y < 0 || from_y >= s.height || from_x < 0 || from_x >= s.width) continue;
                        const std::int64_t at = ((image * s.height + from_y) * s.width + from_x) * channels + c;
                        sum += x[static_cast<std::size_t>(at)] *
                               static_cast<double>(weight[static_cast<std::size_t>(c * s.kernel * s.kernel + i)]);
                    }
                    out.push_back(sum);
                }
    return out;
}

/// Planes [N, ⌈E / 16⌉, area, 16] → [N, area, E].
std::vector<float> from_planes(const float* planes, std::int64_t batch, std::int64_t area, std::int64_t channels) {
    std::vector<float> out;
    for (std::int64_t image = 0; image < batch; ++image)
        for (std::int64_t pixel = 0; pixel < area; ++pixel)
            for (std::int64_t c = 0; c < channels; ++c)
                out.push_back(planes[((image * ((channels + 15) / 16) + c / 16) * area + pixel) * 16 + c % 16]);
    return out;
}

template <typename Found>
void expect_near(const Found& found, const std::vector<double>& expected, double tolerance) {
    double worst = 0, scale = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_FALSE(std::isnan(found[i])) << i;
        worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
        scale = std::max(scale, std::abs(expected[i]));
    }
    EXPECT_LE(worst, tolerance * scale);
}

struct Case {
    std::int64_t height, width, kernel, stride, before, in, channels;
};

// Sides below and beside the strips of 7, several bands, kernels without code of their own, channels that are no
// multiples of 16.
const std::vector<Case> cases = {
    {9, 7, 3, 1, 1, 5, 24},   {15, 20, 3, 2, 0, 8, 70}, {14, 14, 5, 1, 2, 16, 64}, {13, 6, 5, 2, 1, 3, 130},
    {10, 11, 5, 2, 2, 4, 16}, {8, 9, 7, 1, 3, 4, 20},   {8, 9, 7, 2, 2, 4, 20},    {3, 1, 5, 1, 2, 6, 8},
    {5, 5, 1, 2, 0, 4, 16},   {90, 70, 5, 1, 2, 2, 18}, {150, 41, 3, 2, 0, 2, 17},
};

class Mbconv : public ::testing::TestWithParam<Precision> {};

TEST_P(Mbconv, ExpandAndDepthwiseMatchPlainLoops) {
    if (GetParam() == Precision::bfloat16 && !has_bfloat16()) GTEST_SKIP() << "no bfloat16 products here";
    std::uint64_t seed = 0;
    for (const Case& c : cases)
        for (const Rectifier f : {Rectifier::relu, Rectifier::relu6, Rectifier::swish}) {
            SCOPED_TRACE(ltad::text(c.height, 'x', c.width, " kernel ", c.kernel, " stride ", c.stride));
            const MapShape shape{2, c.height, c.width, c.kernel, c.stride, c.before};
            auto x = random_floats(2 * shape.area() * c.in, ++seed), weight = random_floats(c.channels * c.in, ++seed);
            const auto bias = random_floats(c.channels, ++seed), bias2 = random_floats(c.channels, ++seed);
            const auto taps = random_floats(c.channels * c.kernel * c.kernel, ++seed);
            const FrozenPointwise expand(weight.data(), bias.data(), c.channels, c.in, GetParam());
            const FrozenDepthwise packed(taps.data(), bias2.data(), c.channels, c.kernel);
            const auto planes = make_buffer<float>(planes_size(shape, c.channels));
            std::vector<float> means(static_cast<std::size_t>(2 * c.channels));
            expand_depthwise(shape, x.data(), &expand, packed, f, planes.get(), means.data());

            if (GetParam() == Precision::bfloat16)
                for (auto* values : {&x, &weight})
                    for (float& value : *values) value = rounded(value);
            auto expanded = product({x.begin(), x.end()}, weight, bias, static_cast<std::size_t>(c.in));
            for (double& value : expanded) value = plain(f, value);
            auto expected = depthwise(shape, expanded, taps, bias2);
            for (double& value : expected) value = plain(f, value);
            expect_near(from_planes(planes.get(), 2, shape.out_area(), c.channels), expected, 2e-6);
            std::vector<double> expected_means(means.size());
            const auto area = static_cast<std::size_t>(shape.out_area() * c.channels);
            for (std::size_t i = 0; i < expected.size(); ++i)
                expected_means[i / area * static_cast<std::size_t>(c.channels) +
                               i % static_cast<std::size_t>(c.channels)] +=
                    expected[i] / static_cast<double>(shape.out_area());
            expect_near(means, expected_means, 3e-6);
        }
}

TEST_P(Mbconv, ProjectionGatesAndAdds) {
    if (GetParam() == Precision::bfloat16 && !has_bfloat16()) GTEST_SKIP() << "no bfloat16 products here";
    constexpr std::int64_t batch = 3, area = 130, channels = 150, outputs = 72;
    const auto weight = random_floats(outputs * channels, 1), bias = random_floats(outputs, 2);
    const auto planes = random_floats(batch * 160 * area, 3), residual = random_floats(batch * area * outputs, 4);
    const auto gates = random_floats(batch * channels, 5);
    const FrozenPointwise projection(weight.data(), bias.data(), outputs, channels, GetParam());
    const auto y = from_planes(planes.data(), batch, area, channels);
    for (const bool gated : {false, true})
        for (const bool adds : {false, true}) {
            std::vector<float> out(static_cast<std::size_t>(batch * area * outputs));
            project(batch, area, planes.data(), gated ? gates.data() : nullptr, projection,
                    adds ? residual.data() : nullptr, out.data());
            std::vector<double> in;
            for (std::size_t i = 0; i < y.size(); ++i) {
                const float value = gated ? y[i] * gates[i / (area * channels) * channels + i % channels] : y[i];
                in.push_back(GetParam() == Precision::bfloat16 ? rounded(value) : value);
            }
            auto used = weight;
            if (GetParam() == Precision::bfloat16)
                for (float& value : used) value = rounded(value);
            auto expected = product(in, used, bias, channels);
            for (std::size_t i = 0; adds && i < expected.size(); ++i) expected[i] += residual[i];
            expect_near(out, expected, 2e-6);
        }
}

INSTANTIATE_TEST_SUITE_P(Precisions, Mbconv, ::testing::Values(Precision::float32, Precision::bfloat16),
                         [](const auto& instance) {
                             return std::string(instance.param == Precision::float32 ? "Float32" : "Bfloat16");
                         });

TEST(Mbconv, WithoutExpansionTheMapItselfIsConvolved) {
    const MapShape shape{2, 9, 10, 3, 1, 1};
    constexpr std::int64_t channels = 72;
    const auto x = random_floats(2 * shape.area() * channels, 1), taps = random_floats(channels * 9, 2);
    const auto bias = random_floats(channels, 3);
    const FrozenDepthwise packed(taps.data(), bias.data(), channels, 3);
    const auto planes = make_buffer<float>(planes_size(shape, channels));
    std::vector<float> means(2 * channels);
    expand_depthwise(shape, x.data(), nullptr, packed, Rectifier::relu, planes.get(), means.data());
    auto expected = depthwise(shape, {x.begin(), x.end()}, taps, bias);
    for (double& value : expected) value = std::max(value, 0.0);
    expect_near(from_planes(planes.get(), 2, shape.out_area(), channels), expected, 1e-6);
}

TEST(Mbconv, GatesAreTwoLayersAndASigmoid) {
    constexpr std::int64_t batch = 3, channels = 150, squeezed = 70;
    const auto means = random_floats(batch * channels, 1);
    const auto w1 = random_floats(squeezed * channels, 2), b1 = random_floats(squeezed, 3);
    const auto w2 = random_floats(channels * squeezed, 4), b2 = random_floats(channels, 5);
    std::vector<float> gates(batch * channels);
    squeeze_excite(batch, means.data(), {w1.data(), b1.data(), squeezed, channels, Precision::float32},
                   {w2.data(), b2.data(), channels, squeezed, Precision::float32}, Rectifier::swish, gates.data());
    auto hidden = product({means.begin(), means.end()}, w1, b1, channels);
    for (double& value : hidden) value = plain(Rectifier::swish, value);
    auto expected = product(hidden, w2, b2, squeezed);
    for (double& value : expected) value = 1 / (1 + std::exp(-value));
    expect_near(gates, expected, 1e-5);
}

TEST(Mbconv, TheStemIsAConvolution) {
    for (const auto& [height, width, before] : {std::array<std::int64_t, 3>{12, 17, 0}, {7, 8, 1}}) {
        const MapShape shape{2, height, width, 3, 2, before};
        const at::Tensor pixels = test::random_tensor({2, height, width, 3}, 1),
                         weight = test::random_tensor({70, 3, 3, 3}, 2);
        const at::Tensor bias = test::random_tensor({70}, 3), by_rows = weight.permute({0, 2, 3, 1}).contiguous();
        const FrozenPointwise packed(by_rows.const_data_ptr<float>(), bias.const_data_ptr<float>(), 70, 27,
                                     Precision::float32);
        const at::Tensor out = at::empty({2, shape.out_height(), shape.out_width(), 70});
        stem(shape, pixels.const_data_ptr<float>(), packed, Rectifier::relu6, out.mutable_data_ptr<float>());
        const at::Tensor padded = at::constant_pad_nd(pixels.permute({0, 3, 1, 2}), {before, 1, before, 1});
        EXPECT_CLOSE_WITHIN(out.permute({0, 3, 1, 2}), at::relu6(at::conv2d(padded, weight, bias, 2)), 2e-6);
    }
}

LTAD_MULTIVERSION(void, swish_of, (const float* x, float* out)) { store_lanes(fast_swish(load_lanes(x)), out); }

TEST(FastSwish, IsWithinItsError) {
    std::array<float, lane_count> x{}, y{};
    for (double value = -87; value < 120; value += 0.01) {
        x.fill(static_cast<float>(value));
        swish_of(x.data(), y.data());
        const double exact = static_cast<double>(x[0]) / (1 + std::exp(-static_cast<double>(x[0])));
        for (const float found : y) EXPECT_NEAR(found, exact, std::abs(exact) * 5e-6) << value;
    }
    constexpr float infinity = std::numeric_limits<float>::infinity();
    x = {infinity, -infinity, -1e30f, std::numeric_limits<float>::quiet_NaN(), 1e30f};
    swish_of(x.data(), y.data());
    EXPECT_EQ(y[0], infinity);
    EXPECT_NEAR(y[1], 0, 1e-35);
    EXPECT_NEAR(y[2], 0, 1e-35);
    EXPECT_TRUE(std::isnan(y[3]));
    EXPECT_EQ(y[4], 1e30f);
}

}  // namespace
}  // namespace ltad
