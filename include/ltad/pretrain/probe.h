#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/config/config.h"
#include "ltad/core/json.h"
#include "ltad/eval/results.h"

namespace ltad {

struct ProbeOptions {
    std::int64_t images = 60;      ///< training pictures of each class that make its bank, at most
    bool verify_features = false;  ///< rehash the whole feature store first
};

struct ProbeClass {
    std::string name;
    std::int64_t train = 0;  ///< pictures in the bank
    std::int64_t test_good = 0;
    std::int64_t test_defective = 0;
    Figures figures{};
};

/// What an encoder's features tell without any training, and the settings that it depends on.
struct ProbeResult {
    std::string encoder;  ///< encoder.path
    std::vector<std::int64_t> taps;
    std::int64_t grid = 0;
    std::int64_t image_size = 0;
    std::int64_t images = 0;            ///< as asked for
    std::int64_t empty_masks = 0;       ///< defective pictures whose resized mask is empty
    std::vector<ProbeClass> classes{};  ///< bytewise by name
};

/// Nearest-neighbour probe of config.encoder on config.dataset: how well its features tell good from defective without
/// any training. A class's bank is the patches (C_tot channels at each of the G × G places) of its first training
/// pictures, bytewise by file name, whatever the split; each channel is standardised with the bank's mean and
/// deviation. A patch's score is its Euclidean distance to the nearest patch of the bank, wherever in the picture that
/// is; an image's score is its largest patch score; the anomaly map is the G × G scores resized as `anomaly_maps` does.
/// The text encoder is not used and may be missing. Adds to the feature store what it needs and writes nothing else.
/// Throws UsageError for options out of range, Error naming a picture or mask as `evaluate` does, Interrupted.
[[nodiscard]] ProbeResult probe_encoder(const Config& config, const ProbeOptions& options);

/// Per class and Avg, in percent with two decimals.
[[nodiscard]] std::string format_probe_table(const ProbeResult& result);

/// Format "ltad-probe/1": the settings, "classes" and "mean", AUROCs in [0, 1] or null.
[[nodiscard]] json to_json(const ProbeResult& result);

}  // namespace ltad
