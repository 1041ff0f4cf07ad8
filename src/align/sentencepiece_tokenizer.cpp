#include "sentencepiece_tokenizer.h"

#include <initializer_list>

#include <sentencepiece_processor.h>

#include "ltad/core/error.h"

namespace ltad {

SentencePieceTokenizer::SentencePieceTokenizer(const std::filesystem::path& model)
    : processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
    const auto status = processor_->Load(model.string());
    if (!status.ok()) fail(model.string(), ": not a SentencePiece model: ", status.error_message());
    // The names that BERT-like and T5-like models use.
    const auto special = [&](std::initializer_list<const char*> names, const char* role) -> std::int64_t {
        for (const char* name : names)
            if (const int id = processor_->PieceToId(name); !processor_->IsUnknown(id)) return id;
        fail(model.string(), ": no ", role, " token (", *names.begin(), " or ", *(names.begin() + 1), ") in the model");
    };
    cls_ = special({"[CLS]", "<s>"}, "start");
    sep_ = special({"[SEP]", "</s>"}, "end");
    pad_ = special({"[PAD]", "<pad>", "</s>"}, "padding");
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

std::vector<std::int64_t> SentencePieceTokenizer::ids(std::string_view text) const {
    std::vector<int> found;
    const auto status = processor_->Encode(text, &found);
    if (!status.ok()) fail("cannot tokenize '", text, "': ", status.error_message());
    return {found.begin(), found.end()};
}

std::string SentencePieceTokenizer::token(std::int64_t id) const {
    if (id < 0 || id >= vocabulary_size())
        fail("token id ", id, " is outside the vocabulary of ", vocabulary_size(), " tokens");
    return processor_->IdToPiece(static_cast<int>(id));
}

std::int64_t SentencePieceTokenizer::vocabulary_size() const { return processor_->GetPieceSize(); }

}  // namespace ltad
