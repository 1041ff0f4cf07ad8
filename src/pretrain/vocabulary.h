#pragma once

#include <string>

namespace ltad {

/// A small WordPiece vocabulary of our own, as the text of a vocab.txt: special tokens, single characters that spell
/// any ASCII word, and the words that inspection prompts are made of.
[[nodiscard]] std::string small_vocabulary();

}  // namespace ltad
