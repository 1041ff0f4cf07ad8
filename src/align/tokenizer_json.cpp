#include "tokenizer_json.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "read_key.h"

namespace ltad {
namespace {

/// What a document has at a place, null where it has not.
json at(const json& document, const char* place) {
    const json::json_pointer pointer(place);
    return document.contains(pointer) ? document.at(pointer) : json();
}

class TokenizerJson {
public:
    explicit TokenizerJson(const std::filesystem::path& file) : where_(file.string()), document_(read_json(file)) {}

    WordPieceFile read() {
        if (!document_.is_object()) fail(where_, ": a JSON object was expected");
        check_keys(document_, where_,
                   {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                    "decoder", "model"});
        read_model();
        read_added_tokens();
        check_tokens();
        read_normalizer();
        if (section("pre_tokenizer", {"BertPreTokenizer"}).empty())
            fail(where_, ": pre_tokenizer: missing, only BertPreTokenizer is supported");
        read_post_processor();
        read_padding();
        return std::move(result_);
    }

private:
    static void check_keys(const json& object, const std::string& where,
                           std::initializer_list<std::string_view> known) {
        for (const auto& [key, value] : object.items())
            if (std::find(known.begin(), known.end(), key) == known.end())
                fail(where, ": '", key, "' is not supported");
    }

    /// A part of the document whose type is among those named; empty where it is null or left out.
    [[nodiscard]] json section(const char* key, std::initializer_list<std::string_view> types) const {
        const json part = document_.value(key, json());
        if (part.is_null()) return json::object();
        if (!part.is_object()) fail(where_, ": ", key, ": an object was expected");
        std::string type;
        read_key(part, "type", type, where_ + ": " + key);
        if (std::find(types.begin(), types.end(), type) == types.end())
            fail(where_, ": ", key, ": type '", type, "' is not supported, only ", *types.begin(), " is");
        return part;
    }

    void read_model() {
        json model = document_.value("model", json());
        // Older files left the type out; this key is WordPiece's alone.
        if (model.is_object() && model.contains("continuing_subword_prefix") && !model.contains("type"))
            document_["model"]["type"] = "WordPiece";
        model = section("model", {"WordPiece"});
        const std::string where = where_ + ": model";
        check_keys(model, where,
                   {"type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"});
        read_key(model, "unk_token", result_.settings.unknown, where);
        read_key(model, "continuing_subword_prefix", result_.settings.prefix, where);
        read_key(model, "max_input_chars_per_word", result_.settings.longest_word, where);
        if (result_.settings.longest_word < 1) fail(where, ": max_input_chars_per_word: must be positive");
        const json vocabulary = model.value("vocab", json());
        if (!vocabulary.is_object()) fail(where, ": vocab: an object of tokens and their ids was expected");
        most_tokens_ = vocabulary.size() + at(document_, "/added_tokens").size();
        for (const auto& [token, id] : vocabulary.items()) add(token, id, where + ": vocab");
    }

    void add(const std::string& token, const json& id, const std::string& where) {
        if (!id.is_number_integer() || id < 0 || id >= most_tokens_)
            fail(where, ": '", token, "': the id ", id.dump(), " is not among the first ", most_tokens_,
                 ", one for each token");
        const auto index = id.get<std::size_t>();
        if (index >= given_.size()) {
            given_.resize(index + 1);
            result_.tokens.resize(index + 1);
        }
        if (given_[index] && result_.tokens[index] != token)
            fail(where, ": '", token, "' and '", result_.tokens[index], "' have the same id ", index);
        given_[index] = true;
        result_.tokens[index] = token;
    }

    void read_added_tokens() {
        result_.settings.special.clear();
        const json added = document_.value("added_tokens", json());
        if (added.is_null()) return;
        if (!added.is_array()) fail(where_, ": added_tokens: a list was expected");
        for (const json& token : added) {
            std::string content;
            if (token.is_object()) read_key(token, "content", content, where_ + ": added_tokens");
            if (content.empty()) fail(where_, ": added_tokens: ", token.dump(), " has no content");
            const std::string where = where_ + ": added_tokens: " + content;
            check_keys(token, where, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
            for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"}) {
                bool asked = false;
                read_key(token, key, asked, where);
                if (asked) fail(where, ": '", key, "' is not supported");
            }
            add(content, token.value("id", json()), where);
            result_.settings.special.push_back(content);
        }
    }

    /// Each id has a token of its own, as in a list of words.
    void check_tokens() const {
        const auto hole = std::find(given_.begin(), given_.end(), false);
        if (hole != given_.end()) fail(where_, ": no token has the id ", hole - given_.begin());
        std::vector<std::string> sorted = result_.tokens;
        std::sort(sorted.begin(), sorted.end());
        if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
            fail(where_, ": '", *twice, "' has two ids");
    }

    void read_normalizer() {
        const json normalizer = section("normalizer", {"BertNormalizer"});
        const std::string where = where_ + ": normalizer";
        check_keys(normalizer, where, {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
        WordPieceSettings& s = result_.settings;
        if (normalizer.empty()) s.clean_text = s.split_ideographs = s.lower_case = false;
        read_key(normalizer, "clean_text", s.clean_text, where);
        read_key(normalizer, "handle_chinese_chars", s.split_ideographs, where);
        read_key(normalizer, "lowercase", s.lower_case, where);
        read_key(normalizer, "strip_accents", s.strip_accents, where);
    }

    [[nodiscard]] std::string token_of(const json& id, const std::string& where) const {
        if (!id.is_number_integer() || id < 0 || id >= result_.tokens.size())
            fail(where, ": ", id.dump(), " is no id of the vocabulary");
        return result_.tokens[id.get<std::size_t>()];
    }

    void read_post_processor() {
        const std::string where = where_ + ": post_processor";
        const json processor = section("post_processor", {"TemplateProcessing", "BertProcessing"});
        if (processor.empty()) return;  // the usual tokens
        std::array<json, 2> ids;
        if (processor["type"] == "BertProcessing") {
            ids = {at(processor, "/cls/1"), at(processor, "/sep/1")};
        } else {
            ids = template_ids(processor, where);
        }
        result_.settings.cls = token_of(ids[0], where);
        result_.settings.sep = token_of(ids[1], where);
    }

    /// Of a template that puts one token before the text and one after it.
    static std::array<json, 2> template_ids(const json& processor, const std::string& where) {
        const json single = processor.value("single", json());
        std::array<json, 2> ids;
        bool plain = single.is_array() && single.size() == 3 && !at(single, "/1/Sequence").is_null();
        for (const std::size_t place : {std::size_t{0}, std::size_t{2}}) {
            if (!plain) break;
            const json name = at(single[place], "/SpecialToken/id");
            const json tokens = processor.value("special_tokens", json());
            const bool known = name.is_string() && tokens.is_object() && tokens.contains(name.get<std::string>());
            const json list = known ? at(tokens[name.get<std::string>()], "/ids") : json();
            plain = list.is_array() && list.size() == 1;
            if (plain) ids[place / 2] = list[0];
        }
        if (!plain) fail(where, ": only one token before and one after the text are supported, found ", single.dump());
        return ids;
    }

    void read_padding() {
        const json padding = document_.value("padding", json());
        if (!padding.is_object() || !padding.contains("pad_id")) return;
        result_.settings.pad = token_of(padding["pad_id"], where_ + ": padding: pad_id");
    }

    std::string where_;
    json document_;
    WordPieceFile result_;
    std::vector<bool> given_;      ///< whether an id has a token
    std::size_t most_tokens_ = 0;  ///< that there can be
};

}  // namespace

WordPieceFile read_tokenizer_json(const std::filesystem::path& file) { return TokenizerJson(file).read(); }

}  // namespace ltad
