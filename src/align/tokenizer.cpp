#include "ltad/align/tokenizer.h"

#include <unordered_set>
#include <utility>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "ltad/core/lfs_pointer.h"
#include "ltad/core/lines.h"
#include "read_key.h"
#include "sentencepiece_tokenizer.h"
#include "tokenizer_json.h"
#include "wordpiece.h"

namespace ltad {
namespace {

/// Of a list of words, one a line.
std::vector<std::string> read_vocabulary(const std::filesystem::path& file) {
    const std::string content = read_file(file);
    refuse_lfs_pointer(content, file);
    std::vector<std::string> tokens;
    std::unordered_set<std::string> seen;
    for (const std::string& line : text_lines(content, file.string())) {
        if (!seen.insert(line).second) fail(file.string(), ":", tokens.size() + 1, ": '", line, "' is listed twice");
        tokens.push_back(line);
    }
    return tokens;
}

/// The settings that transformers writes beside a vocabulary win over those in a tokenizer.json, as they do there.
void apply_tokenizer_config(const std::filesystem::path& directory, WordPieceSettings& settings) {
    const auto file = directory / "tokenizer_config.json";
    if (!std::filesystem::exists(file)) return;
    const json config = read_json(file);
    if (!config.is_object()) fail(file.string(), ": a JSON object was expected");
    read_key(config, "do_lower_case", settings.lower_case, file.string());
    read_key(config, "strip_accents", settings.strip_accents, file.string());
    read_key(config, "tokenize_chinese_chars", settings.split_ideographs, file.string());
}

std::unique_ptr<Tokenizer> load_wordpiece(const std::filesystem::path& file) {
    WordPieceFile parts;
    if (file.extension() == ".json")
        parts = read_tokenizer_json(file);
    else
        parts.tokens = read_vocabulary(file);
    apply_tokenizer_config(file.parent_path(), parts.settings);
    return std::make_unique<WordPiece>(std::move(parts.tokens), parts.settings, file.string());
}

}  // namespace

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
    std::vector<std::int64_t> all{cls_};
    for (const std::int64_t id : ids(text)) all.push_back(id);
    all.push_back(sep_);
    return all;
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
    const auto vocabulary = directory / "vocab.txt";
    if (std::filesystem::exists(vocabulary)) return load_wordpiece(vocabulary);
    std::vector<std::filesystem::path> models;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == ".model") models.push_back(entry.path());
    const auto fast = directory / "tokenizer.json";
    if (models.empty() && std::filesystem::exists(fast)) return load_wordpiece(fast);
    if (models.size() != 1)
        fail(directory.string(),
             ": a vocab.txt or tokenizer.json (WordPiece) or one *.model (SentencePiece) was expected, found ",
             models.size(), " *.model files and no vocab.txt");
    return std::make_unique<SentencePieceTokenizer>(models[0]);
}

}  // namespace ltad
