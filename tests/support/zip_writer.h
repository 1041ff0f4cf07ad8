#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ltad::test {

/// The lowest bytes of a number, little-endian.
inline std::string little_endian(std::uint64_t number, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xffu);
    return out;
}

/// An entry of `zip_of`, which is written as it is, whatever the method.
struct ZipEntry {
    std::string name;
    std::string content;
    unsigned method = 0;  ///< 0: stored, 8: deflated
    unsigned flags = 0;   ///< 1: encrypted
};

/// A zip archive; with `zip64` all its sizes and offsets are in zip64 records.
inline std::string zip_of(const std::vector<ZipEntry>& entries, bool zip64 = false) {
    const auto u16 = [](std::uint64_t number) { return little_endian(number, 2); };
    const auto u32 = [](std::uint64_t number) { return little_endian(number, 4); };
    const auto u64 = [](std::uint64_t number) { return little_endian(number, 8); };
    constexpr std::uint64_t in_zip64 = 0xffffffff;
    std::string out;
    std::string directory;
    for (const ZipEntry& entry : entries) {
        const std::uint64_t size = entry.content.size();
        const std::uint64_t shown = zip64 ? in_zip64 : size;
        const std::string extra =
            zip64 ? u16(0x5555) + u16(3) + "abc" + u16(1) + u16(24) + u64(size) + u64(size) + u64(out.size()) : "";
        const std::string common = u16(20) + u16(entry.flags) + u16(entry.method) + u32(0) + u32(0) + u32(shown) +
                                   u32(shown) + u16(entry.name.size());
        directory += "PK\x01\x02" + u16(20) + common + u16(extra.size()) + u16(0) + u16(0) + u16(0) + u32(0) +
                     u32(zip64 ? in_zip64 : out.size()) + entry.name + extra;
        out += "PK\x03\x04" + common + u16(5) + entry.name + "extra" + entry.content;
    }
    const std::uint64_t offset = out.size();
    out += directory;
    if (zip64)
        out += "PK\x06\x06" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(entries.size()) +
               u64(entries.size()) + u64(directory.size()) + u64(offset) + "PK\x06\x07" + u32(0) +
               u64(offset + directory.size()) + u32(1);
    return out + "PK\x05\x06" + u16(0) + u16(0) + u16(zip64 ? 0xffff : entries.size()) +
           u16(zip64 ? 0xffff : entries.size()) + u32(zip64 ? in_zip64 : directory.size()) +
           u32(zip64 ? in_zip64 : offset) + u16(0);
}

}  // namespace ltad::test
