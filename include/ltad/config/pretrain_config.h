#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace ltad {

/// What is learned from: generated pairs, or with a `list` the user's own.
struct PairsConfig {
    /// A jsonl file of {"image": path relative to the file, "text": caption}; empty for generated pairs.
    std::string list;
    std::int64_t count = 20000;  ///< generated pairs
    std::int64_t image_size = 224;
    /// Every so-manieth pair of a list is held out for the measures.
    std::int64_t held_out_every = 10;
};

/// Contrastive training of a model directory (Jia et al., "Scaling up visual and vision-language representation
/// learning with noisy text supervision", ICML 2021, section 4).
struct ContrastiveConfig {
    /// "frozen", or "trained" (batch norms keep their statistics).
    std::string image_tower = "frozen";
    /// "frozen": the text projection alone is trained; "low_rank": with it, updates of the linear layers; "trained".
    std::string text_tower = "frozen";
    std::int64_t rank = 4;  ///< of the low-rank updates
    std::int64_t epochs = 30;
    std::int64_t batch_size = 256;
    double learning_rate = 1e-3;
    std::int64_t warmup_steps = 100;  ///< the rate rises linearly, then falls as a cosine
    double weight_decay = 1e-2;
    double label_smoothing = 0.1;
    double temperature = 0.07;  ///< its start; it is learned
};

/// Measures on pairs that training does not see.
struct HeldOutConfig {
    std::int64_t every = 5;                ///< epochs between measures
    std::int64_t pairs = 1000;             ///< for the recall among 100
    std::int64_t pictures_per_class = 40;  ///< good and as many broken ones, for the zero-shot AUROC
};

/// All settings of `ltad-pretrain train`. The only home of their defaults.
struct PretrainConfig {
    std::string name = "pretrain";
    std::int64_t seed = 133;
    std::string device = "auto";
    std::int64_t threads = 0;
    double checkpoint_seconds = 60;
    std::string model = "models/align-lite";  ///< the model directory to start from
    PairsConfig pairs;
    ContrastiveConfig contrastive;
    HeldOutConfig held_out;
    std::string output;

    /// `output`, or runs/<name> where that is empty.
    [[nodiscard]] std::filesystem::path output_path() const {
        return output.empty() ? std::filesystem::path("runs") / name : std::filesystem::path(output);
    }
};

}  // namespace ltad
