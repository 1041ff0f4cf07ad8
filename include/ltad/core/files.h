#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace ltad {

/// The whole file. Throws Error naming it when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// The whole file, block by block: for one that others may be writing. Throws Error naming it when it cannot be read.
void read_blocks(const std::filesystem::path& path, const std::function<void(std::string_view)>& take);

/// Creates the folder and its parents. Throws Error naming it.
void make_directories(const std::filesystem::path& path);

/// A file that appears under its name whole or not at all: written beside it under a temporary name that nobody else
/// has, flushed to disk and renamed by `commit` (a link under the final name is replaced, not followed). Without a
/// commit the destructor removes what was written. Every failure (a full disk, say) throws Error naming the final path.
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::string_view bytes);
    /// Overwrites bytes already written, from `offset`; the position for `write` stays at the end.
    void write_at(std::uint64_t offset, std::string_view bytes);
    void commit();

private:
    std::filesystem::path path_;
    std::filesystem::path temporary_;
    int file_ = -1;
};

/// `AtomicFile` in one call.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Removes what processes that were killed have left half-written directly in a folder: files whose names end as an
/// AtomicFile's temporary one. Nobody else may be writing there.
void remove_temporary_files(const std::filesystem::path& folder);

/// Adds bytes to the end of a file, making it where it is missing.
void append_to_file(const std::filesystem::path& path, std::string_view bytes);

/// A whole file mapped read-only; an empty file gives an empty view.
/// Throws Error naming the file. Where the file shrinks while it is mapped, reading it ends the process
/// (`name_unreadable_mappings`).
class MappedFile {
public:
    explicit MappedFile(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&&) = delete;

    [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

private:
    const char* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Asks the system to bring bytes of a mapped file into memory; does not wait for them.
void read_ahead(std::string_view mapped);

/// Holds an exclusive lock on a file (made where missing) until destroyed; the system drops it when the process dies.
class FileLock {
public:
    /// Waits for the lock; says so in the log once when it is held by somebody else (`waiting_for` names the work).
    FileLock(const std::filesystem::path& path, std::string_view waiting_for);
    ~FileLock();
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;

private:
    int file_ = -1;
};

}  // namespace ltad
