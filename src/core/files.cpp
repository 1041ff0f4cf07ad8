#include "ltad/core/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ltad/core/bus_error.h"
#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"

namespace ltad {
namespace {

constexpr std::string_view temporary_mark = ".tmp-";

[[noreturn]] void fail_with_errno(const char* action, const std::filesystem::path& path) {
    const int code = errno;
    fail("cannot ", action, " ", path.string(), ": ", std::strerror(code));
}

/// Writes all of it, whatever the system takes at a time.
void write_all(int file, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_with_errno("write", path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// A rename is on disk only when its folder is.
void sync_folder_of(const std::filesystem::path& path) {
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0 && (errno == EACCES || errno == EPERM)) return;  // may be written, not read
    if (file < 0) fail_with_errno("write", path);
    const int code = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    errno = code;
    if (code != 0 && code != EINVAL && code != ENOTSUP && code != EROFS)  // not on every file system
        fail_with_errno("write", path);
}

/// Beside a file, under a name that no other process and no leftover of a killed one has: a process number may come
/// again, and links that somebody has put there are not followed. Returns the descriptor, or −1 with errno.
int open_temporary(const std::filesystem::path& path, std::filesystem::path& temporary) {
    constexpr std::size_t longest = 200;  // of the 255 bytes that a name can have
    constexpr int most = 1000;
    const std::string name = path.filename().string().substr(0, longest);
    for (int i = 0; i < most; ++i) {
        temporary = path.parent_path() / text(name, temporary_mark, ::getpid(), i > 0 ? text('-', i) : "");
        const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/// "<name>.tmp-<process>", or with "-<number>" behind it.
bool is_temporary(const std::string& name) {
    const std::size_t mark = name.rfind(temporary_mark);
    return mark != std::string::npos && mark + temporary_mark.size() < name.size() &&
           name.find_first_not_of("0123456789-", mark + temporary_mark.size()) == std::string::npos;
}

/// A regular file open for reading.
class OpenFile {
public:
    explicit OpenFile(const std::filesystem::path& path)
        : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe must not make us wait
        if (file_ < 0) fail_with_errno("read", path);
        struct stat status {};
        const bool known = ::fstat(file_, &status) == 0;
        if (known && S_ISREG(status.st_mode)) {
            size_ = static_cast<std::size_t>(status.st_size);
            return;
        }
        const int code = errno;
        ::close(file_);
        errno = code;
        if (!known) fail_with_errno("read", path);
        fail("cannot read ", path.string(), ": ",
             S_ISDIR(status.st_mode) ? "it is a folder, a file was expected"
                                     : "it is not a regular file (a pipe, perhaps)");
    }
    ~OpenFile() { ::close(file_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    [[nodiscard]] int descriptor() const { return file_; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    int file_;
    std::size_t size_ = 0;
};

}  // namespace

void read_blocks(const std::filesystem::path& path, const std::function<void(std::string_view)>& take) {
    const OpenFile file(path);
    std::vector<char> block(std::min<std::size_t>(file.size() + 1, 1 << 20));
    for (;;) {
        const ssize_t count = ::read(file.descriptor(), block.data(), block.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_with_errno("read", path);
        if (count == 0) return;
        take({block.data(), static_cast<std::size_t>(count)});
    }
}

std::string read_file(const std::filesystem::path& path) {
    std::string bytes;
    read_blocks(path, [&](std::string_view block) { bytes += block; });
    return bytes;
}

void make_directories(const std::filesystem::path& path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (!code) return;
    std::error_code unknown;
    for (auto above = path; above.has_relative_path(); above = above.parent_path())
        if (std::filesystem::exists(above, unknown) && !std::filesystem::is_directory(above, unknown))
            fail("cannot make the folder ", path.string(), ": ", above.string(), " is a file");
    fail("cannot make the folder ", path.string(), ": ", code.message());
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    if (path_.has_parent_path()) make_directories(path_.parent_path());
    file_ = open_temporary(path_, temporary_);
    if (file_ < 0) fail_with_errno("write", path_);
}

AtomicFile::~AtomicFile() {
    if (file_ < 0) return;
    ::close(file_);
    ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) { write_all(file_, bytes, path_); }

void AtomicFile::write_at(std::uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_with_errno("write", path_);
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
}

void AtomicFile::commit() {
    if (::fsync(file_) != 0) fail_with_errno("write", path_);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_errno("write", path_);
    ::close(file_);
    file_ = -1;
    sync_folder_of(path_);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
    AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

void remove_temporary_files(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder)) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (is_temporary(entry.path().filename().string()) && !entry.is_directory())
            std::filesystem::remove(entry.path());
}

void append_to_file(const std::filesystem::path& path, std::string_view bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) fail_with_errno("write", path);
    try {
        write_all(file, bytes, path);
    } catch (...) {
        ::close(file);
        throw;
    }
    ::close(file);
}

MappedFile::MappedFile(const std::filesystem::path& path) {
    const OpenFile file(path);
    size_ = file.size();
    if (size_ == 0) return;
    void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (mapped == MAP_FAILED) fail_with_errno("map", path);
    data_ = static_cast<const char*>(mapped);
    remember_mapping(data_, size_, path.string());
}

MappedFile::~MappedFile() {
    if (data_ == nullptr) return;
    forget_mapping(data_);
    ::munmap(const_cast<char*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

void read_ahead(std::string_view mapped) {
    if (mapped.empty()) return;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto start = reinterpret_cast<std::uintptr_t>(mapped.data());
    const std::uintptr_t first = start / page * page;
    // Only advice: where the system will not take it, the bytes are read when they are needed.
    ::madvise(reinterpret_cast<void*>(first), mapped.size() + (start - first), MADV_WILLNEED);
}

namespace {

/// Makes it where it is missing. A link would let another file be made or locked in its place.
int open_lock(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    if (file < 0 && errno != ELOOP) fail_with_errno("open", path);
    struct stat status {};
    if (file >= 0 && ::fstat(file, &status) == 0 && S_ISREG(status.st_mode)) return file;
    if (file >= 0) ::close(file);
    fail("cannot lock ", path.string(), ": it is a link or a special file, a regular file was expected; remove it");
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, std::string_view waiting_for) {
    if (path.has_parent_path()) make_directories(path.parent_path());
    file_ = open_lock(path);
    // Asks again and again: a signal that comes just before a wait inside flock would not end it.
    for (bool said = false; ::flock(file_, LOCK_EX | LOCK_NB) != 0; ::usleep(50'000)) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            const int code = errno;
            ::close(file_);
            errno = code;
            fail_with_errno("lock", path);
        }
        if (interrupt_requested()) {
            ::close(file_);
            throw Interrupted(text("interrupted while waiting for ", path.string()));
        }
        if (!std::exchange(said, true)) log_info(text("waiting for another process: ", waiting_for));
    }
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock::~FileLock() {
    if (file_ >= 0) ::close(file_);
}

}  // namespace ltad
