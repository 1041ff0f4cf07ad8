#pragma once

#include <filesystem>
#include <vector>

#include "ltad/data/sample.h"
#include "ltad/features/store.h"
#include "ltad/train/feature_set.h"

namespace ltad::bench {

/// A finished store of `count` pictures, as encode_missing leaves one; the pictures are small files with real stamps,
/// their features all alike. Its folder goes with it.
class TemporaryStore {
public:
    TemporaryStore(std::size_t count, FeatureStore::Shape shape);
    ~TemporaryStore();
    TemporaryStore(const TemporaryStore&) = delete;
    TemporaryStore& operator=(const TemporaryStore&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }

    [[nodiscard]] FeatureStore open() const;
    [[nodiscard]] FeatureSet set(const FeatureStore& store) const;
    /// Opens the store and finds that no picture is missing, as every command does before it starts.
    void find_finished() const;

private:
    FeatureStore::Shape shape_;
    std::filesystem::path folder_;
    std::vector<Sample> samples_;
};

}  // namespace ltad::bench
