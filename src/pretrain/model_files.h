#pragma once

#include <filesystem>
#include <string>

#include "ltad/core/outputs.h"

namespace ltad {

/// Claims the files of a model directory that is to be made; `tokenizer`: the folder whose tokenizer files it gets, or
/// empty for a vocabulary of its own.
void claim_model_files(Outputs& outputs, const std::filesystem::path& folder, const std::filesystem::path& tokenizer,
                       const std::string& option);

/// Copies the files that a tokenizer is made from: vocab.txt, tokenizer.json or *.model, and transformers' settings
/// beside them.
void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace ltad
