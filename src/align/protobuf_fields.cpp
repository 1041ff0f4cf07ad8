#include "protobuf_fields.h"

#include <cstring>

#include "ltad/core/error.h"

namespace ltad {

std::string_view ProtobufFields::take(std::uint64_t size) {
    if (size > rest_.size())
        fail(where_, ": damaged, a field of ", size, " bytes has only ", rest_.size(), " left of its message");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::uint64_t ProtobufFields::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const auto byte = static_cast<unsigned char>(take(1)[0]);
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
    fail(where_, ": damaged, a number has more than 64 bits");
}

std::uint64_t ProtobufFields::fixed(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);  // little-endian, as the machines this runs on
    return value;
}

bool ProtobufFields::next(ProtobufField& field) {
    if (rest_.empty()) return false;
    const char* const begin = rest_.data();
    const std::uint64_t tag = varint();
    field = {.number = tag >> 3, .wire = static_cast<ProtobufField::Wire>(tag & 7), .value = 0, .bytes = {}, .raw = {}};
    if (field.number == 0 || tag > UINT32_MAX) fail(where_, ": damaged, a field has the number ", field.number);
    switch (field.wire) {
        case ProtobufField::Wire::varint:
            field.value = varint();
            break;
        case ProtobufField::Wire::fixed64:
            field.value = fixed(8);
            break;
        case ProtobufField::Wire::fixed32:
            field.value = fixed(4);
            break;
        case ProtobufField::Wire::bytes:
            field.bytes = take(varint());
            break;
        default:
            fail(where_, ": damaged, field ", field.number, " has the type ", tag & 7);
    }
    field.raw = {begin, static_cast<std::size_t>(rest_.data() - begin)};
    return true;
}

}  // namespace ltad
