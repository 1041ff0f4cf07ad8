#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ltad {

/// The entries of a zip archive in memory (PKWARE's APPNOTE.TXT, with its zip64 records), which are stored, not
/// compressed: so PyTorch writes its files. Checksums are not compared: PyTorch may leave them out.
class ZipArchive {
public:
    /// Reads the central directory at the end of `bytes`, which must outlive this object. Throws Error starting with
    /// `where`: not an archive, truncated or damaged, entries that reach outside of it or lie on each other.
    ZipArchive(std::string_view bytes, std::string where);

    [[nodiscard]] bool contains(std::string_view name) const { return entries_.contains(name); }
    /// The bytes of an entry. Throws Error naming it: missing, compressed, encrypted or damaged.
    [[nodiscard]] std::string_view read(std::string_view name) const;
    /// The first name that ends so; empty where there is none.
    [[nodiscard]] std::string name_ending_with(std::string_view ending) const;

private:
    struct Entry {
        std::uint64_t size = 0;    ///< in the archive
        std::uint64_t header = 0;  ///< offset of its local header
        std::uint16_t flags = 0;
        std::uint16_t method = 0;  ///< 0: stored
    };

    void read_directory(std::string_view directory, std::uint64_t count);
    template <typename... Reasons>
    [[noreturn]] void bad(const Reasons&... reasons) const;

    std::string_view bytes_;
    std::string where_;
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace ltad
