#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "wordpiece.h"

namespace ltad {

/// What a WordPiece is made from.
struct WordPieceFile {
    std::vector<std::string> tokens;  ///< by id
    WordPieceSettings settings;
};

/// Reads a tokenizer.json of the tokenizers library that holds a BERT: WordPiece, BertNormalizer, BertPreTokenizer,
/// a start and an end token around the text. Throws Error naming the file and whatever in it is something else.
[[nodiscard]] WordPieceFile read_tokenizer_json(const std::filesystem::path& file);

}  // namespace ltad
