#include "pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "ltad/core/error.h"

namespace ltad {

static_assert(std::endian::native == std::endian::little, "pickled integers are little-endian and read in place");

using Kind = PickleValue::Kind;
using Parts = std::vector<PickleValue>;

namespace {

constexpr std::size_t max_pickle = std::size_t{8} << 20;  // room for 40 000 tensors
constexpr std::string_view ordered_dictionary = "collections.OrderedDict";

}  // namespace

/// Runs the opcodes on a stack, as Python's pickle.Unpickler does.
class PickleReader {
public:
    PickleReader(std::string_view bytes, std::span<const std::string_view> globals, const std::string& where,
                 Pickle& out)
        : bytes_(bytes.substr(0, max_pickle)),
          cut_(bytes.size() > max_pickle),
          globals_(globals),
          where_(where),
          out_(out) {}

    void read();

    void push(PickleValue value) { stack_.push_back(value); }
    void push_integer(std::int64_t value) { push({.kind = Kind::integer, .integer = value}); }
    void push_boolean(bool value) { push({.kind = Kind::boolean, .integer = value ? 1 : 0}); }
    template <typename Length>
    void push_string() {
        push({.kind = Kind::string, .text = take(number<Length>())});
    }
    void push_long();
    void push_real() {
        (void)take(8);
        push({.kind = Kind::real});
    }
    void push_global();
    void push_parts(Kind kind, Parts parts) {
        push({.kind = kind, .parts = &out_.parts_.emplace_back(std::move(parts))});
    }
    void push_tuple(std::size_t size);

    void mark() { marks_.push_back(stack_.size()); }
    Parts pop_to_mark();

    template <typename Index>
    void put() {
        memo_[number<Index>()] = top();
    }
    template <typename Index>
    void get();

    void append(const Parts& items);
    void set_items(const Parts& items);
    void reduce();
    void build();
    void persist();

    PickleValue pop();
    template <typename Number>
    Number number();

private:
    [[nodiscard]] const PickleValue& top() const;
    std::string_view take(std::size_t size);
    std::string_view line();
    template <typename... Reasons>
    [[noreturn]] void bad(const Reasons&... reasons) const {
        fail(where_, ": its pickle is malformed or unsafe at byte ", opcode_position_, ": ", reasons...);
    }

    std::string_view bytes_;
    bool cut_;
    std::span<const std::string_view> globals_;
    const std::string& where_;
    Pickle& out_;
    std::size_t position_ = 0;
    std::size_t opcode_position_ = 0;
    Parts stack_;
    std::vector<std::size_t> marks_;  // heights of the stack
    std::unordered_map<std::uint32_t, PickleValue> memo_;
};

namespace {

/// An opcode and what it does: nothing for those that are refused.
struct Opcode {
    unsigned char code;
    std::string_view name;
    void (*run)(PickleReader&) = nullptr;
};

using Reader = PickleReader;

constexpr unsigned char proto = 0x80;
constexpr unsigned char stop = '.';

// Names and codes of Lib/pickletools.py.
constexpr Opcode opcodes[] = {
    {'N', "NONE", [](Reader& r) { r.push({}); }},
    {0x88, "NEWTRUE", [](Reader& r) { r.push_boolean(true); }},
    {0x89, "NEWFALSE", [](Reader& r) { r.push_boolean(false); }},
    {'J', "BININT", [](Reader& r) { r.push_integer(r.number<std::int32_t>()); }},
    {'K', "BININT1", [](Reader& r) { r.push_integer(r.number<std::uint8_t>()); }},
    {'M', "BININT2", [](Reader& r) { r.push_integer(r.number<std::uint16_t>()); }},
    {0x8a, "LONG1", [](Reader& r) { r.push_long(); }},
    {'G', "BINFLOAT", [](Reader& r) { r.push_real(); }},
    {'X', "BINUNICODE", [](Reader& r) { r.push_string<std::uint32_t>(); }},
    {'c', "GLOBAL", [](Reader& r) { r.push_global(); }},
    {')', "EMPTY_TUPLE", [](Reader& r) { r.push_tuple(0); }},
    {0x85, "TUPLE1", [](Reader& r) { r.push_tuple(1); }},
    {0x86, "TUPLE2", [](Reader& r) { r.push_tuple(2); }},
    {0x87, "TUPLE3", [](Reader& r) { r.push_tuple(3); }},
    {'(', "MARK", [](Reader& r) { r.mark(); }},
    {'t', "TUPLE", [](Reader& r) { r.push_parts(Kind::tuple, r.pop_to_mark()); }},
    {']', "EMPTY_LIST", [](Reader& r) { r.push_parts(Kind::list, {}); }},
    {'a', "APPEND", [](Reader& r) { r.append({r.pop()}); }},
    {'e', "APPENDS", [](Reader& r) { r.append(r.pop_to_mark()); }},
    {'}', "EMPTY_DICT", [](Reader& r) { r.push_parts(Kind::dictionary, {}); }},
    {'s', "SETITEM",
     [](Reader& r) {
         const PickleValue value = r.pop();
         r.set_items({r.pop(), value});
     }},
    {'u', "SETITEMS", [](Reader& r) { r.set_items(r.pop_to_mark()); }},
    {'q', "BINPUT", [](Reader& r) { r.put<std::uint8_t>(); }},
    {'r', "LONG_BINPUT", [](Reader& r) { r.put<std::uint32_t>(); }},
    {'h', "BINGET", [](Reader& r) { r.get<std::uint8_t>(); }},
    {'j', "LONG_BINGET", [](Reader& r) { r.get<std::uint32_t>(); }},
    {'R', "REDUCE", [](Reader& r) { r.reduce(); }},
    {'b', "BUILD", [](Reader& r) { r.build(); }},
    {'Q', "BINPERSID", [](Reader& r) { r.persist(); }},
    {proto, "PROTO"},
    {'I', "INT"},
    {'L', "LONG"},
    {0x8b, "LONG4"},
    {'F', "FLOAT"},
    {'S', "STRING"},
    {'T', "BINSTRING"},
    {'U', "SHORT_BINSTRING"},
    {'V', "UNICODE"},
    {0x8c, "SHORT_BINUNICODE"},
    {0x8d, "BINUNICODE8"},
    {'B', "BINBYTES"},
    {'C', "SHORT_BINBYTES"},
    {0x8e, "BINBYTES8"},
    {0x96, "BYTEARRAY8"},
    {0x97, "NEXT_BUFFER"},
    {0x98, "READONLY_BUFFER"},
    {'l', "LIST"},
    {'d', "DICT"},
    {0x8f, "EMPTY_SET"},
    {0x90, "ADDITEMS"},
    {0x91, "FROZENSET"},
    {'0', "POP"},
    {'1', "POP_MARK"},
    {'2', "DUP"},
    {'g', "GET"},
    {'p', "PUT"},
    {0x94, "MEMOIZE"},
    {0x95, "FRAME"},
    {0x82, "EXT1"},
    {0x83, "EXT2"},
    {0x84, "EXT4"},
    {0x93, "STACK_GLOBAL"},
    {'i', "INST"},
    {'o', "OBJ"},
    {0x81, "NEWOBJ"},
    {0x92, "NEWOBJ_EX"},
    {'P', "PERSID"},
};

}  // namespace

void PickleReader::read() {
    if (number<std::uint8_t>() != proto) bad("it does not begin with PROTO");
    if (const int protocol = number<std::uint8_t>(); protocol != 2)
        bad("pickle protocol ", protocol, ", expected 2, the default of torch.save");
    for (;;) {
        opcode_position_ = position_;
        const auto code = number<std::uint8_t>();
        if (code == stop) break;
        const auto* const opcode = std::ranges::find(opcodes, code, &Opcode::code);
        if (opcode == std::end(opcodes)) bad("its byte ", int{code}, " is no opcode");
        if (opcode->run == nullptr)
            bad("opcode ", opcode->name,
                ", which no file of tensors needs; it may be malicious, nothing of it was run");
        opcode->run(*this);
    }
    if (!marks_.empty() || stack_.size() != 1)
        bad("it ends with ", stack_.size(), " values on its stack, expected 1 and no mark");
    out_.value_ = pop();
    out_.size_ = position_;
}

std::string_view PickleReader::take(std::size_t size) {
    if (size > bytes_.size() - position_)
        bad(size, " bytes are needed, ", bytes_.size() - position_, " are left",
            cut_ ? " of the 8 MiB that a pickle may take" : "; the file is truncated or damaged");
    const std::string_view taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
}

template <typename Number>
Number PickleReader::number() {
    Number value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
}

std::string_view PickleReader::line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) bad("a name without an end");
    const std::string_view found = take(end - position_);
    ++position_;
    return found;
}

const PickleValue& PickleReader::top() const {
    if (stack_.size() == (marks_.empty() ? 0 : marks_.back())) bad("a value is missing");
    return stack_.back();
}

PickleValue PickleReader::pop() {
    const PickleValue value = top();
    stack_.pop_back();
    return value;
}

Parts PickleReader::pop_to_mark() {
    if (marks_.empty()) bad("a mark is missing");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Parts items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
}

void PickleReader::push_long() {
    const std::string_view digits = take(number<std::uint8_t>());
    if (digits.size() > sizeof(std::int64_t)) bad("an integer of ", digits.size(), " bytes, at most 8 are read");
    // The highest bit is the sign.
    std::int64_t value = !digits.empty() && static_cast<signed char>(digits.back()) < 0 ? -1 : 0;
    std::memcpy(&value, digits.data(), digits.size());
    push_integer(value);
}

void PickleReader::push_global() {
    const std::string_view module = line();
    const std::string name = text(module, ".", line());
    const auto known = std::ranges::find(globals_, name);
    if (known == globals_.end())
        bad("'", printable(name),
            "' is not part of a plain tensor; this file may be malicious, nothing of it was run. Where it can be "
            "trusted, save its tensors alone in Python: torch.save(model.state_dict(), path)");
    push({.kind = Kind::global, .text = *known});
}

void PickleReader::push_tuple(std::size_t size) {
    Parts items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = pop();
    push_parts(Kind::tuple, std::move(items));
}

template <typename Index>
void PickleReader::get() {
    const auto found = memo_.find(number<Index>());
    if (found == memo_.end()) bad("it gets a value that was not put");
    push(found->second);
}

void PickleReader::append(const Parts& items) {
    if (top().kind != Kind::list) bad("it appends to ", name_of(top().kind));
    top().parts->insert(top().parts->end(), items.begin(), items.end());
}

void PickleReader::set_items(const Parts& items) {
    if (top().kind != Kind::dictionary) bad("it sets items of ", name_of(top().kind));
    if (items.size() % 2 != 0) bad("a key without a value");
    top().parts->insert(top().parts->end(), items.begin(), items.end());
}

void PickleReader::reduce() {
    const PickleValue arguments = pop();
    const PickleValue global = pop();
    if (global.kind != Kind::global || arguments.kind != Kind::tuple)
        bad("it calls ", name_of(global.kind), " with ", name_of(arguments.kind));
    if (global.text != ordered_dictionary) return push_parts(Kind::call, {global, arguments});
    if (!arguments.parts->empty()) bad(ordered_dictionary, " with arguments; expected none");
    push_parts(Kind::dictionary, {});
}

void PickleReader::build() {
    (void)pop();
    if (top().kind != Kind::dictionary) bad("it sets attributes of ", name_of(top().kind));
}

void PickleReader::persist() {
    const PickleValue id = pop();
    out_.persistent_ids_.push_back(id);
    push_parts(Kind::persistent, {id});
}

Pickle::Pickle(std::string_view bytes, std::span<const std::string_view> globals, const std::string& where) {
    PickleReader(bytes, globals, where, *this).read();
}

std::string_view name_of(PickleValue::Kind kind) {
    constexpr std::array<std::string_view, 11> names = {"None",          "a boolean", "an integer",     "a real",
                                                        "a string",      "a tuple",   "a list",         "a dictionary",
                                                        "a global name", "a call",    "a persistent id"};
    return names.at(static_cast<std::size_t>(kind));
}

std::string printable(std::string_view text) {
    constexpr std::size_t shown = 100;
    std::string out(text.substr(0, shown));
    for (char& letter : out)
        if (static_cast<unsigned char>(letter) < ' ' || letter == '\x7f') letter = '?';
    return text.size() > shown ? out + "…" : out;
}

}  // namespace ltad
