#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "ltad/align/bert.h"
#include "ltad/align/efficientnet.h"
#include "ltad/align/preprocessing.h"
#include "ltad/align/tokenizer.h"

namespace ltad {

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

/// The file of weights of a model directory: its model.safetensors, else its pytorch_model.bin, or the index that
/// either has where it is split into several files. Throws Error when there is none.
[[nodiscard]] std::filesystem::path model_weights_file(const std::filesystem::path& directory);
[[nodiscard]] Weights read_model_weights(const std::filesystem::path& directory);

/// A model directory in the layout of kakaobrain/align-base: config.json, model.safetensors or pytorch_model.bin (float
/// or half precision, in one file or several with an index), preprocessor_config.json or processor_config.json, and for
/// the text encoder vocab.txt, a SentencePiece *.model or tokenizer.json. A
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
