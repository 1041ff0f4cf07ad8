#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "ltad/align/bert.h"
#include "ltad/align/efficientnet.h"
#include "ltad/align/tokenizer.h"

namespace ltad {

/// Grey levels → encoder input, per channel: x · scale + offset.
struct Preprocessing {
    std::array<double, 3> scale{};
    std::array<double, 3> offset{};
};

/// What a preprocessor_config.json says: rescale_factor, rescale_offset (then −1), image_mean and image_std. Its own
/// size and crop are not used. Throws Error naming `where` (the file) and the key.
[[nodiscard]] Preprocessing parse_preprocessing(const json& document, const std::string& where);
[[nodiscard]] Preprocessing read_preprocessing(const std::filesystem::path& file);

/// What config.json of a model directory says.
struct AlignConfig {
    EfficientNetConfig vision;
    std::optional<BertConfig> text;  ///< empty for an image-only backbone (model_type "efficientnet")
    std::int64_t projection_dim = 640;
    bool random_weights = false;     ///< made by `ltad-pretrain init`
    bool random_projection = false;  ///< made by `ltad-pretrain import` without a projection
};

/// Throws Error naming the file and key.
[[nodiscard]] AlignConfig parse_align_config(const json& document, const std::string& where);

/// Names and shapes of all tensors of transformers' AlignModel with this config.
[[nodiscard]] Shapes align_shapes(const AlignConfig& config);

/// Of a model directory: its model.safetensors, else its pytorch_model.bin. Throws Error when there is neither.
[[nodiscard]] std::filesystem::path model_weights_file(const std::filesystem::path& directory);
[[nodiscard]] Weights read_model_weights(const std::filesystem::path& directory);

/// A model directory in the layout of kakaobrain/align-base: config.json, model.safetensors or pytorch_model.bin (float
/// or half precision), preprocessor_config.json, and for the text encoder vocab.txt or a SentencePiece *.model. A
/// directory in the layout of transformers' EfficientNetModel loads as an image-only backbone.
class AlignModel {
public:
    /// Throws Error naming the file, and the tensors that are missing, unexpected or misshapen.
    AlignModel(std::filesystem::path directory, at::Device device, Precision image_precision = Precision::float32);

    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
    [[nodiscard]] const AlignConfig& config() const { return config_; }
    [[nodiscard]] const ImageEncoder& image() const { return *image_; }
    /// Throws Error for an image-only backbone, as does `tokenizer`.
    [[nodiscard]] const TextEncoder& text() const;
    [[nodiscard]] const Tokenizer& tokenizer() const;

    /// [N, H, W, 3] uint8 → [N, 3, H, W] float, channels-last.
    [[nodiscard]] at::Tensor preprocess(const at::Tensor& pictures) const;

    /// Changes with anything that changes image features: weights, architecture, preprocessing.
    [[nodiscard]] const std::string& image_fingerprint() const { return image_fingerprint_; }
    /// Changes with anything at all: the above, the text encoder, the vocabulary.
    [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

private:
    void load_text(const Weights& weights);
    [[noreturn]] void refuse_text() const;

    std::filesystem::path directory_;
    at::Device device_;
    AlignConfig config_;
    Preprocessing preprocessing_;
    std::unique_ptr<const ImageEncoder> image_;
    std::unique_ptr<const TextEncoder> text_;
    std::unique_ptr<const Tokenizer> tokenizer_;
    std::string image_fingerprint_;
    std::string fingerprint_;
};

}  // namespace ltad
