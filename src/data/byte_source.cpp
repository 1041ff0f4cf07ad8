#include "byte_source.h"

#include <algorithm>

#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {

std::string ByteSource::part(std::uint64_t offset, std::size_t count) {
    std::string bytes(count, '\0');
    bytes.resize(read(offset, bytes.data(), count));
    return bytes;
}

std::size_t MemorySource::read(std::uint64_t offset, void* to, std::size_t count) {
    if (offset >= bytes_.size()) return 0;
    return bytes_.copy(static_cast<char*>(to), count, static_cast<std::size_t>(offset));
}

FileSource::FileSource(const std::filesystem::path& path) {
    std::error_code code;
    if (!std::filesystem::is_regular_file(path, code)) (void)read_file(path);  // says what it is instead
    file_.open(path, std::ios::binary);
    size_ = std::filesystem::file_size(path, code);
    if (!file_ || code) fail("cannot read ", path.string(), ": ", code ? code.message() : "it cannot be opened");
}

std::size_t FileSource::read(std::uint64_t offset, void* to, std::size_t count) {
    if (offset >= size_) return 0;
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(std::min<std::uint64_t>(count, size_ - offset)));
    return static_cast<std::size_t>(file_.gcount());
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

}  // namespace ltad
