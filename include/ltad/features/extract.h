#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "ltad/align/align_model.h"
#include "ltad/align/feature_layout.h"
#include "ltad/config/config.h"
#include "ltad/data/image.h"
#include "ltad/features/store.h"

namespace ltad {

struct ExtractedFeatures {
    at::Tensor maps;     ///< [N, C_tot, G, G]
    at::Tensor latents;  ///< [N, d_z]
};

/// Encodes pictures ([N, H, W, 3] uint8): each tap resized bilinearly (align_corners) to G × G, then concatenated.
[[nodiscard]] ExtractedFeatures extract_features(const AlignModel& encoder, const FeatureLayout& layout,
                                                 const at::Tensor& pictures);

/// A picture resized to image_size: [H, W, 3] uint8.
[[nodiscard]] at::Tensor picture_tensor(const Image& image, std::int64_t image_size);

/// The store for these settings.
[[nodiscard]] FeatureStore open_store(const Config& config, const AlignModel& encoder, const FeatureLayout& layout);

/// SHA-256 of a file.
using HashOf = std::function<std::string(const std::filesystem::path&)>;

/// Encodes those of the files that the store lacks; decoding runs beside encoding. `hash_of`: compares files by
/// content; empty: by size and time, where these are the same. Throws Error naming an unreadable picture, Interrupted
/// after saving what was done.
void encode_missing(FeatureStore& store, const AlignModel& encoder, const FeatureLayout& layout,
                    const std::vector<std::filesystem::path>& files, std::int64_t batch_size,
                    const HashOf& hash_of = {});

}  // namespace ltad
