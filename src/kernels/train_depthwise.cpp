#include "ltad/kernels/train_depthwise.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <ATen/Parallel.h>

#include "ltad/kernels/gemm.h"
#include "train_strip.h"

namespace ltad {
namespace {

using namespace strip;

constexpr std::int64_t most_buffered = 64 * 1024;  // floats; two buffers lie in the L2 cache

std::vector<float> transposed(const float* weight, std::int64_t rows, std::int64_t columns) {
    std::vector<float> out(static_cast<std::size_t>(rows * columns));
    transpose(weight, rows, columns, columns, out.data(), rows);
    return out;
}

}  // namespace

/// A strip of a band of a picture.
struct Depthwise::Place {
    std::int64_t block, picture, first_channel, channels;
    std::int64_t in_begin, in_end, out_begin, out_end;  // rows of the input and of the output
};

/// A thread's buffers and what it does with them.
class Depthwise::Work {
public:
    explicit Work(const Depthwise& depthwise)
        : shape_(depthwise.shape_),
          source_(depthwise.source_),
          half_(shape_.kernel / 2),
          row_((shape_.size + 2 * half_) * width),
          taps_(shape_.kernel * shape_.kernel) {
        std::int64_t rows = 0;
        for (std::int64_t band = 0; band < depthwise.bands_; ++band) {
            const auto b = static_cast<std::size_t>(band);
            rows = std::max(rows, depthwise.band_out_[b + 1] - depthwise.band_out_[b] + 2 * half_);
        }
        for (auto& buffer : {&input_, &gradient_})
            *buffer = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(rows * row_));
        line_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(shape_.size * width));
        sum_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(shape_.in_size * width));
        weight_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(taps_ * width));
    }

    /// weight: [kernel², channels].
    void take_weight(const Place& place, const float* weight, bool flipped) {
        for (std::int64_t t = 0; t < taps_; ++t) {
            const float* const from = weight + (flipped ? taps_ - 1 - t : t) * shape_.channels + place.first_channel;
            float* const to = weight_.get() + t * width;
            std::copy_n(from, place.channels, to);
            std::fill(to + place.channels, to + width, 0.0f);
        }
    }

    void take_input(const Place& place, const NormedInput& input, const InputParameters& p) {
        for (std::int64_t y = place.out_begin - half_; y < place.out_end + half_; ++y) {
            float* const row = input_row(place, y);
            const bool outside = y < 0 || y >= shape_.size;
            if (!outside && y > std::max<std::int64_t>(0, place.out_begin - half_) && source(y) == source(y - 1)) {
                std::copy_n(row - row_, row_, row);
                continue;
            }
            clear_margins(row, outside);
            if (!outside)
                activate_row(input.f, in_row(place, input.x, source(y)), p, source_.data(), shape_.size,
                             row + half_ * width);
        }
    }

    void take_gradient(const Place& place, const GatedGradient& gradient) {
        const auto part = [&](const float* all) { return Parameter(all, place.first_channel, place.channels); };
        const float* const gate = gradient.gate + place.picture * shape_.channels;
        const float* const d_mean = gradient.d_mean + place.picture * shape_.channels;
        const GradientParameters p{part(gradient.norm.scale),
                                   part(gradient.norm.shift),
                                   part(gradient.through_norm.slope.data()),
                                   part(gradient.through_norm.offset.data()),
                                   part(gradient.through_norm.scale.data()),
                                   part(gate),
                                   part(d_mean)};
        for (std::int64_t y = place.out_begin - half_; y < place.out_end + half_; ++y) {
            float* const row = gradient_.get() + (y - place.out_begin + half_) * row_;
            const bool outside = y < 0 || y >= shape_.size;
            clear_margins(row, outside);
            if (!outside)
                gradient_row(gradient.f, out_row(place, gradient.y, y), out_row(place, gradient.d_gated, y), p,
                             shape_.size, row + half_ * width);
        }
    }

    /// The band's rows of y.
    void convolve(const Place& place, const NormedInput& input, float* y) {
        for (std::int64_t row = place.out_begin; row < place.out_end; ++row) {
            if (row == place.out_begin || source(row) != source(row - 1))
                fetch_next_strip(in_row(place, input.x, source(row)), shape_.in_size);
            const StripRow<float> to = out_row(place, y, row);
            const float* const from = input_.get() + (row - place.out_begin) * row_;
            const bool full = to.count == width;
            convolve_row(from, shape_.size, shape_.kernel, weight_.get(), full ? to.data : line_.get(),
                         full ? to.ld : width);
            for (std::int64_t x = 0; !full && x < shape_.size; ++x)
                std::copy_n(line_.get() + x * width, to.count, to.data + x * to.ld);
        }
    }

    /// The band's rows of d_z. The weight must be the flipped one.
    void convolve_back(const Place& place, const NormedInput& input, const InputParameters& p,
                       const GatedGradient& gradient, float* d_z, float* sum, float* product) {
        Parameter total, weighted;
        std::int64_t y = place.out_begin;
        for (std::int64_t i = place.in_begin; i < place.in_end; ++i) {
            std::fill_n(sum_.get(), shape_.in_size * width, 0.0f);
            fetch_next_strip(in_row(place, input.x, i), shape_.in_size);
            for (; y < place.out_end && source(y) == i; ++y) {
                fetch_next_strip(out_row(place, gradient.y, y), shape_.size);
                fetch_next_strip(out_row(place, gradient.d_gated, y), shape_.size);
                convolve_row(gradient_.get() + (y - place.out_begin) * row_, shape_.size, shape_.kernel, weight_.get(),
                             line_.get(), width);
                for (std::int64_t x = 0; x < shape_.size; ++x)
                    add_pixel(line_.get() + x * width, sum_.get() + source(x) * width);
            }
            finish_row(input.f, sum_.get(), in_row(place, input.x, i), p, shape_.in_size, in_row(place, d_z, i),
                       total.value, weighted.value);
        }
        std::copy_n(total.value, place.channels, sum + place.first_channel);
        std::copy_n(weighted.value, place.channels, product + place.first_channel);
    }

    /// The band's part of the weight's gradient: kind = tap.
    void correlate_into(const Place& place, BlockSums& parts) {
        std::fill_n(weight_.get(), taps_ * width, 0.0f);
        correlate(gradient_.get() + half_ * (row_ + width), input_.get(), place.out_end - place.out_begin, shape_.size,
                  shape_.kernel, weight_.get());
        for (std::int64_t t = 0; t < taps_; ++t)
            std::copy_n(weight_.get() + t * width, place.channels, parts.part(place.block, t) + place.first_channel);
    }

private:
    [[nodiscard]] std::int64_t source(std::int64_t y) const { return source_[static_cast<std::size_t>(y)]; }

    [[nodiscard]] float* input_row(const Place& place, std::int64_t y) {
        return input_.get() + (y - place.out_begin + half_) * row_;
    }

    void clear_margins(float* row, bool all) {
        if (all) {
            std::fill_n(row, row_, 0.0f);
            return;
        }
        std::fill_n(row, half_ * width, 0.0f);
        std::fill_n(row + row_ - half_ * width, half_ * width, 0.0f);
    }

    template <typename T>
    [[nodiscard]] StripRow<T> in_row(const Place& place, T* map, std::int64_t y) const {
        return {map + (place.picture * shape_.in_size + y) * shape_.in_size * shape_.channels + place.first_channel,
                shape_.channels, place.channels};
    }

    template <typename T>
    [[nodiscard]] StripRow<T> out_row(const Place& place, T* map, std::int64_t y) const {
        return {map + (place.picture * shape_.size + y) * shape_.size * shape_.channels + place.first_channel,
                shape_.channels, place.channels};
    }

    const DepthwiseShape& shape_;
    const std::vector<std::int64_t>& source_;
    std::int64_t half_;
    std::int64_t row_;  // floats of a row with its margins
    std::int64_t taps_;
    std::unique_ptr<float[]> input_, gradient_;  // a band with margins on all sides
    std::unique_ptr<float[]> line_;              // a row of results
    std::unique_ptr<float[]> sum_;               // a row of the input's gradient
    std::unique_ptr<float[]> weight_;            // [kernel², width]
};

Depthwise::Depthwise(const DepthwiseShape& shape) : shape_(shape) {
    const auto ratio = static_cast<float>(shape.in_size) / static_cast<float>(shape.size);  // as LibTorch rounds it
    for (std::int64_t y = 0; y < shape.size; ++y)
        source_.push_back(
            std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(y) * ratio)), shape.in_size - 1));
    const std::int64_t times = (shape.size + shape.in_size - 1) / shape.in_size;
    const std::int64_t margin = shape.kernel - 1;
    const std::int64_t buffered = most_buffered / ((shape.size + margin) * width);
    const std::int64_t most = std::max<std::int64_t>(1, (buffered - margin) / times);
    bands_ = (shape.in_size + most - 1) / most;
    const std::int64_t height = (shape.in_size + bands_ - 1) / bands_;
    bands_ = (shape.in_size + height - 1) / height;  // none is empty
    for (std::int64_t band = 0; band <= bands_; ++band) {
        const std::int64_t row = std::min(band * height, shape.in_size);
        band_in_.push_back(row);
        band_out_.push_back(std::lower_bound(source_.begin(), source_.end(), row) - source_.begin());
    }
}

std::vector<std::int64_t> Depthwise::rows_of_blocks() const {
    std::vector<std::int64_t> rows;
    for (std::int64_t block = 0; block < blocks(); ++block) {
        const auto band = static_cast<std::size_t>(block % bands_);
        rows.push_back((band_out_[band + 1] - band_out_[band]) * shape_.size);
    }
    return rows;
}

template <typename Job>
void Depthwise::for_places(const Job& job) const {
    const std::int64_t strips = (shape_.channels + width - 1) / width;
    at::parallel_for(0, blocks() * strips, 1, [&](std::int64_t begin, std::int64_t end) {
        Work work(*this);
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t block = i / strips;
            const std::int64_t first = i % strips * width;
            const auto band = static_cast<std::size_t>(block % bands_);
            job(work, Place{block, block / bands_, first, std::min(width, shape_.channels - first), band_in_[band],
                            band_in_[band + 1], band_out_[band], band_out_[band + 1]});
        }
    });
}

void Depthwise::forward(const NormedInput& input, const float* weight, float* y, BatchStatistics* statistics) const {
    const std::vector<float> by_tap = transposed(weight, shape_.channels, shape_.kernel * shape_.kernel);
    for_places([&](Work& work, const Place& place) {
        const auto part = [&](const float* all) { return Parameter(all, place.first_channel, place.channels); };
        work.take_input(place, input, {part(input.norm.mean), part(input.norm.scale), part(input.norm.shift)});
        work.take_weight(place, by_tap.data(), false);
        work.convolve(place, input, y);
        if (statistics == nullptr) return;
        const std::int64_t row = (place.picture * shape_.size + place.out_begin) * shape_.size;
        statistics->add(place.block, y + row * shape_.channels + place.first_channel, shape_.channels,
                        place.first_channel, place.channels);
    });
}

void Depthwise::backward(const NormedInput& input, const float* weight, const GatedGradient& gradient, float* d_z,
                         float* d_weight, BlockSums& sums) const {
    const std::int64_t taps = shape_.kernel * shape_.kernel;
    const std::vector<float> by_tap = transposed(weight, shape_.channels, taps);
    BlockSums parts(blocks(), taps, shape_.channels);
    for_places([&](Work& work, const Place& place) {
        const auto part = [&](const float* all) { return Parameter(all, place.first_channel, place.channels); };
        const InputParameters p{part(input.norm.mean), part(input.norm.scale), part(input.norm.shift)};
        work.take_input(place, input, p);
        work.take_gradient(place, gradient);
        work.take_weight(place, by_tap.data(), true);
        work.convolve_back(place, input, p, gradient, d_z, sums.part(place.block, 0), sums.part(place.block, 1));
        work.correlate_into(place, parts);
    });
    std::vector<float> d_by_tap(static_cast<std::size_t>(taps * shape_.channels));
    at::parallel_for(0, taps, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
            const std::vector<double> total = parts.total(t);
            std::transform(total.begin(), total.end(), d_by_tap.data() + t * shape_.channels,
                           [](double value) { return static_cast<float>(value); });
        }
    });
    transpose(d_by_tap.data(), taps, shape_.channels, shape_.channels, d_weight, taps);
}

}  // namespace ltad
