#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "align/wordpiece.h"
#include "ltad/align/tokenizer.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/json.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Ids = std::vector<std::int64_t>;

const std::filesystem::path golden = std::filesystem::path(LTAD_TEST_DATA) / "tokenizer_json";

/// golden/tokenizer_json/tokenizer.json, which transformers wrote, alone in a folder and changed by a test.
class TokenizerJsonTest : public ::testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<Tokenizer> load(const json& document) const {
        std::ofstream(folder / "tokenizer.json") << document;
        return load_tokenizer(folder.path());
    }
    void expect_refused(const json& document, const std::string& part) const {
        EXPECT_THAT([&] { (void)load(document); },
                    ThrowsMessage<Error>(AllOf(HasSubstr((folder / "tokenizer.json").string()), HasSubstr(part))));
    }

    const test::TemporaryFolder folder;
    const json whole = read_json(golden / "tokenizer.json");
};

// expected.json, made by scripts/make_align_golden.py: what the tokenizers library gives for the document changed so.
TEST_F(TokenizerJsonTest, AgreesWithTheReference) {
    const json expected = read_json(golden / "expected.json");
    const auto texts = expected["texts"].get<std::vector<std::string>>();
    ASSERT_EQ(expected["cases"].size(), 11u);
    for (const json& item : expected["cases"]) {
        json document = whole;
        for (const auto& [key, value] : item["patch"].items()) {
            if (value.is_null() || value.contains("type"))
                document[key] = value;
            else
                document[key].update(value);
        }
        const auto tokenizer = load(document);
        for (std::size_t i = 0; i < texts.size(); ++i)
            EXPECT_EQ(tokenizer->encode(texts[i]), item["ids"][i].get<Ids>()) << item["patch"] << ' ' << texts[i];
    }
}

TEST_F(TokenizerJsonTest, IsTheTokenizerThatItsVocabularyMakes) {
    const auto tokenizer = load(whole);
    std::string lines;
    for (std::int64_t id = 0; id < tokenizer->vocabulary_size(); ++id) lines += tokenizer->token(id) + '\n';
    write_file_atomically(folder / "vocab.txt", lines);
    const auto listed = load_tokenizer(folder.path());
    EXPECT_EQ(listed->settings(), tokenizer->settings()) << "so that a run does not care which file was there";
    EXPECT_EQ(listed->encode("a metal [MASK]"), tokenizer->encode("a metal [MASK]"));
    EXPECT_EQ(listed->pad(), tokenizer->pad());
}

TEST_F(TokenizerJsonTest, TokenizerConfigWins) {
    json document = whole;
    document["normalizer"]["lowercase"] = false;
    EXPECT_EQ(load(document)->settings(), "cased");
    write_json(folder / "tokenizer_config.json", {{"do_lower_case", true}, {"strip_accents", nullptr}});
    EXPECT_EQ(load(document)->settings(), "uncased");
    document["normalizer"]["strip_accents"] = false;
    EXPECT_EQ(load(document)->settings(), "uncased, with accents") << "null says nothing";
}

TEST_F(TokenizerJsonTest, SpecialTokensComeFromTheFile) {
    json document = whole;
    document["padding"] = {{"pad_id", 7}, {"pad_token", "metal"}};
    EXPECT_EQ(load(document)->pad(), 7);
    document = whole;
    document["post_processor"] = nullptr;
    EXPECT_EQ(load(document)->encode(""), (Ids{2, 3}));
    // The longest of those that begin at a place; a token that is added makes the vocabulary longer.
    document = whole;
    json added = document["added_tokens"][4];
    added["content"] = "[MASK]s";
    added["id"] = document["model"]["vocab"].size();
    document["added_tokens"].push_back(added);
    const auto tokenizer = load(document);
    EXPECT_EQ(tokenizer->ids("a[MASK]s[MASK]"), (Ids{5, added["id"], 4}));
    EXPECT_EQ(tokenizer->vocabulary_size(), added["id"].get<std::int64_t>() + 1);
}

TEST_F(TokenizerJsonTest, OlderFilesLeaveOutTheModelsType) {
    json document = whole;
    document["model"].erase("type");
    EXPECT_EQ(load(document)->ids("metal"), (Ids{7}));
    document["model"].erase("continuing_subword_prefix");
    expect_refused(document, "model: type ''");
}

TEST_F(TokenizerJsonTest, WhatIsNotSupportedIsNamed) {
    const std::vector<std::tuple<const char*, json, const char*>> changes = {
        {"/model/type", "BPE", "model: type 'BPE'"},
        {"/model/dropout", 0.1, "'dropout'"},
        {"/model/vocab", json::array({"a"}), "vocab"},
        {"/model/vocab/a", -1, "'a'"},
        {"/model/vocab/a", 1e9, "'a'"},
        {"/model/vocab/a", 1000000000, "'a'"},
        {"/model/vocab/a", 0, "same id 0"},
        {"/model/vocab/new", 35, "no token has the id 33"},
        {"/model/vocab/[PAD]", 33, "'[PAD]' has two ids"},
        {"/model/unk_token", "gone", "gone"},
        {"/model/unk_token", 5, "unk_token"},
        {"/model/max_input_chars_per_word", 0, "max_input_chars_per_word"},
        {"/normalizer/type", "NFKC", "normalizer: type 'NFKC'"},
        {"/normalizer/lowercase", "yes", "lowercase"},
        {"/normalizer/more", true, "'more'"},
        {"/normalizer", json::array(), "normalizer"},
        {"/pre_tokenizer/type", "Whitespace", "pre_tokenizer: type 'Whitespace'"},
        {"/pre_tokenizer", nullptr, "pre_tokenizer"},
        {"/post_processor/type", "ByteLevel", "post_processor: type 'ByteLevel'"},
        {"/post_processor/single", json::array(), "one token before"},
        {"/post_processor/single/1/SpecialToken", json::object(), "type"},
        {"/post_processor/special_tokens/[CLS]/ids", json::array({2, 3}), "one token before"},
        {"/post_processor/special_tokens/[CLS]/ids", json::array({999}), "999"},
        {"/post_processor/special_tokens", nullptr, "one token before"},
        {"/added_tokens", "[PAD]", "added_tokens"},
        {"/added_tokens/0", "[PAD]", "added_tokens"},
        {"/added_tokens/0/content", "", "content"},
        {"/added_tokens/0/id", "0", "[PAD]"},
        {"/added_tokens/4/lstrip", true, "[MASK]: 'lstrip'"},
        {"/added_tokens/4/normalized", true, "[MASK]: 'normalized'"},
        {"/added_tokens/4/more", 1, "[MASK]: 'more'"},
        {"/padding", {{"pad_id", 99}}, "99"},
        {"/extra", 1, "'extra'"},
    };
    for (const auto& [place, value, part] : changes) {
        SCOPED_TRACE(place);
        json document = whole;
        document[json::json_pointer(place)] = value;
        if (std::string(place) == "/post_processor/single/1/SpecialToken") {
            document["post_processor"]["single"][1].erase("Sequence");
            expect_refused(document, "one token before");
            continue;
        }
        expect_refused(document, part);
    }
    expect_refused(json::array(), "object");
    json document = whole;
    document.erase("model");
    expect_refused(document, "model");
}

TEST_F(TokenizerJsonTest, AnyTypeInAnyPlaceIsReadOrRefused) {
    const json flat = whole.flatten();
    for (const auto& [place, value] : flat.items())
        for (const json& other :
             {json(), json(-1), json(1e300), json("x"), json::array(), json::object(), json(true)}) {
            json document = whole;
            json::json_pointer at(place);
            for (; !at.empty(); at.pop_back()) {
                document = whole;
                document[at] = other;
                try {
                    for (const auto id : load(document)->encode("a broken metal [MASK]"))
                        ASSERT_TRUE(id >= 0 && id < 100) << at;
                } catch (const Error& error) {
                    EXPECT_THAT(error.what(), HasSubstr("tokenizer.json")) << at << ' ' << other;
                }
                if (place.starts_with("/model/vocab/") || place.starts_with("/added_tokens/")) break;
            }
        }
}

}  // namespace
}  // namespace ltad
