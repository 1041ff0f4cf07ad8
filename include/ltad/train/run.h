#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ltad/align/align_model.h"
#include "ltad/align/feature_layout.h"
#include "ltad/config/config.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "ltad/core/outputs.h"
#include "ltad/features/extract.h"
#include "ltad/features/store.h"
#include "ltad/split/split.h"
#include "ltad/train/feature_set.h"

namespace ltad {

/// Whether a run looks at the pictures of its data set, or is content with the split in its folder: to score pictures
/// elsewhere.
enum class Listing { data_set, split_only };

/// What every command on a run starts from: its settings, split, encoder and features. Pictures are encoded when a
/// command asks, so that it can check everything cheap before.
class Run {
public:
    /// Lists the data set, makes or reads the split, loads the encoder; writes nothing. Throws Error.
    explicit Run(Config config, Listing listing = Listing::data_set);

    /// Throws Error when the run's folder holds another split than config and data set give now.
    void check_split() const;
    /// Throws Error when the run's folder holds a run of another method.
    void check_method() const;

    /// From now on no output takes the place of a file of the data set, with the lists of `split.path`.
    void keep_data_set(Outputs& outputs) const;
    /// Throws UsageError where a file of the run or of the feature store would take the place of one of the data set.
    void check_output() const;

    /// Claims the run's folder for a training: no other process trains there while the lock lives. Writes the split
    /// where there is none. Throws Error when the folder is a run of another method or split, but for `start_over`;
    /// throws as `check_output`.
    [[nodiscard]] FileLock claim(bool start_over) const;

    /// <output>/config.json: the resolved config with the program's version and revision.
    void write_config() const;

    /// Encodes the pictures that the feature store lacks; `verify` rehashes the whole store first, so that what is
    /// damaged is encoded again. Before it encodes anything it throws Error naming a mask of the test set with which no
    /// figure could be right, as `problems_of_masks` finds them.
    void prepare_features(bool verify);
    /// Those of the training set alone.
    void prepare_training_features();
    /// From now on pictures are compared with the feature store by content, of which size and time may not show a
    /// change.
    void compare_by_content(HashOf hash_of) { hash_of_ = std::move(hash_of); }

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

    /// What every training's result depends on: seed, features, classes, training pictures.
    [[nodiscard]] json common_settings() const;

private:
    /// Of the pictures, which the feature store knows.
    void warn_of_unused_bits() const;

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
    HashOf hash_of_;
};

/// Picks threads and device for a config.
[[nodiscard]] at::Device prepare_device(const Config& config);

/// Rehashes the whole store and warns of what is damaged, which counts as missing from then on.
void verify_features(FeatureStore& store);

}  // namespace ltad
