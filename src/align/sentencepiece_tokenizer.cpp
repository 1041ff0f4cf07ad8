#include "sentencepiece_tokenizer.h"

#include <exception>
#include <initializer_list>

#include <sentencepiece_processor.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/lfs_pointer.h"
#include "sentencepiece_check.h"

namespace ltad {

SentencePieceTokenizer::SentencePieceTokenizer(const std::filesystem::path& model)
    : processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
    const std::string bytes = read_file(model);
    refuse_lfs_pointer(bytes, model);
    load(checked_sentencepiece_model(bytes, model.string()), model.string());
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

void SentencePieceTokenizer::load(const std::string& bytes, const std::string& where) {
    std::string problem;
    try {
        const auto status = processor_->LoadFromSerializedProto(bytes);
        if (status.ok()) return;
        problem = status.error_message();
    } catch (const std::exception& error) {  // of the tries that it builds
        problem = error.what();
    }
    fail(where, ": not a SentencePiece model: ", problem);
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
