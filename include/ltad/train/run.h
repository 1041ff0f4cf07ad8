#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ltad/align/align_model.h"
#include "ltad/align/feature_layout.h"
#include "ltad/config/config.h"
#include "ltad/core/json.h"
#include "ltad/features/store.h"
#include "ltad/split/split.h"
#include "ltad/train/feature_set.h"

namespace ltad {

/// What every command on a run starts from: its settings, split, encoder and features. Pictures are encoded when a
/// command asks, so that it can check everything cheap before.
class Run {
public:
    /// Makes the split where there is none. Throws Error, among others when a split that is there is not the one that
    /// config and data set give.
    explicit Run(Config config);

    /// Encodes the pictures that the feature store lacks; `verify` rehashes the whole store first and throws Error when
    /// it is damaged.
    void prepare_features(bool verify);

    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] at::Device device() const { return device_; }
    [[nodiscard]] const std::filesystem::path& output() const { return output_; }
    [[nodiscard]] const Split& split() const { return split_; }
    [[nodiscard]] const AlignModel& encoder() const { return encoder_; }
    [[nodiscard]] const FeatureLayout& layout() const { return layout_; }
    /// In class order, as everywhere classes have indices.
    [[nodiscard]] const std::vector<std::string>& class_names() const { return class_names_; }

    /// After `prepare_features`.
    [[nodiscard]] FeatureSet features_of(const std::vector<Sample>& samples) const;
    /// Training pictures of the data set that the split left out.
    [[nodiscard]] const std::vector<Sample>& held_out() const { return held_out_; }

    /// What phase 1's result depends on.
    [[nodiscard]] json phase1_settings() const;

private:
    [[nodiscard]] Split open_split(const Dataset& dataset) const;

    Config config_;
    std::filesystem::path output_;
    at::Device device_;
    std::vector<Sample> held_out_;
    Split split_;
    std::vector<std::string> class_names_;
    std::map<std::string, std::int64_t> class_index_;
    AlignModel encoder_;
    FeatureLayout layout_;
    FeatureStore store_;
};

/// Writes the resolved config with the program's version and revision: <output>/config.json.
void write_run_config(const Config& config);

/// Picks threads and device for a config.
[[nodiscard]] at::Device prepare_device(const Config& config);

}  // namespace ltad
