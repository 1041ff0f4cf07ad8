#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/core/random.h"
#include "ltad/data/sample.h"
#include "ltad/features/extract.h"
#include "ltad/features/store.h"
#include "ltad/model/feature_vae.h"

namespace ltad {

/// Features of some samples, on the device.
struct FeatureBatch {
    at::Tensor maps;     ///< [B, C_tot, G, G]
    at::Tensor latents;  ///< [B, d_z]
    at::Tensor classes;  ///< [B] int64
};

/// Samples whose features are in the store, which must outlive this.
class FeatureSet {
public:
    FeatureSet(const FeatureStore& store, const std::filesystem::path& root, const std::vector<Sample>& samples,
               const std::map<std::string, std::int64_t>& class_index, at::Device device);

    /// Features that no store keeps: maps [N, C_tot, G, G] and latents [N, d_z] of the files, and their classes.
    FeatureSet(const ExtractedFeatures& features, const std::vector<std::filesystem::path>& files,
               const std::vector<std::int64_t>& classes, at::Device device);

    [[nodiscard]] std::size_t size() const { return items_.size(); }
    [[nodiscard]] std::int64_t class_of(std::size_t i) const { return items_[i].class_index; }
    /// The picture itself, for methods that look at pixels.
    [[nodiscard]] const std::filesystem::path& file_of(std::size_t i) const { return items_[i].file; }
    [[nodiscard]] const ImageFeatures& features_of(std::size_t i) const { return items_[i].features; }
    /// The sample's identity in random streams: depends on its file name alone.
    [[nodiscard]] std::uint64_t key_of(std::size_t i) const { return items_[i].key; }
    [[nodiscard]] FeatureBatch batch(std::span<const std::size_t> indices) const;
    /// Has the system read these from disk while others are worked on: a store may be larger than the memory.
    void read_ahead(std::span<const std::size_t> indices) const;

private:
    struct Item {
        std::filesystem::path file;
        ImageFeatures features;
        std::int64_t class_index = 0;
        std::uint64_t key = 0;
    };

    FeatureStore::Shape shape_;
    at::Device device_;
    std::vector<Item> items_;
    at::Tensor maps_, latents_;  ///< what the items point into, where no store holds it
};

/// One pass over a set, computed in double.
[[nodiscard]] FeatureStatistics feature_statistics(const FeatureSet& set);

/// The batch of `step`, and the one after it in the same epoch (empty at its end), from an epoch's order.
struct BatchIndices {
    std::span<const std::size_t> now, next;
};
[[nodiscard]] BatchIndices batch_indices(std::span<const std::size_t> order, std::int64_t step, std::size_t batch_size);

/// 0 … count − 1 in the order of this epoch; depends on (seed, phase, epoch) alone.
[[nodiscard]] std::vector<std::size_t> epoch_order(std::int64_t seed, int phase, std::int64_t epoch, std::size_t count);

/// Seeds LibTorch's generator, which dropout draws from, for a step: what ran before does not matter.
void seed_dropout(std::int64_t seed, std::int64_t step, at::Device device);

/// Standard normal noise, [B, shape…]; row i depends on (seed, phase, epoch, sample) alone.
[[nodiscard]] at::Tensor sample_noise(RandomUse use, std::int64_t seed, int phase, std::int64_t epoch,
                                      const FeatureSet& set, std::span<const std::size_t> indices,
                                      const std::vector<std::int64_t>& shape, at::Device device);

}  // namespace ltad
