#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/align/tokenizer.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using Ids = std::vector<std::int64_t>;

const std::filesystem::path golden = std::filesystem::path(LTAD_TEST_DATA) / "wordpiece";

std::unique_ptr<Tokenizer> with_vocabulary(const test::TemporaryFolder& folder, const std::string& lines) {
    write_file_atomically(folder / "vocab.txt", lines);
    return load_tokenizer(folder.path());
}

TEST(WordPiece, AgreesWithTheReference) {
    const auto tokenizer = load_tokenizer(golden);
    EXPECT_EQ(tokenizer->vocabulary_size(), 30522);
    const json cases = read_json(golden / "expected.json");
    ASSERT_EQ(cases.size(), 61u);
    for (const json& item : cases) {
        const auto text = item["text"].get<std::string>();
        Ids ids = tokenizer->encode(text);
        if (item.contains("tokens")) {
            EXPECT_EQ(ids, item["ids"].get<Ids>()) << item["text"];
            std::vector<std::string> tokens;
            for (const auto id : tokenizer->ids(text)) tokens.push_back(tokenizer->token(id));
            EXPECT_EQ(tokens, item["tokens"].get<std::vector<std::string>>()) << item["text"];
        } else {  // cut or filled to a length, the way the encoder is fed
            const auto length = item["max_length"].get<std::size_t>();
            if (ids.size() > length) {
                ids.resize(length - 1);
                ids.push_back(tokenizer->sep());
            }
            Ids mask(ids.size(), 1);
            mask.resize(length, 0);
            ids.resize(length, tokenizer->pad());
            EXPECT_EQ(ids, item["ids"].get<Ids>()) << item["text"];
            EXPECT_EQ(mask, item["attention_mask"].get<Ids>()) << item["text"];
        }
    }
}

TEST(WordPiece, TakesTheLongestPieceAndTheSpecialIdsFromTheFile) {
    const test::TemporaryFolder folder;
    const auto tokenizer =
        with_vocabulary(folder, "un\n[SEP]\nable\n##able\n[UNK]\n##aff\n[CLS]\n##a\nunaff\n[PAD]\n##f\n");
    EXPECT_EQ(tokenizer->cls(), 6);
    EXPECT_EQ(tokenizer->sep(), 1);
    EXPECT_EQ(tokenizer->pad(), 9);
    EXPECT_EQ(tokenizer->vocabulary_size(), 11);
    EXPECT_THAT(tokenizer->ids("UnAffable"), ElementsAre(8, 3));
    EXPECT_THAT(tokenizer->ids("unable able"), ElementsAre(0, 3, 2));
    EXPECT_THAT(tokenizer->ids("unafx un"), ElementsAre(4, 0));  // one [UNK] for the whole word
    EXPECT_THAT(tokenizer->encode(""), ElementsAre(6, 1));
    EXPECT_EQ(tokenizer->token(3), "##able");
}

TEST(WordPiece, OddBytesNeverCrashAndDropOut) {
    const auto tokenizer = load_tokenizer(golden);
    const Ids object = tokenizer->ids("object");
    for (const std::string odd :
         {"\xFFobject",
          "obj\xC3"
          "ect",
          "object\xE4\xB8", "\xED\xA0\x80object", "\x01object\x7F", "object\xF0\x9F", "ob\xC0\x80ject"})
        EXPECT_EQ(tokenizer->ids(odd), object) << ::testing::PrintToString(odd);
    EXPECT_EQ(tokenizer->ids(std::string("object\0", 7)), object);
    EXPECT_THAT(tokenizer->ids("\x80\x81\xFE"), IsEmpty());
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const std::string bytes = {static_cast<char>(first), static_cast<char>(second), 'a',
                                       static_cast<char>(second)};
            for (const auto id : tokenizer->ids(bytes)) ASSERT_TRUE(id >= 0 && id < 30522) << first << ' ' << second;
        }
}

TEST(WordPiece, CasedVocabulariesAreSaidSoInTokenizerConfig) {
    const test::TemporaryFolder folder;
    const std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nCafé\ncafe\n";
    EXPECT_THAT(with_vocabulary(folder, vocabulary)->ids("Café"), ElementsAre(5));
    write_file_atomically(folder / "tokenizer_config.json", R"({"do_lower_case": false})");
    EXPECT_THAT(load_tokenizer(folder.path())->ids("Café"), ElementsAre(4));
    write_file_atomically(folder / "tokenizer_config.json", "{");
    EXPECT_THAT([&] { (void)load_tokenizer(folder.path()); }, ThrowsMessage<Error>(HasSubstr("tokenizer_config.json")));
}

TEST(WordPiece, ReadsWindowsLineEndsAndALastLineWithoutEnd) {
    const test::TemporaryFolder folder;
    const auto tokenizer = with_vocabulary(folder, "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nnut");
    EXPECT_THAT(tokenizer->encode("nut"), ElementsAre(2, 4, 3));
    EXPECT_EQ(tokenizer->vocabulary_size(), 5);
}

TEST(WordPiece, RefusesBrokenVocabularies) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "[CLS]"},
        {"[PAD]\n[UNK]\n[SEP]\na\n", "[CLS]"},
        {"[PAD]\n[UNK]\n[CLS]\na\n", "[SEP]"},
        {"[CLS]\n[UNK]\n[SEP]\na\n", "[PAD]"},
        {"[PAD]\n[CLS]\n[SEP]\na\n", "[UNK]"},
        {"[PAD]\n[UNK]\n[CLS]\n[SEP]\nnut\nnut\n", ":6: 'nut'"},
    };
    for (const auto& [lines, part] : cases) {
        const test::TemporaryFolder folder;
        EXPECT_THAT(([&] { (void)with_vocabulary(folder, lines); }),
                    ThrowsMessage<Error>(AllOf(HasSubstr("vocab.txt"), HasSubstr(part))))
            << lines;
    }
}

TEST(WordPiece, RefusesIdsOutsideTheVocabulary) {
    const auto tokenizer = load_tokenizer(golden);
    for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{30522}, INT64_MAX})
        EXPECT_THAT([&] { (void)tokenizer->token(id); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(std::to_string(id)), HasSubstr("30522"))));
}

TEST(WordPiece, RefusesADirectoryWithoutTokenizer) {
    const test::TemporaryFolder folder;
    EXPECT_THAT(
        [&] { (void)load_tokenizer(folder.path()); },
        ThrowsMessage<Error>(AllOf(HasSubstr(folder.path().string()), HasSubstr("vocab.txt"), HasSubstr("*.model"))));
}

}  // namespace
}  // namespace ltad
