#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/tokenizer.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

enum class Kind : char { normal = 1, unknown = 2, control = 3 };

struct Piece {
    std::string text;
    float score = 0;
    Kind kind = Kind::normal;
};

/// A protobuf field of type "length-delimited"; everything here is shorter than 128 bytes.
std::string field(int number, const std::string& bytes) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

/// A unigram model, written as sentencepiece_model.proto says, so that no trainer is needed.
std::string model_of(const std::vector<Piece>& pieces) {
    std::string model;
    for (const Piece& piece : pieces) {
        char score[4];
        std::memcpy(score, &piece.score, 4);
        model += field(1, field(1, piece.text) + std::string{2 << 3 | 5} + std::string(score, 4) +
                              std::string{3 << 3, static_cast<char>(piece.kind)});
    }
    model += field(2, std::string{3 << 3, 1});  // trainer_spec.model_type = UNIGRAM
    model += field(3, field(1, "identity"));    // normalizer_spec.name
    return model;
}

std::vector<Piece> words() {
    return {{"▁metal", -3}, {"▁nut", -3}, {"▁", -6}, {"s", -4}, {"▁a", -2}, {"m", -9}, {"e", -9}, {"t", -9}};
}

std::vector<Piece> with_specials(std::vector<Piece> specials) {
    for (Piece& piece : words()) specials.push_back(std::move(piece));
    return specials;
}

const std::vector<Piece> bert_like = with_specials({{"[PAD]", 0, Kind::control},
                                                    {"[UNK]", 0, Kind::unknown},
                                                    {"[CLS]", 0, Kind::control},
                                                    {"[SEP]", 0, Kind::control}});

std::unique_ptr<Tokenizer> load(const test::TemporaryFolder& folder, const std::string& bytes) {
    write_file_atomically(folder / "spiece.model", bytes);
    return load_tokenizer(folder.path());
}

TEST(SentencePiece, TakesTheBestSegmentation) {
    const test::TemporaryFolder folder;
    const auto tokenizer = load(folder, model_of(bert_like));
    EXPECT_EQ(tokenizer->vocabulary_size(), 12);
    EXPECT_EQ(tokenizer->cls(), 2);
    EXPECT_EQ(tokenizer->sep(), 3);
    EXPECT_EQ(tokenizer->pad(), 0);
    EXPECT_THAT(tokenizer->ids("metal nuts"), ElementsAre(4, 5, 7));
    EXPECT_THAT(tokenizer->ids("  a   nut "), ElementsAre(8, 5));
    EXPECT_THAT(tokenizer->encode("a"), ElementsAre(2, 8, 3));
    EXPECT_THAT(tokenizer->ids(""), IsEmpty());
    EXPECT_EQ(tokenizer->token(4), "▁metal");
    for (const auto id : tokenizer->ids("\xFF\x80 中 \x01")) EXPECT_TRUE(id >= 0 && id < 12) << id;
}

TEST(SentencePiece, KnowsT5LikeSpecialTokens) {
    const test::TemporaryFolder folder;
    const auto tokenizer = load(
        folder,
        model_of(with_specials({{"<unk>", 0, Kind::unknown}, {"<s>", 0, Kind::control}, {"</s>", 0, Kind::control}})));
    EXPECT_EQ(tokenizer->cls(), 1);
    EXPECT_EQ(tokenizer->sep(), 2);
    EXPECT_EQ(tokenizer->pad(), 2);  // none of its own
}

TEST(SentencePiece, RefusesModelsWithoutSpecialTokens) {
    const test::TemporaryFolder folder;
    const auto bytes = model_of(with_specials({{"<unk>", 0, Kind::unknown}, {"</s>", 0, Kind::control}}));
    EXPECT_THAT(([&] { (void)load(folder, bytes); }),
                ThrowsMessage<Error>(AllOf(HasSubstr("spiece.model"), HasSubstr("[CLS]"))));
}

TEST(SentencePiece, RefusesWhatIsNoModel) {
    const std::string whole = model_of(bert_like);
    for (const std::string& bytes :
         {std::string("not a model"), whole.substr(0, whole.size() / 2 + 1), std::string()}) {
        const test::TemporaryFolder folder;
        EXPECT_THAT(([&] { (void)load(folder, bytes); }), ThrowsMessage<Error>(HasSubstr("spiece.model")))
            << bytes.size();
    }
}

TEST(SentencePiece, EveryTruncationIsRefusedOrUsable) {
    const std::string whole = model_of(bert_like);
    const test::TemporaryFolder folder;
    for (std::size_t size = 0; size < whole.size(); size += 3) {
        try {
            const auto tokenizer = load(folder, whole.substr(0, size));
            EXPECT_NO_THROW((void)tokenizer->ids("metal nuts")) << size;
        } catch (const Error&) {
        }
    }
}

TEST(SentencePiece, RefusesIdsOutsideTheVocabulary) {
    const test::TemporaryFolder folder;
    const auto tokenizer = load(folder, model_of(bert_like));
    for (const std::int64_t id : {-1, 12})
        EXPECT_THAT([&] { (void)tokenizer->token(id); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("12"), HasSubstr("vocabulary"))));
}

TEST(SentencePiece, OneModelAndNoVocabulary) {
    const test::TemporaryFolder folder;
    (void)load(folder, model_of(bert_like));
    write_file_atomically(folder / "other.model", model_of(bert_like));
    EXPECT_THAT([&] { (void)load_tokenizer(folder.path()); }, ThrowsMessage<Error>(HasSubstr("found 2 *.model")));
    write_file_atomically(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nnut\n");  // wins
    EXPECT_EQ(load_tokenizer(folder.path())->vocabulary_size(), 5);
}

}  // namespace
}  // namespace ltad
