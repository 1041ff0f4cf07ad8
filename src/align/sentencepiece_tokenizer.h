#pragma once

#include <memory>

#include "ltad/align/tokenizer.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace ltad {

/// SentencePiece models, by the library of that name.
class SentencePieceTokenizer final : public Tokenizer {
public:
    /// Throws Error naming the file: not a model, tables that lead out of it (see sentencepiece_check.h), or none of
    /// the usual special tokens in it.
    explicit SentencePieceTokenizer(const std::filesystem::path& model);
    ~SentencePieceTokenizer() override;

    [[nodiscard]] std::vector<std::int64_t> ids(std::string_view text) const override;
    [[nodiscard]] std::string token(std::int64_t id) const override;
    [[nodiscard]] std::int64_t vocabulary_size() const override;
    [[nodiscard]] std::string settings() const override { return "sentencepiece"; }

private:
    void load(const std::string& bytes, const std::string& where);

    std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

}  // namespace ltad
