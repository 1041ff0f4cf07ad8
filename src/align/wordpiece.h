#pragma once

#include <string>
#include <unordered_map>

#include "ltad/align/tokenizer.h"

namespace ltad {

/// BERT's WordPiece (Devlin et al. 2018): clean, split at spaces, ideographs and punctuation, lower-case without
/// accents, then the longest known pieces from the left.
class WordPiece final : public Tokenizer {
public:
    /// Throws Error naming the file: a missing special token, a token listed twice, an empty vocabulary.
    WordPiece(const std::filesystem::path& vocabulary, bool lower_case);

    [[nodiscard]] std::vector<std::int64_t> ids(std::string_view text) const override;
    [[nodiscard]] std::string token(std::int64_t id) const override;
    [[nodiscard]] std::int64_t vocabulary_size() const override;
    [[nodiscard]] std::string settings() const override { return lower_case_ ? "uncased" : "cased"; }

private:
    void append_pieces(const std::u32string& word, std::vector<std::int64_t>& ids) const;

    std::vector<std::string> tokens_;
    std::unordered_map<std::string, std::int64_t> id_of_;
    bool lower_case_;
    std::int64_t unknown_ = 0;
};

}  // namespace ltad
