#include "sentencepiece_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "ltad/core/error.h"
#include "protobuf_fields.h"

namespace ltad {
namespace {

using Wire = ProtobufField::Wire;

// Far above every model there is; they bound what a small file can cost.
constexpr std::size_t most_bytes = 64 << 20;
constexpr std::size_t most_pieces = 2'000'000;
constexpr std::size_t longest_piece = 4096;  // bytes: the library's trie is built by recursion, a level for each byte
constexpr std::size_t longest_replacement = 1024;
// The library's own: it keeps so many prefixes of a text, and reads on where there are more.
constexpr int most_normalizer_prefixes = 32;
constexpr std::size_t most_user_prefixes = 64;

/// The trie of a precompiled_charsmap, walked as darts-clone's commonPrefixSearch does, but by every byte.
class TrieCheck {
public:
    TrieCheck(std::string_view trie, std::string_view replacements, const std::string& where)
        : units_(trie.size() / sizeof(std::uint32_t)), replacements_(replacements), where_(where) {
        if (trie.size() % sizeof(std::uint32_t) != 0 || units_.empty())
            fail(where_, ": the normalizer's trie has ", trie.size(), " bytes, not a positive multiple of 4");
        std::memcpy(units_.data(), trie.data(), trie.size());
        seen_.resize(units_.size());
        prefixes_.resize(units_.size());
    }

    void run() {
        enter(offset_of(units_[0]));
        while (!path_.empty()) {
            Edge edge;
            if (!next_edge(path_.back(), edge)) {
                leave();
            } else if (enter(edge.target); edge.leaf) {
                check_replacement(units_[edge.target] & ~(1u << 31));
            }
        }
    }

private:
    enum class Seen : char { no, open, done };
    /// A state is the place from which a byte's unit is found, by exclusive or.
    struct Step {
        std::size_t state = 0;
        std::uint32_t next_byte = 0;
    };
    struct Edge {
        std::size_t target = 0;
        bool leaf = false;  ///< a text may end here: the target's own unit is then the replacement's place
    };

    static std::size_t offset_of(std::uint32_t unit) { return std::size_t{unit >> 10} << ((unit & 1u << 9) >> 6); }

    bool next_edge(Step& step, Edge& edge) const {
        while (step.next_byte < 256) {
            const std::size_t place = step.state ^ step.next_byte;
            if ((units_[place] & (1u << 31 | 0xFF)) != step.next_byte++) continue;
            edge = {place ^ offset_of(units_[place]), (units_[place] >> 8 & 1) != 0};
            return true;
        }
        return false;
    }

    /// All 256 units that a state's bytes lead to are read by the library before it knows whether they belong to it.
    void enter(std::size_t state) {
        if ((state | 0xFF) >= units_.size())
            fail(where_, ": the normalizer's trie leads to unit ", state | 0xFF, " of ", units_.size());
        if (seen_[state] == Seen::open) fail(where_, ": the normalizer's trie leads in a circle");
        if (seen_[state] == Seen::done) return;
        seen_[state] = Seen::open;
        path_.push_back({state, 0});
    }

    void leave() {
        Step step{path_.back().state, 0};
        int& most = prefixes_[step.state];
        for (Edge edge; next_edge(step, edge);) most = std::max(most, prefixes_[edge.target] + (edge.leaf ? 1 : 0));
        if (most > most_normalizer_prefixes)
            fail(where_, ": the normalizer's trie has more than ", most_normalizer_prefixes, " prefixes of one text");
        seen_[step.state] = Seen::done;
        path_.pop_back();
    }

    void check_replacement(std::size_t place) const {
        const std::size_t end = replacements_.find('\0', place);
        if (end == std::string_view::npos)
            fail(where_, ": a replacement of the normalizer begins at ", place, " and does not end within the ",
                 replacements_.size(), " bytes of all");
        if (end - place > longest_replacement)
            fail(where_, ": a replacement of the normalizer has ", end - place, " bytes, at most ", longest_replacement,
                 " are taken");
    }

    std::vector<std::uint32_t> units_;
    std::string_view replacements_;
    const std::string& where_;
    std::vector<Seen> seen_;
    std::vector<int> prefixes_;  ///< of a state that was left: the most leaves on a way down from it
    std::vector<Step> path_;     ///< depth first, without recursion
};

/// <size of the trie, 4 bytes> <trie> <replacements, each ended by a zero byte>
void check_charsmap(std::string_view map, const std::string& where) {
    if (map.empty()) return;
    std::uint32_t size = 0;
    if (map.size() < sizeof(size)) fail(where, ": the normalizer's table has only ", map.size(), " bytes");
    std::memcpy(&size, map.data(), sizeof(size));
    map.remove_prefix(sizeof(size));
    if (size >= map.size())
        fail(where, ": the normalizer's trie claims ", size, " bytes of a table of ", map.size(), " bytes");
    TrieCheck(map.substr(0, size), map.substr(size), where).run();
}

void check_normalizer(std::string_view message, const std::string& where) {
    constexpr std::uint64_t precompiled_charsmap = 2;
    ProtobufFields fields(message, where);
    for (ProtobufField field; fields.next(field);)
        if (field.number == precompiled_charsmap && field.wire == Wire::bytes) check_charsmap(field.bytes, where);
}

void check_trainer(std::string_view message, const std::string& where) {
    constexpr std::uint64_t model_type = 3;
    ProtobufFields fields(message, where);
    for (ProtobufField field; fields.next(field);)
        if (field.number == model_type && field.wire == Wire::varint && (field.value < 1 || field.value > 4))
            fail(where, ": model_type ", field.value, " is none of 1 (unigram), 2 (BPE), 3 (word), 4 (characters)");
}

struct Piece {
    std::string_view text;
    bool user_defined = false;
};

Piece read_piece(std::string_view message, const std::string& where) {
    constexpr std::uint64_t text_field = 1, score = 2, type = 3;
    constexpr std::int32_t user_defined = 4;
    Piece piece;
    ProtobufFields fields(message, where);
    for (ProtobufField field; fields.next(field);) {
        if (field.number == text_field && field.wire == Wire::bytes) piece.text = field.bytes;
        if (field.number == type && field.wire == Wire::varint)
            piece.user_defined = static_cast<std::int32_t>(field.value) == user_defined;
        if (field.number == score && field.wire == Wire::fixed32 &&
            !std::isfinite(std::bit_cast<float>(static_cast<std::uint32_t>(field.value))))
            fail(where, ": a piece has a score that is no finite number");
    }
    if (piece.text.size() > longest_piece)
        fail(where, ": a piece has ", piece.text.size(), " bytes, at most ", longest_piece, " are taken");
    if (piece.text.find('\0') != std::string_view::npos) fail(where, ": a piece has a zero byte in it");
    return piece;
}

/// Pieces of which one begins with the other stand in a row when sorted.
void check_user_defined(std::vector<std::string_view> pieces, const std::string& where) {
    std::sort(pieces.begin(), pieces.end());
    std::vector<std::string_view> nested;
    for (const std::string_view piece : pieces) {
        while (!nested.empty() && !piece.starts_with(nested.back())) nested.pop_back();
        nested.push_back(piece);
        if (nested.size() > most_user_prefixes)
            fail(where, ": more than ", most_user_prefixes, " user-defined pieces begin with one another");
    }
}

}  // namespace

std::string checked_sentencepiece_model(std::string_view bytes, const std::string& where) {
    constexpr std::uint64_t pieces_field = 1, trainer_spec = 2, normalizer_spec = 3;
    if (bytes.size() > most_bytes)
        fail(where, ": ", bytes.size(), " bytes, a SentencePiece model has at most ", most_bytes);
    std::string kept;
    std::size_t pieces = 0;
    std::vector<std::string_view> user_defined;
    ProtobufFields fields(bytes, where);
    for (ProtobufField field; fields.next(field);) {
        if (field.wire != Wire::bytes || field.number > normalizer_spec) continue;
        if (field.number == pieces_field) {
            const Piece piece = read_piece(field.bytes, where);
            if (piece.user_defined) user_defined.push_back(piece.text);
            if (++pieces > most_pieces) fail(where, ": more than ", most_pieces, " pieces");
        }
        if (field.number == trainer_spec) check_trainer(field.bytes, where);
        if (field.number == normalizer_spec) check_normalizer(field.bytes, where);
        kept.append(field.raw);
    }
    check_user_defined(std::move(user_defined), where);
    return kept;
}

}  // namespace ltad
