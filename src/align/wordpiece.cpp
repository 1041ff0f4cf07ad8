#include "wordpiece.h"

#include <array>
#include <sstream>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "unicode.h"

namespace ltad {
namespace {

constexpr std::array<std::string_view, 5> special_names = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};
constexpr std::size_t longest_word = 100;  // characters; the reference gives up on longer ones

/// Words and punctuation marks of a text, each a run without spaces.
std::vector<std::u32string> split_words(std::string_view text, bool lower_case) {
    std::u32string clean;
    for (const char32_t code : decode_utf8(text)) {
        if (code == 0 || code == 0xFFFD || is_control(code)) continue;
        if (is_space(code)) {
            clean.push_back(U' ');
        } else if (is_ideograph(code)) {
            clean.append({U' ', code, U' '});
        } else if (lower_case) {
            append_plain(clean, code);
        } else {
            clean.push_back(code);
        }
    }
    std::vector<std::u32string> words(1);
    for (const char32_t code : clean) {
        if (code == U' ') {
            words.emplace_back();
        } else if (is_punctuation(code)) {
            words.push_back({code});
            words.emplace_back();
        } else {
            words.back().push_back(code);
        }
    }
    std::erase_if(words, [](const std::u32string& word) { return word.empty(); });
    return words;
}

}  // namespace

WordPiece::WordPiece(const std::filesystem::path& vocabulary, bool lower_case) : lower_case_(lower_case) {
    std::istringstream in(read_file(vocabulary));
    for (std::string line; std::getline(in, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!id_of_.emplace(line, tokens_.size()).second)
            fail(vocabulary.string(), ":", tokens_.size() + 1, ": '", line, "' is listed twice");
        tokens_.push_back(line);
    }
    const auto special = [&](const char* name) {
        const auto found = id_of_.find(name);
        if (found == id_of_.end()) fail(vocabulary.string(), ": the special token ", name, " is missing");
        return found->second;
    };
    cls_ = special("[CLS]");
    sep_ = special("[SEP]");
    pad_ = special("[PAD]");
    unknown_ = special("[UNK]");
}

void WordPiece::append_pieces(const std::u32string& word, std::vector<std::int64_t>& ids) const {
    if (word.size() > longest_word) {
        ids.push_back(unknown_);
        return;
    }
    std::vector<std::int64_t> pieces;
    for (std::size_t start = 0; start < word.size();) {
        // Byte ends of all prefixes, so that each is looked up without another conversion.
        std::string piece = start > 0 ? "##" : "";
        std::vector<std::size_t> ends;
        for (std::size_t i = start; i < word.size(); ++i) {
            append_utf8(piece, word[i]);
            ends.push_back(piece.size());
        }
        std::size_t taken = ends.size();
        while (taken > 0 && !id_of_.contains(piece.substr(0, ends[taken - 1]))) --taken;
        if (taken == 0) {
            ids.push_back(unknown_);
            return;
        }
        pieces.push_back(id_of_.at(piece.substr(0, ends[taken - 1])));
        start += taken;
    }
    ids.insert(ids.end(), pieces.begin(), pieces.end());
}

std::vector<std::int64_t> WordPiece::ids(std::string_view text) const {
    std::vector<std::int64_t> ids;
    while (!text.empty()) {
        // A special token written out, such as "[MASK]", stands for itself.
        std::size_t start = text.size();
        std::string_view found;
        for (const std::string_view name : special_names)
            if (const std::size_t at = text.find(name); at < start && id_of_.contains(std::string(name))) {
                start = at;
                found = name;
            }
        for (const std::u32string& word : split_words(text.substr(0, start), lower_case_)) append_pieces(word, ids);
        if (!found.empty()) ids.push_back(id_of_.at(std::string(found)));
        text.remove_prefix(start + found.size());
    }
    return ids;
}

std::string WordPiece::token(std::int64_t id) const {
    if (id < 0 || id >= vocabulary_size())
        fail("token id ", id, " is outside the vocabulary of ", vocabulary_size(), " tokens");
    return tokens_[static_cast<std::size_t>(id)];
}

std::int64_t WordPiece::vocabulary_size() const { return static_cast<std::int64_t>(tokens_.size()); }

}  // namespace ltad
