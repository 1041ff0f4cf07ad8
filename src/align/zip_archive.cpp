#include "zip_archive.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "ltad/core/error.h"

namespace ltad {
namespace {

static_assert(std::endian::native == std::endian::little, "zip records are little-endian and read in place");

// Signatures and sizes of the fixed parts of the records, section 4.3 of APPNOTE.TXT.
constexpr std::uint32_t local_signature = 0x04034b50, directory_signature = 0x02014b50, end_signature = 0x06054b50,
                        end64_signature = 0x06064b50, locator_signature = 0x07064b50;
constexpr std::size_t local_size = 30, directory_size = 46, end_size = 22, end64_size = 56, locator_size = 20;
constexpr std::size_t max_comment = 0xffff;
constexpr std::uint16_t zip64_field = 1;
constexpr std::uint32_t in_zip64 = 0xffffffff;  // the number is in the zip64 field

/// The bytes from `offset` on, if there are as many.
std::optional<std::string_view> part(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
    return bytes.substr(offset, size);
}

template <typename Number>
Number number(std::string_view record, std::size_t offset) {
    Number value{};
    std::memcpy(&value, record.substr(offset, sizeof value).data(), sizeof value);
    return value;
}

/// A record of `size` bytes with its signature.
std::optional<std::string_view> record(std::string_view bytes, std::uint64_t offset, std::size_t size,
                                       std::uint32_t signature) {
    const auto found = part(bytes, offset, size);
    return found && number<std::uint32_t>(*found, 0) == signature ? found : std::nullopt;
}

/// Offset of the end record, which a comment may follow up to the last byte.
std::optional<std::size_t> find_end(std::string_view bytes) {
    if (bytes.size() < end_size) return std::nullopt;
    const std::size_t last = bytes.size() - end_size;
    for (std::size_t comment = 0; comment <= std::min(last, max_comment); ++comment) {
        const auto end = record(bytes, last - comment, end_size, end_signature);
        if (end && number<std::uint16_t>(*end, 20) == comment) return last - comment;
    }
    return std::nullopt;
}

/// The part of an entry's extra fields that holds what does not fit 32 bits; empty where there is none.
std::string_view zip64_of(std::string_view extra) {
    while (extra.size() >= 4) {
        const auto content = part(extra, 4, number<std::uint16_t>(extra, 2));
        if (!content) break;
        if (number<std::uint16_t>(extra, 0) == zip64_field) return *content;
        extra.remove_prefix(4 + content->size());
    }
    return {};
}

}  // namespace

template <typename... Reasons>
void ZipArchive::bad(const Reasons&... reasons) const {
    fail(where_, ": ", reasons..., "; the file is truncated or damaged");
}

ZipArchive::ZipArchive(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {
    const auto position = find_end(bytes);
    if (!position) bad("a zip archive without its end record");
    const std::string_view end = bytes.substr(*position, end_size);
    std::uint64_t count = number<std::uint16_t>(end, 10);
    std::uint64_t size = number<std::uint32_t>(end, 12);
    std::uint64_t offset = number<std::uint32_t>(end, 16);
    const auto locator = *position < locator_size
                             ? std::nullopt
                             : record(bytes, *position - locator_size, locator_size, locator_signature);
    if (locator) {
        const auto end64 = record(bytes, number<std::uint64_t>(*locator, 8), end64_size, end64_signature);
        if (!end64) bad("its zip64 end record is not where its locator says");
        count = number<std::uint64_t>(*end64, 32);
        size = number<std::uint64_t>(*end64, 40);
        offset = number<std::uint64_t>(*end64, 48);
    }
    const auto directory = part(bytes.substr(0, *position), offset, size);
    if (!directory) bad("its directory of ", size, " bytes at ", offset, " lies outside its ", bytes.size(), " bytes");
    read_directory(*directory, count);
}

void ZipArchive::read_directory(std::string_view directory, std::uint64_t count) {
    std::uint64_t total = 0;
    while (!directory.empty()) {
        const auto fixed = record(directory, 0, directory_size, directory_signature);
        if (!fixed) bad("entry ", entries_.size(), " of its directory is malformed");
        const std::size_t name_size = number<std::uint16_t>(*fixed, 28);
        const std::size_t extra_size = number<std::uint16_t>(*fixed, 30);
        const std::size_t comment_size = number<std::uint16_t>(*fixed, 32);
        const auto rest = part(directory, directory_size, name_size + extra_size + comment_size);
        if (!rest) bad("entry ", entries_.size(), " of its directory is cut off");
        const std::string name(rest->substr(0, name_size));

        // The zip64 field holds, in this order, those of unpacked size, packed size and offset that do not fit.
        std::string_view large = zip64_of(rest->substr(name_size, extra_size));
        const auto number64 = [&](std::size_t at) -> std::uint64_t {
            const auto small = number<std::uint32_t>(*fixed, at);
            if (small != in_zip64) return small;
            if (large.size() < 8) bad("entry '", name, "' lacks its zip64 numbers");
            const auto value = number<std::uint64_t>(large, 0);
            large.remove_prefix(8);
            return value;
        };
        (void)number64(24);
        Entry entry;
        entry.size = number64(20);
        entry.header = number64(42);
        entry.flags = number<std::uint16_t>(*fixed, 8);
        entry.method = number<std::uint16_t>(*fixed, 10);
        if (__builtin_add_overflow(total, entry.size, &total) || total > bytes_.size())
            bad("its entries claim more bytes than it has (at '", name, "')");
        if (!entries_.emplace(name, entry).second) bad("entry '", name, "' is there twice");
        directory.remove_prefix(directory_size + rest->size());
    }
    if (entries_.size() != count) bad("its directory has ", entries_.size(), " entries, its end record says ", count);
}

std::string_view ZipArchive::read(std::string_view name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) bad("entry '", name, "' is missing");
    const Entry& entry = found->second;
    if (entry.method != 0 || (entry.flags & 1u) != 0)
        fail(where_, ": entry '", name, "' is ", entry.method != 0 ? "compressed" : "encrypted",
             ", expected it stored as torch.save does");
    const auto header = record(bytes_, entry.header, local_size, local_signature);
    if (!header) bad("entry '", name, "' does not begin where the directory says");
    const std::size_t name_size = number<std::uint16_t>(*header, 26);
    const std::size_t extra_size = number<std::uint16_t>(*header, 28);
    if (part(bytes_, entry.header + local_size, name_size) != name)
        bad("entry '", name, "' has another name in its own header");
    const auto content = part(bytes_, entry.header + local_size + name_size + extra_size, entry.size);
    if (!content) bad("entry '", name, "' of ", entry.size, " bytes reaches past the end");
    return *content;
}

std::string ZipArchive::name_ending_with(std::string_view ending) const {
    for (const auto& [name, entry] : entries_)
        if (name.ends_with(ending)) return name;
    return {};
}

}  // namespace ltad
