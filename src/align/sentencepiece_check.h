#pragma once

#include <string>
#include <string_view>

namespace ltad {

/// The library of SentencePiece takes a model file's tables as they are, and reads past them where they lie. This
/// checks what it will read: the normalizer's trie (sentencepiece_model.proto: precompiled_charsmap; its units are
/// those of darts-clone), the replacements that it points to, and the pieces. Returns the model without what is not
/// needed for encoding and would be run at once (its self-test) or never (its denormalizer). Throws Error naming
/// `where`, and what was found.
[[nodiscard]] std::string checked_sentencepiece_model(std::string_view bytes, const std::string& where);

}  // namespace ltad
