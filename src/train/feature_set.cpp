#include "ltad/train/feature_set.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"

namespace ltad {

FeatureSet::FeatureSet(const FeatureStore& store, const std::filesystem::path& root, const std::vector<Sample>& samples,
                       const std::map<std::string, std::int64_t>& class_index, at::Device device)
    : shape_(store.shape()), device_(device) {
    for (const Sample& sample : samples)
        items_.push_back({.file = root / sample.file,
                          .features = store.get(std::filesystem::weakly_canonical(root / sample.file).string()),
                          .class_index = class_index.at(sample.class_name),
                          .key = random_key(sample.file)});
}

FeatureSet::FeatureSet(const ExtractedFeatures& features, const std::vector<std::filesystem::path>& files,
                       const std::vector<std::int64_t>& classes, at::Device device)
    : shape_{.channels = features.maps.size(1), .grid = features.maps.size(2), .latent = features.latents.size(1)},
      device_(device),
      maps_(features.maps.to(at::kCPU).contiguous()),
      latents_(features.latents.to(at::kCPU).contiguous()) {
    const auto row = [](const at::Tensor& tensor, std::size_t i) {
        const auto size = static_cast<std::size_t>(tensor.numel() / tensor.size(0));
        return std::span(tensor.const_data_ptr<float>() + i * size, size);
    };
    for (std::size_t i = 0; i < files.size(); ++i)
        items_.push_back({.file = files[i],
                          .features = {.map = row(maps_, i), .latent = row(latents_, i)},
                          .class_index = classes[i],
                          .key = random_key(files[i].string())});
}

FeatureBatch FeatureSet::batch(std::span<const std::size_t> indices) const {
    const auto count = static_cast<std::int64_t>(indices.size());
    at::Tensor maps = at::empty({count, shape_.channels, shape_.grid, shape_.grid});
    at::Tensor latents = at::empty({count, shape_.latent});
    at::Tensor classes = at::empty({count}, at::kLong);
    float* map = maps.mutable_data_ptr<float>();
    float* latent = latents.mutable_data_ptr<float>();
    std::int64_t* label = classes.mutable_data_ptr<std::int64_t>();
    for (const std::size_t i : indices) {
        const Item& item = items_[i];
        map = std::copy(item.features.map.begin(), item.features.map.end(), map);
        latent = std::copy(item.features.latent.begin(), item.features.latent.end(), latent);
        *label++ = item.class_index;
    }
    return {maps.to(device_), latents.to(device_), classes.to(device_)};
}

void FeatureSet::read_ahead(std::span<const std::size_t> indices) const {
    for (const std::size_t i : indices)
        for (const std::span<const float> part : {items_[i].features.map, items_[i].features.latent})
            ltad::read_ahead({reinterpret_cast<const char*>(part.data()), part.size_bytes()});
}

BatchIndices batch_indices(std::span<const std::size_t> order, std::int64_t step, std::size_t batch_size) {
    const std::size_t per_epoch = (order.size() + batch_size - 1) / batch_size;
    const std::size_t first = static_cast<std::size_t>(step) % per_epoch * batch_size;
    const auto from = [&](std::size_t begin) {
        begin = std::min(begin, order.size());
        return order.subspan(begin, std::min(batch_size, order.size() - begin));
    };
    return {from(first), from(first + batch_size)};
}

FeatureStatistics feature_statistics(const FeatureSet& set) {
    std::array<at::Tensor, 4> sums;  // channels, their squares, latents, their squares
    at::TensorOptions options;
    for (std::size_t i = 0; i < set.size(); ++i) {
        stop_if_interrupted("interrupted; no training step was made");
        const FeatureBatch batch = set.batch(std::array{i});
        options = batch.maps.options();
        const at::Tensor map = batch.maps[0].to(at::kCPU, at::kDouble);
        const at::Tensor latent = batch.latents[0].to(at::kCPU, at::kDouble);
        const std::array<at::Tensor, 4> terms = {map.mean({1, 2}), map.square().mean({1, 2}), latent, latent.square()};
        for (std::size_t k = 0; k < terms.size(); ++k) sums[k] = i == 0 ? terms[k] : sums[k] + terms[k];
    }
    const auto count = static_cast<double>(set.size());
    const auto deviation = [&](const at::Tensor& sum, const at::Tensor& squares) {
        return (squares / count - (sum / count).square()).clamp_min(0).sqrt().to(options);
    };
    return {(sums[0] / count).to(options), deviation(sums[0], sums[1]), (sums[2] / count).to(options),
            deviation(sums[2], sums[3])};
}

std::vector<std::size_t> epoch_order(std::int64_t seed, int phase, std::int64_t epoch, std::size_t count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random random(RandomUse::epoch_order, {static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(phase),
                                           static_cast<std::uint64_t>(epoch)});
    random.shuffle(order);
    return order;
}

void seed_dropout(std::int64_t seed, std::int64_t step, at::Device device) {
    Random random(RandomUse::dropout, {static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(step)});
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(random.next_u64());
}

at::Tensor sample_noise(RandomUse use, std::int64_t seed, int phase, std::int64_t epoch, const FeatureSet& set,
                        std::span<const std::size_t> indices, const std::vector<std::int64_t>& shape,
                        at::Device device) {
    std::vector<std::int64_t> full{static_cast<std::int64_t>(indices.size())};
    full.insert(full.end(), shape.begin(), shape.end());
    at::Tensor noise = at::empty(full);
    float* const data = noise.mutable_data_ptr<float>();
    const std::size_t row = indices.empty() ? 0 : static_cast<std::size_t>(noise.numel()) / indices.size();
    at::parallel_for(0, full[0], 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            Random random(use, {static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(phase),
                                static_cast<std::uint64_t>(epoch), set.key_of(indices[i])});
            random.fill_normal({data + i * row, row});
        }
    });
    return noise.to(device);
}

}  // namespace ltad
