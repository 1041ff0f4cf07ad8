#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ltad {

/// One field of a protobuf message (protobuf.dev/programming-guides/encoding).
struct ProtobufField {
    enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

    std::uint64_t number = 0;
    Wire wire = Wire::varint;
    std::uint64_t value = 0;  ///< of a varint or a fixed number
    std::string_view bytes;   ///< of a field of bytes: a string or a message
    std::string_view raw;     ///< the whole field, its number and type included
};

/// Takes a message's fields from its bytes, one after the other.
class ProtobufFields {
public:
    /// `where` is for messages.
    ProtobufFields(std::string_view message, const std::string& where) : rest_(message), where_(where) {}

    /// The next field, or false at the end. Throws Error naming `where`: bytes that end too early, groups (which no
    /// message of today has), numbers longer than 64 bits.
    bool next(ProtobufField& field);

private:
    std::uint64_t varint();
    std::uint64_t fixed(std::size_t size);
    std::string_view take(std::uint64_t size);

    std::string_view rest_;
    const std::string& where_;
};

}  // namespace ltad
