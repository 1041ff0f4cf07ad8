#pragma once

#include <cstdint>
#include <filesystem>

namespace ltad {

/// What a model directory is put together from.
struct ImportOptions {
    /// Image weights: EfficientNet-Lite's .pth, or transformers' EfficientNetModel or AlignModel (model.safetensors or
    /// pytorch_model.bin, its config.json and preprocessor_config.json beside it).
    std::filesystem::path image;
    /// Folder of a BERT: config.json, model.safetensors or pytorch_model.bin, vocab.txt or a SentencePiece *.model.
    std::filesystem::path text;
    /// What `ltad-pretrain train` wrote: text_projection, temperature, updates of the towers. Empty: the projection is
    /// random, and the directory says so.
    std::filesystem::path projection;
    std::filesystem::path out;
    std::int64_t seed = 0;  ///< of a random projection
};

/// Writes a model directory that ltad and transformers' AlignModel load. Its config.json, written last, records names
/// and hashes of what it was made from. Throws Error naming the file and the tensor that does not fit, and when `out`
/// already holds a model; then nothing that looks like a model is left behind.
void import_model_directory(const ImportOptions& options);

}  // namespace ltad
