#pragma once

#include <filesystem>

namespace ltad {

/// Copies the files that a tokenizer is made from: vocab.txt or *.model, and transformers' settings beside them.
void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace ltad
