#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "align/unicode.h"
#include "align/wordpiece.h"
#include "ltad/align/tokenizer.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
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

/// Surrogates, and the ranges of a golden file.
std::vector<bool> code_points_left_out(const json& ranges) {
    std::vector<bool> left_out(0x110000);
    std::fill(left_out.begin() + 0xD800, left_out.begin() + 0xE000, true);
    for (const json& range : ranges)
        std::fill(left_out.begin() + range[0].get<int>(), left_out.begin() + range[1].get<int>() + 1, true);
    return left_out;
}

/// The words of "xAxBx…x" of 64 code points, as one line.
std::string words_line(char32_t first, const std::vector<bool>& left_out, const WordPieceSettings& settings) {
    std::string text = "x";
    for (char32_t code = first; code < first + 64; ++code) {
        if (left_out[code]) continue;
        append_utf8(text, code);
        text += 'x';
    }
    std::string line;
    for (const std::u32string& word : split_words(text, settings)) {
        if (!line.empty()) line += '\x1F';
        for (const char32_t code : word) append_utf8(line, code);
    }
    return line + '\n';
}

// golden/wordpiece/code_points.json, made by scripts/make_align_golden.py. Left out are letters that came with a
// Unicode that either library may not know yet.
TEST(WordPiece, ReadsEveryCodePointAsTheReference) {
    const json golden_points = read_json(golden / "code_points.json");
    const std::vector<bool> left_out = code_points_left_out(golden_points["left_out"]);
    ASSERT_EQ(golden_points["hashes"].size(), 4u);
    for (const json& item : golden_points["hashes"]) {
        WordPieceSettings settings;
        settings.lower_case = item["do_lower_case"];
        settings.strip_accents = item["strip_accents"].get<bool>();
        const auto expected = item["blocks"].get<std::string>();
        ASSERT_EQ(expected.size(), 8u * 0x110);
        for (char32_t block = 0; block < 0x110; ++block) {
            Sha256 hash;
            for (char32_t at = 0; at < 0x1000; at += 64)
                hash.update(words_line(block * 0x1000 + at, left_out, settings));
            EXPECT_EQ(hash.hex().substr(0, 8), expected.substr(block * std::size_t{8}, 8))
                << std::hex << "U+" << static_cast<unsigned>(block) << "000" << item["do_lower_case"]
                << item["strip_accents"];
        }
    }
}

// golden/wordpiece/options.json, made by scripts/make_align_golden.py.
TEST(WordPiece, TokenizerConfigCountsAsInTheReference) {
    const test::TemporaryFolder folder;
    std::filesystem::copy_file(golden / "vocab.txt", folder / "vocab.txt");
    const json options = read_json(golden / "options.json");
    const auto texts = options["texts"].get<std::vector<std::string>>();
    ASSERT_EQ(options["cases"].size(), 6u);
    for (const json& item : options["cases"]) {
        write_json(folder / "tokenizer_config.json", item["config"]);
        const auto tokenizer = load_tokenizer(folder.path());
        for (std::size_t i = 0; i < texts.size(); ++i)
            EXPECT_EQ(tokenizer->encode(texts[i]), item["ids"][i].get<Ids>()) << item["config"] << ' ' << texts[i];
    }
}

TEST(WordPiece, SettingsNameWhatDiffersFromBert) {
    const std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
    const auto words_of = [&](const std::function<void(WordPieceSettings&)>& change) {
        WordPieceSettings settings;
        change(settings);
        return WordPiece(tokens, settings, "here").settings();
    };
    // Runs are known by these two; both were there before there were others.
    EXPECT_EQ(words_of([](auto&) {}), "uncased");
    EXPECT_EQ(words_of([](auto& s) { s.lower_case = false; }), "cased");
    EXPECT_EQ(words_of([](auto& s) { s.strip_accents = true; }), "uncased");
    EXPECT_EQ(words_of([](auto& s) { s.special = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"}; }), "uncased");
    std::set<std::string> all = {"uncased", "cased"};
    const std::vector<std::function<void(WordPieceSettings&)>> changes = {
        [](auto& s) { s.strip_accents = false; }, [](auto& s) { s.split_ideographs = false; },
        [](auto& s) { s.clean_text = false; },    [](auto& s) { s.prefix = "@"; },
        [](auto& s) { s.longest_word = 99; },     [](auto& s) { s.unknown = "[PAD]"; },
        [](auto& s) { s.special = {"[CLS]"}; },   [](auto& s) { s.lower_case = false, s.strip_accents = true; },
    };
    for (const auto& change : changes) EXPECT_TRUE(all.insert(words_of(change)).second) << words_of(change);
}

TEST(WordPiece, MistakesInTokenizerConfigAreNamed) {
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
    for (const char* key : {"do_lower_case", "strip_accents", "tokenize_chinese_chars"}) {
        write_json(folder / "tokenizer_config.json", {{key, "yes"}});
        EXPECT_THAT([&] { (void)load_tokenizer(folder.path()); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("tokenizer_config.json"), HasSubstr(key))));
        write_json(folder / "tokenizer_config.json", {{key, nullptr}});
        EXPECT_NO_THROW((void)load_tokenizer(folder.path())) << key;
    }
    write_json(folder / "tokenizer_config.json", json::array());
    EXPECT_THAT([&] { (void)load_tokenizer(folder.path()); }, ThrowsMessage<Error>(HasSubstr("tokenizer_config.json")));
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
    EXPECT_THAT(with_vocabulary(folder, "\xEF\xBB\xBF[PAD]\r[UNK]\r[CLS]\r[SEP]\rnut\r")->encode("nut"),
                ElementsAre(2, 4, 3));
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
