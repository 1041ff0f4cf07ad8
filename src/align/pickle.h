#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ltad {

/// A value in a pickle. Its parts belong to the Pickle, its text to the bytes that were read.
struct PickleValue {
    enum class Kind { none, boolean, integer, real, string, tuple, list, dictionary, global, call, persistent };

    Kind kind = Kind::none;
    std::int64_t integer = 0;    ///< of an integer; 0 or 1 of a boolean (the number of a real is not kept)
    std::string_view text = {};  ///< of a string, in UTF-8; "module.name" of a global
    /// Tuple, list: its items. Dictionary: key, value, key, value, … as they were set, so that the last of equal keys
    /// counts. Call: the global, its tuple of arguments. Persistent: its id. A list may contain itself.
    std::vector<PickleValue>* parts = nullptr;
};

/// "a dictionary", for messages.
[[nodiscard]] std::string_view name_of(PickleValue::Kind kind);

/// The start of a text from a file on one line, for messages.
[[nodiscard]] std::string printable(std::string_view text);

/// One pickle (Python's serialization, as in Lib/pickletools.py), protocol 2, with the opcodes that weight files need.
/// Nothing in it is ever run: a call or a persistent id becomes a value that says so, `collections.OrderedDict()`
/// becomes a dictionary, and attributes of a dictionary are left out. Memory stays within a fixed multiple of the
/// pickle's length, and nesting costs no stack.
class Pickle {
public:
    /// Reads the pickle at the start of `bytes`, which must outlive this object, as must the names of the `globals`
    /// that it may mention ("module.name"). Throws Error starting with `where`: any other global or opcode, a pickle of
    /// more than 8 MiB, or a malformed one.
    Pickle(std::string_view bytes, std::span<const std::string_view> globals, const std::string& where);
    Pickle(const Pickle&) = delete;
    Pickle& operator=(const Pickle&) = delete;

    [[nodiscard]] const PickleValue& value() const { return value_; }
    /// The ids of all persistent values, in their order in the file.
    [[nodiscard]] const std::vector<PickleValue>& persistent_ids() const { return persistent_ids_; }
    /// Bytes that the pickle took.
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    friend class PickleReader;

    std::deque<std::vector<PickleValue>> parts_;  // of all values: flat, so that destruction needs no recursion
    PickleValue value_;
    std::vector<PickleValue> persistent_ids_;
    std::size_t size_ = 0;
};

}  // namespace ltad
