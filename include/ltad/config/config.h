#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ltad {

/// Where the pictures are (DESIGN: datasets).
struct DatasetConfig {
    std::string layout = "mvtec";
    std::string root;
    /// Only for layout "jsonl": lists of images, one JSON object a line, paths relative to `root`.
    std::string train;
    std::string test;
    std::int64_t image_size = 224;
    /// What a mask's pixels that are not zero are: "defects"; "background" (inverted masks); or "unchecked": defects,
    /// even where the masks do not look like it.
    std::string masks = "defects";
    /// How many of their 16 bits the samples of 16-bit pictures use, from the lowest on (8 to 16); 0: all.
    std::int64_t bits = 0;
};

/// "cardinality", "alphabetical", or the class names themselves.
struct ClassOrder {
    std::string kind = "cardinality";
    std::vector<std::string> names;
};

/// Which training images are kept. A `path` to an existing split directory wins over the rest.
struct SplitConfig {
    static constexpr double most_imbalance = 1e9;

    std::string type = "step";
    double imbalance_factor = 100;
    ClassOrder class_order;
    bool reverse = false;
    std::string path;
};

struct EncoderConfig {
    std::string path = "models/align-base";
    /// 0-based block indices; empty means "auto": the last blocks of stages 1, 2, 3 and 5.
    std::vector<std::int64_t> taps;
    /// Side of the feature grid; 0 means image_size / 16.
    std::int64_t grid = 0;
    /// Of the image encoder's 1 × 1 convolutions: "float32" or "bfloat16" (CPU only). Features are kept in float32.
    std::string precision = "float32";
};

struct FeaturesConfig {
    std::string path = "features";
    std::int64_t batch_size = 8;
};

struct PromptsConfig {
    /// Tokens of a name; 0: as many as the text of `init` has, which may differ from class to class.
    std::int64_t length = 2;
    std::string init = "object";
    /// Whether phase 1 learns the names; else they stay as `init` made them.
    bool learned = true;
    /// States that names are completed with. Several make an ensemble: the mean of their text embeddings (table 7.3).
    std::vector<std::string> normal = {"a"};
    std::vector<std::string> abnormal = {"a broken"};
};

struct Phase1Config {
    std::int64_t epochs = 100;
    std::int64_t batch_size = 8;
    double learning_rate = 1e-4;
    /// "constant", the paper's; "cosine": falls to 0 over the epochs, for schedules much shorter than the paper's;
    /// "step": a tenth after four fifths of the steps, as UniAD's.
    std::string schedule = "constant";
    double weight_decay = 1e-4;
    double kl_weight = 0.01;
    /// What makes synthetic features: "vae", D(ẑ, t_c); or "autoencoder", D(μ) without noise and text (table 6.3).
    std::string generator = "vae";
};

struct DecoderConfig {
    std::string resolution = "native";
    std::string norm = "batch";
    /// In PyTorch's sense: the weight of the newest batch.
    double norm_momentum = 0.1;
    /// Side of the map that the decoder starts from.
    std::int64_t seed_size = 7;
};

struct Phase2Config {
    std::int64_t epochs = 500;
    std::int64_t batch_size = 8;
    double learning_rate = 1e-4;
    std::string schedule = "constant";  ///< as in phase 1
    double weight_decay = 1e-4;
    double real_probability = 0.5;
    std::string sampling = "constant";
    double jitter = 20;
    std::string jitter_scale = "token";
};

struct ReconstructionConfig {
    std::int64_t hidden_dim = 256;
    std::int64_t heads = 8;
    std::int64_t encoder_layers = 4;
    std::int64_t decoder_layers = 4;
    std::int64_t feedforward_dim = 1024;
    double dropout = 0.1;
    /// Side of the neighbourhood that attention must not see; 0 for none.
    std::int64_t neighbor_size = 7;
    /// Of the products with weights, in training and in scoring: "float32" or "bfloat16" (CPU only).
    std::string precision = "float32";
};

struct SemanticConfig {
    std::string projection = "per_layer";
    std::string pooling = "max";
    /// Where t_n and t_a come from: the text "encoder", or "free": two learned vectors for each class (table 8.2).
    std::string text = "encoder";
    double temperature = 1.0;
    bool normalize_text = true;
};

struct ScoringConfig {
    /// Weight of the semantic score; empty means "auto", from the training images' statistics.
    std::optional<double> lambda;
    std::string class_source = "given";
    /// "own", or "exchanged": every class is scored with the next one's name (table 8).
    std::string names = "own";
    std::int64_t image_pooling = 16;
    std::int64_t map_size = 224;
    /// Whether the figures over all classes' pixels as one are computed: 4 bytes for each pixel and score.
    bool mixed_pixels = true;
    /// Of a class's training pictures' scores: its threshold where nothing is labelled.
    double threshold_quantile = 0.99;
};

/// UniAD (You et al., NeurIPS 2022): Π trained on real features alone. Its size is `reconstruction`'s, its schedule and
/// jitter `phase2`'s.
struct UniadConfig {
    /// The gradient's norm, at most; 0 for no limit. Of the loss that is averaged over channels, too.
    double clip_norm = 0.1;
};

/// PatchCore (Roth et al., CVPR 2022) on the same features, one bank for all classes.
struct PatchcoreConfig {
    /// Share of the training patches that the greedy coreset keeps.
    double coreset = 0.1;
    /// Dimensions of the random projection in which the coreset is chosen; 0 for none.
    std::int64_t projection_dim = 128;
    /// Side of the neighbourhood that a patch is the mean of.
    std::int64_t neighborhood = 3;
    /// Deviation of the Gaussian that smooths the anomaly map, in pixels of the map; 0 for none.
    double smoothing = 4;
};

/// All of a run's settings. The only home of defaults; `load_config` fills and validates it.
struct Config {
    std::string name = "ltad";
    /// "ltad", or a baseline on the same features: "uniad" or "patchcore".
    std::string method = "ltad";
    std::int64_t seed = 133;
    std::string device = "auto";
    std::int64_t threads = 0;
    /// Seconds between saves of an unfinished training.
    double checkpoint_seconds = 60;
    DatasetConfig dataset;
    SplitConfig split;
    EncoderConfig encoder;
    FeaturesConfig features;
    PromptsConfig prompts;
    Phase1Config phase1;
    DecoderConfig decoder;
    Phase2Config phase2;
    ReconstructionConfig reconstruction;
    SemanticConfig semantic;
    ScoringConfig scoring;
    UniadConfig uniad;
    PatchcoreConfig patchcore;
    std::string output;

    /// `output`, or runs/<name> where that is empty.
    [[nodiscard]] std::filesystem::path output_path() const;
    /// `encoder.grid`, or image_size / 16 where that is 0.
    [[nodiscard]] std::int64_t grid() const;
};

}  // namespace ltad
