#include "ltad/align/tokenizer.h"

#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "sentencepiece_tokenizer.h"
#include "wordpiece.h"

namespace ltad {

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
    std::vector<std::int64_t> all{cls_};
    for (const std::int64_t id : ids(text)) all.push_back(id);
    all.push_back(sep_);
    return all;
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
    const auto vocabulary = directory / "vocab.txt";
    if (std::filesystem::exists(vocabulary)) {
        const auto settings = directory / "tokenizer_config.json";
        const json config = std::filesystem::exists(settings) ? read_json(settings) : json::object();
        const bool lower_case = !config.contains("do_lower_case") || config["do_lower_case"] != false;
        return std::make_unique<WordPiece>(vocabulary, lower_case);
    }
    std::vector<std::filesystem::path> models;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == ".model") models.push_back(entry.path());
    if (models.size() != 1)
        fail(directory.string(), ": a vocab.txt (WordPiece) or one *.model (SentencePiece) was expected, found ",
             models.size(), " *.model files and no vocab.txt");
    return std::make_unique<SentencePieceTokenizer>(models[0]);
}

}  // namespace ltad
