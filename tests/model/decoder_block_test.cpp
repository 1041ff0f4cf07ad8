#include "ltad/model/decoder_block.h"

#include <c10/core/GradMode.h>

#include "support/golden.h"

namespace ltad {
namespace {

struct Shape {
    std::int64_t batch, in, out, kernel, in_size, size;
    bool residual;
};

const std::vector<Shape> shapes = {
    {3, 8, 5, 3, 4, 4, false},   {2, 24, 24, 5, 7, 7, true},    {2, 11, 4, 5, 5, 10, false}, {4, 6, 6, 3, 1, 1, true},
    {1, 20, 12, 3, 3, 8, false}, {2, 40, 16, 3, 14, 14, false}, {1, 8, 4, 3, 30, 60, false}};

struct Block {
    Shape shape;
    Activation activation;
    Parameters parameters;
    DecoderBlock block;

    Block(const Shape& s, Activation a, at::ScalarType dtype, NormOptions norm = {true, 0.1, 1e-3})
        : shape(s), activation(a), parameters(1, at::kCPU, dtype), block(spec(s), s.size, a, norm, "b.", parameters) {
        const c10::NoGradGuard no_grad;
        for (const auto& [name, tensor] : parameters.all())  // no parameter at a special value
            if (name.find("weight") == std::string::npos || name.find("norm") != std::string::npos)
                tensor.add_(test::random_tensor(tensor.sizes().vec(), random_key(name), dtype).abs() * 0.3);
    }

    /// As the encoder has it; the block exchanges in and out.
    static BlockSpec spec(const Shape& s) {
        return {.in = s.out, .out = s.in, .kernel = s.kernel, .expand_ratio = 6, .squeeze = 3, .residual = s.residual};
    }

    [[nodiscard]] at::Tensor input() const {
        const auto dtype = parameters.trained()[0].second.scalar_type();
        return test::random_tensor({shape.batch, shape.in, shape.in_size, shape.in_size}, 2, dtype)
            .contiguous(at::MemoryFormat::ChannelsLast);
    }
};

/// Result, gradients (of "x" and of every parameter) and running statistics of a training step.
struct Step {
    at::Tensor y;
    Weights gradients, buffers;

    explicit Step(const Block& b, bool plain = false) {
        const at::Tensor x = b.input().requires_grad_(true);
        y = plain ? b.block.plain_forward(x, true) : b.block.forward(x, true);
        y.backward(test::random_tensor(y.sizes().vec(), 3, y.scalar_type()));
        gradients["x"] = x.grad();
        for (const auto& [name, tensor] : b.parameters.trained()) {
            gradients[name] = tensor.grad().clone();
            tensor.mutable_grad().reset();
        }
        for (const auto& [name, tensor] : b.parameters.all())
            if (name.find("running") != std::string::npos) buffers[name] = tensor.clone();
    }
};

TEST(DecoderBlock, TrainsLikePlainOperatorsInDouble) {
    for (const Shape& s : shapes) {
        for (const Activation activation : {Activation::relu, Activation::relu6, Activation::swish}) {
            SCOPED_TRACE(testing::Message() << s.in << " to " << s.out << ", " << s.in_size << " to " << s.size
                                            << ", kernel " << s.kernel << ", " << static_cast<int>(activation));
            const Step fast(Block(s, activation, at::kFloat)), plain(Block(s, activation, at::kDouble), true);
            EXPECT_CLOSE_WITHIN(fast.y, plain.y, 1e-5);
            for (const auto& [name, tensor] : plain.buffers)
                EXPECT_CLOSE_WITHIN(fast.buffers.at(name), tensor, 1e-5) << name;
            double largest = 0;  // of any gradient: what vanishes in exact arithmetic is only rounding in float
            for (const auto& [name, tensor] : plain.gradients)
                largest = std::max(largest, tensor.abs().max().item<double>());
            for (const auto& [name, tensor] : plain.gradients) {
                const double difference = (fast.gradients.at(name).to(at::kDouble) - tensor).abs().max().item<double>();
                EXPECT_LE(difference, 1e-4 * tensor.abs().max().item<double>() + 1e-6 * largest) << name;
            }
        }
    }
}

TEST(DecoderBlock, EvaluatesLikePlainOperatorsInDouble) {
    const c10::NoGradGuard no_grad;
    for (const Shape& s : shapes) {
        const Block fast(s, Activation::swish, at::kFloat), plain(s, Activation::swish, at::kDouble);
        EXPECT_CLOSE_WITHIN(fast.block.forward(fast.input(), false), plain.block.plain_forward(plain.input(), false),
                            1e-5);
    }
}

TEST(DecoderBlock, DoesNotDependOnThreads) {
    for (const Shape& s : shapes) {
        const Block block(s, Activation::swish, at::kFloat);
        const auto step = [&](int threads) {
            at::set_num_threads(threads);
            const Step made(block);
            at::set_num_threads(1);
            return made;
        };
        const Step one = step(1);
        for (const int threads : {2, 5}) {
            const Step more = step(threads);
            EXPECT_TRUE(at::equal(one.y, more.y));
            for (const auto& [name, tensor] : one.gradients)
                EXPECT_TRUE(at::equal(tensor, more.gradients.at(name))) << name << ' ' << threads;
        }
    }
}

TEST(DecoderBlock, TakesPlainOperatorsWhereItHasNoKernels) {
    const Shape s = shapes[0];
    const auto same = [](const Block& b, bool training) {
        return at::equal(b.block.forward(b.input(), training), b.block.plain_forward(b.input(), training));
    };
    EXPECT_TRUE(same(Block(s, Activation::swish, at::kFloat, {.batch = false, .eps = 1e-3}), true));
    EXPECT_TRUE(same(Block(s, Activation::gelu, at::kFloat), true));
    EXPECT_TRUE(same(Block(s, Activation::swish, at::kDouble), true));
    EXPECT_TRUE(same(Block(s, Activation::swish, at::kFloat), false));  // gradients in evaluation
    const Shape smaller{2, 8, 5, 3, 8, 4, false};
    EXPECT_TRUE(same(Block(smaller, Activation::swish, at::kFloat), true));
    const Shape single{1, 8, 5, 3, 1, 1, false};
    EXPECT_TRUE(same(Block(single, Activation::swish, at::kFloat), true));
}

TEST(DecoderBlock, InputNeedNotBeChannelsLast) {
    const Block block(shapes[1], Activation::relu6, at::kFloat);
    EXPECT_TRUE(
        at::equal(block.block.forward(block.input(), true), block.block.forward(block.input().contiguous(), true)));
}

TEST(DecoderBlock, ABrokenInputIsSeenInTheResult) {
    const Block block(shapes[1], Activation::relu6, at::kFloat);
    at::Tensor x = block.input();
    x[0][0][0][0] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(at::isnan(block.block.forward(x, true)).any().item<bool>());
}

}  // namespace
}  // namespace ltad
