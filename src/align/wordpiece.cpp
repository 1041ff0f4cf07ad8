#include "wordpiece.h"

#include <algorithm>
#include <utility>

#include "ltad/core/error.h"
#include "unicode.h"

namespace ltad {
namespace {

/// What the words are split from. The order is the reference's: marks are taken away before letters become small.
std::u32string normalize(std::string_view text, const WordPieceSettings& settings) {
    std::u32string clean;
    for (const char32_t code : decode_utf8(text)) {
        if (settings.clean_text && is_control(code)) continue;
        if (settings.split_ideographs && is_ideograph(code))
            clean.append({U' ', code, U' '});
        else
            clean.push_back(code);
    }
    if (settings.strips_accents()) clean = without_marks(clean);
    return settings.lower_case ? lower_case(clean) : clean;
}

}  // namespace

std::vector<std::u32string> split_words(std::string_view text, const WordPieceSettings& settings) {
    std::vector<std::u32string> words(1);
    for (const char32_t code : normalize(text, settings)) {
        if (is_space(code)) {
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

WordPiece::WordPiece(std::vector<std::string> tokens, WordPieceSettings settings, const std::string& where)
    : tokens_(std::move(tokens)), settings_(std::move(settings)) {
    for (std::size_t id = 0; id < tokens_.size(); ++id) id_of_.emplace(tokens_[id], id);
    const auto special = [&](const std::string& name) {
        const auto found = id_of_.find(name);
        if (found == id_of_.end()) fail(where, ": the special token ", name, " is missing");
        return found->second;
    };
    cls_ = special(settings_.cls);
    sep_ = special(settings_.sep);
    pad_ = special(settings_.pad);
    unknown_ = special(settings_.unknown);
    std::sort(settings_.special.begin(), settings_.special.end());
}

void WordPiece::append_pieces(const std::u32string& word, std::vector<std::int64_t>& ids) const {
    if (word.size() > static_cast<std::size_t>(settings_.longest_word)) {
        ids.push_back(unknown_);
        return;
    }
    std::vector<std::int64_t> pieces;
    for (std::size_t start = 0; start < word.size();) {
        // Byte ends of all prefixes, so that each is looked up without another conversion.
        std::string piece = start > 0 ? settings_.prefix : "";
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
        for (const std::string& name : settings_.special) {
            const std::size_t at = text.find(name);
            if (at == std::string_view::npos || !id_of_.contains(name)) continue;
            if (at < start || (at == start && name.size() > found.size())) {
                start = at;
                found = name;
            }
        }
        for (const std::u32string& word : split_words(text.substr(0, start), settings_)) append_pieces(word, ids);
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

/// Only what differs from BERT is said beside the case: runs are known by these words.
std::string WordPiece::settings() const {
    const WordPieceSettings& s = settings_;
    const WordPieceSettings usual;
    std::string words = s.lower_case ? "uncased" : "cased";
    if (s.strips_accents() != s.lower_case) words += s.strips_accents() ? ", without accents" : ", with accents";
    if (!s.split_ideographs) words += ", ideographs as letters";
    if (!s.clean_text) words += ", not cleaned";
    if (s.prefix != usual.prefix) words += ", pieces after " + s.prefix;
    if (s.longest_word != usual.longest_word) words += text(", words of at most ", s.longest_word);
    if (s.unknown != usual.unknown) words += ", unknown " + s.unknown;
    if (s.special != usual.special) {
        words += ", special";
        for (const std::string& name : s.special) words += " " + name;
    }
    return words;
}

std::int64_t WordPiece::vocabulary_size() const { return static_cast<std::int64_t>(tokens_.size()); }

}  // namespace ltad
