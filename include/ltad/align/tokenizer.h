#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ltad {

/// Text → token ids of a text encoder.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    /// Ids of the text alone, without special tokens; empty for an empty text.
    [[nodiscard]] virtual std::vector<std::int64_t> ids(std::string_view text) const = 0;
    /// The vocabulary's spelling of an id. Throws Error for an id outside the vocabulary.
    [[nodiscard]] virtual std::string token(std::int64_t id) const = 0;
    [[nodiscard]] virtual std::int64_t vocabulary_size() const = 0;
    /// In words, what beside the vocabulary changes the ids.
    [[nodiscard]] virtual std::string settings() const = 0;

    /// The ids that stand around every text and fill short ones; read from the files.
    [[nodiscard]] std::int64_t cls() const { return cls_; }
    [[nodiscard]] std::int64_t sep() const { return sep_; }
    [[nodiscard]] std::int64_t pad() const { return pad_; }

    /// [CLS] ids [SEP], as the encoder reads it.
    [[nodiscard]] std::vector<std::int64_t> encode(std::string_view text) const;

protected:
    std::int64_t cls_ = 0;
    std::int64_t sep_ = 0;
    std::int64_t pad_ = 0;
};

/// The tokenizer of a model directory: vocab.txt → BERT WordPiece, else the one *.model → SentencePiece, else a
/// WordPiece in tokenizer.json. A WordPiece is uncased unless tokenizer_config.json (do_lower_case, strip_accents,
/// tokenize_chinese_chars) or tokenizer.json says otherwise. Throws Error naming the directory when it has none of
/// these, and naming the file and what in it is missing or not supported.
[[nodiscard]] std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory);

}  // namespace ltad
