#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ltad/align/tokenizer.h"

namespace ltad {

/// What a WordPiece makes of a text beside its vocabulary; the defaults are those of BERT, uncased.
struct WordPieceSettings {
    bool clean_text = true;        ///< drop control characters, take every white space for one
    bool split_ideographs = true;  ///< each a word of its own
    bool lower_case = true;
    std::optional<bool> strip_accents;  ///< nothing: where `lower_case` is
    std::string prefix = "##";          ///< of pieces that go on with a word
    std::int64_t longest_word = 100;    ///< characters; a longer one is unknown
    std::string unknown = "[UNK]", cls = "[CLS]", sep = "[SEP]", pad = "[PAD]";
    /// Tokens that stand for themselves where a text has them written out.
    std::vector<std::string> special = {"[CLS]", "[MASK]", "[PAD]", "[SEP]", "[UNK]"};

    [[nodiscard]] bool strips_accents() const { return strip_accents.value_or(lower_case); }
};

/// BERT's WordPiece (Devlin et al. 2018), as the tokenizers library reads a text: clean, split at spaces, ideographs
/// and punctuation, lower-case without accents, then the longest known pieces from the left.
class WordPiece final : public Tokenizer {
public:
    /// `tokens`: the vocabulary, by id, each once. Throws Error naming `where` (the file) and a special token that is
    /// missing from it.
    WordPiece(std::vector<std::string> tokens, WordPieceSettings settings, const std::string& where);

    [[nodiscard]] std::vector<std::int64_t> ids(std::string_view text) const override;
    [[nodiscard]] std::string token(std::int64_t id) const override;
    [[nodiscard]] std::int64_t vocabulary_size() const override;
    [[nodiscard]] std::string settings() const override;

private:
    void append_pieces(const std::u32string& word, std::vector<std::int64_t>& ids) const;

    std::vector<std::string> tokens_;
    WordPieceSettings settings_;
    std::unordered_map<std::string, std::int64_t> id_of_;
    std::int64_t unknown_ = 0;
};

/// Words and punctuation marks of a text, each a run without spaces, as pieces are looked for in them.
[[nodiscard]] std::vector<std::u32string> split_words(std::string_view text, const WordPieceSettings& settings);

}  // namespace ltad
