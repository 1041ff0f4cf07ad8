#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/tokenizer.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/random.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

enum class Kind : char { normal = 1, unknown = 2, control = 3, user_defined = 4 };

struct Piece {
    std::string text;
    float score = 0;
    Kind kind = Kind::normal;
};

/// A protobuf field of type "length-delimited".
std::string field(int number, const std::string& bytes) {
    std::string out{static_cast<char>(number << 3 | 2)};
    std::size_t size = bytes.size();
    for (; size >= 128; size >>= 7) out.push_back(static_cast<char>(size | 128));
    return out + static_cast<char>(size) + bytes;
}

/// A unigram model, written as sentencepiece_model.proto says, so that no trainer is needed.
std::string model_of(const std::vector<Piece>& pieces, const std::string& charsmap = "", char type = 1) {
    std::string model;
    for (const Piece& piece : pieces) {
        char score[4];
        std::memcpy(score, &piece.score, 4);
        model += field(1, field(1, piece.text) + std::string{2 << 3 | 5} + std::string(score, 4) +
                              std::string{3 << 3, static_cast<char>(piece.kind)});
    }
    model += field(2, std::string{3 << 3, type});  // trainer_spec.model_type, 1: UNIGRAM
    model += field(3, field(1, "identity") + (charsmap.empty() ? "" : field(2, charsmap)));  // normalizer_spec
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

constexpr std::uint32_t unused = 1u << 31;  // the label that no byte has

/// A double array (darts-clone) of the keys "Z", "ZZ", … up to `depth`, all with the first replacement. A state has 256
/// units to itself, so that the arithmetic stays simple.
std::vector<std::uint32_t> chain(std::uint32_t depth) {
    std::vector<std::uint32_t> units(256 * (depth + 2), unused);
    units[0] = 256u << 10;  // to the first state
    for (std::uint32_t i = 1; i <= depth; ++i) {
        const std::uint32_t child = 256 * i ^ 'Z';
        units[child] = (child ^ 256 * (i + 1)) << 10 | 1u << 8 | 'Z';
        units[256 * (i + 1)] = unused | 0;  // a leaf: the replacement's place
    }
    return units;
}

std::string charsmap_of(const std::vector<std::uint32_t>& units, const std::string& replacements) {
    const auto size = static_cast<std::uint32_t>(units.size() * 4);
    std::string map(4 + size, '\0');
    std::memcpy(map.data(), &size, 4);
    std::memcpy(map.data() + 4, units.data(), size);
    return map + replacements;
}

const std::string to_m("m\0", 2);

/// Everything thrown names the file and `part`.
void expect_refused(const std::string& model, const std::string& part) {
    const test::TemporaryFolder folder;
    EXPECT_THAT(([&] { (void)load(folder, model)->ids("ZZ metal nuts"); }),
                ThrowsMessage<Error>(AllOf(HasSubstr("spiece.model"), HasSubstr(part))));
}

TEST(SentencePieceCheck, NormalizersAreUsed) {
    for (const std::uint32_t depth : {1u, 2u, 32u}) {
        const test::TemporaryFolder folder;
        const auto tokenizer = load(folder, model_of(bert_like, charsmap_of(chain(depth), to_m)));
        // As many as the trie knows at once become one m, which stands for itself after the space.
        EXPECT_EQ(tokenizer->ids(std::string(depth, 'Z') + "etal"), tokenizer->ids("metal")) << depth;
    }
}

TEST(SentencePieceCheck, TriesThatLeadOutsideAreRefused) {
    const auto with = [&](std::size_t place, std::uint32_t unit, const std::string& replacements = to_m) {
        std::vector<std::uint32_t> units = chain(2);
        units.at(place) = unit;
        return model_of(bert_like, charsmap_of(units, replacements));
    };
    const std::size_t child = 256 ^ 'Z';
    expect_refused(with(0, 0x3FFFFFu << 10 | 1u << 9), "leads to unit");
    expect_refused(with(0, 1024u << 10), "leads to unit 1279 of 1024");
    expect_refused(with(child, 0x3FFFu << 10 | 'Z'), "leads to unit");
    expect_refused(with(child, 'Z' << 10 | 'Z'), "in a circle");                      // to its own state
    expect_refused(with(512 ^ 'Z', ((512 ^ 'Z') ^ 256) << 10 | 'Z'), "in a circle");  // to the one before
    expect_refused(with(512, unused | 77), "begins at 77 and does not end");
    expect_refused(with(512, unused | 0x7FFFFFFF), "does not end");
    expect_refused(with(512, unused, "m"), "does not end");
    expect_refused(with(512, unused, std::string(2000, 'm') + '\0'), "has 2000 bytes");
    expect_refused(model_of(bert_like, charsmap_of(chain(33), to_m)), "more than 32 prefixes");
    expect_refused(model_of(bert_like, charsmap_of({}, to_m)), "has 0 bytes");
    expect_refused(model_of(bert_like, charsmap_of(std::vector<std::uint32_t>(255, unused), to_m)), "leads to unit");
    expect_refused(model_of(bert_like, "ab"), "only 2 bytes");
    std::string map = charsmap_of(chain(1), to_m);
    for (const std::uint32_t size : {0xFFFFFFFFu, static_cast<std::uint32_t>(map.size() - 4), 767u * 4 + 2}) {
        std::memcpy(map.data(), &size, 4);
        expect_refused(model_of(bert_like, map), "the normalizer's trie");
    }
    // Two parts of one normalizer_spec are one; both are looked at.
    expect_refused(with(0, 1024u << 10) + field(3, field(2, charsmap_of(chain(1), to_m))), "leads to unit");
}

TEST(SentencePieceCheck, PiecesThatTheLibraryCannotHoldAreRefused) {
    const auto with = [](Piece piece) {
        std::vector<Piece> pieces = bert_like;
        pieces.push_back(std::move(piece));
        return model_of(pieces);
    };
    expect_refused(with({std::string("a\0b", 3), -1}), "zero byte");
    expect_refused(with({std::string(5000, 'a'), -1}), "5000 bytes");
    expect_refused(with({"q", std::numeric_limits<float>::quiet_NaN()}), "score");
    expect_refused(with({"q", -std::numeric_limits<float>::infinity()}), "score");
    expect_refused(with({"", -1}), "piece must not be empty");
    expect_refused(with({"nut", -1}) + field(1, field(1, "nut")), "already defined");
    expect_refused(model_of(bert_like, "", 9), "model_type 9");
    // The library keeps 64 of those that a text begins with.
    std::vector<Piece> nested = bert_like;
    for (std::size_t i = 1; i <= 64; ++i) nested.push_back({std::string(i, 'q'), 0, Kind::user_defined});
    const test::TemporaryFolder folder;
    EXPECT_EQ(load(folder, model_of(nested))->ids(std::string(64, 'q')).size(), 2u);
    nested.push_back({std::string(65, 'q'), 0, Kind::user_defined});
    expect_refused(model_of(nested), "begin with one another");
}

TEST(SentencePieceCheck, WhatIsNoMessageIsRefused) {
    const std::string whole = model_of(bert_like);
    expect_refused(whole + std::string{7 << 3 | 3}, "has the type 3");
    expect_refused(whole + std::string{'\0', '\0'}, "number 0");
    expect_refused(whole + std::string{'\x0A', '\x7F', 'a'}, "127 bytes has only 1");
    expect_refused(whole + std::string(11, '\xFF'), "64 bits");
    // Unknown fields of every type are passed over; so is a self-test, which the library would run at once.
    const test::TemporaryFolder folder;
    const auto tokenizer =
        load(folder, whole + std::string{'\x60', '\x01', '\x61'} + std::string(8, 'x') + std::string{'\x65'} +
                         std::string(4, 'x') + field(4, field(1, field(1, "metal") + field(2, "wrong"))));
    EXPECT_THAT(tokenizer->ids("metal nuts"), ElementsAre(4, 5, 7));
}

TEST(SentencePieceCheck, DamagedModelsAreRefusedOrUsable) {
    const std::string whole = model_of(bert_like, charsmap_of(chain(3), to_m));
    const test::TemporaryFolder folder;
    std::vector<std::size_t> places;  // most of the trie is empty
    for (std::size_t i = 0; i < whole.size(); ++i)
        if (whole[i] != '\0' && whole[i] != '\x80') places.push_back(i);
    Random random(RandomUse::test, {11});
    int used = 0;
    for (int k = 0; k < 600; ++k) {
        std::string bytes = whole;
        for (int flips = 0; flips <= k % 3; ++flips)
            bytes[places[random.below(places.size())]] ^= static_cast<char>(1u << random.below(8));
        std::ofstream(folder / "spiece.model", std::ios::binary) << bytes;
        try {
            const auto tokenizer = load_tokenizer(folder.path());
            for (const char* text : {"metal nuts", "Z ZZ ZZZ ZZZZ", "\xFF\x80 \xE4\xB8\xAD \x01", ""})
                for (const auto id : tokenizer->ids(text)) ASSERT_TRUE(id >= 0 && id < tokenizer->vocabulary_size());
            ++used;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("spiece.model"));
        }
    }
    EXPECT_GT(used, 60);
    EXPECT_LT(used, 540);
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
