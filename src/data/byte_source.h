#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace ltad {

/// Bytes of which only some are wanted.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// Copies up to `count` bytes from `offset`, fewer where the bytes end. Returns how many.
    virtual std::size_t read(std::uint64_t offset, void* to, std::size_t count) = 0;

    /// Up to `count` bytes from `offset`.
    [[nodiscard]] std::string part(std::uint64_t offset, std::size_t count);
};

class MemorySource final : public ByteSource {
public:
    explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    std::size_t read(std::uint64_t offset, void* to, std::size_t count) override;

private:
    std::string_view bytes_;
};

/// Throws Error naming a file that cannot be read.
class FileSource final : public ByteSource {
public:
    explicit FileSource(const std::filesystem::path& path);
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    std::size_t read(std::uint64_t offset, void* to, std::size_t count) override;

private:
    std::ifstream file_;
    std::uint64_t size_ = 0;
};

/// Whole numbers of 2, 3 or 4 bytes at a place that the caller knows to be there.
[[nodiscard]] std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count);
[[nodiscard]] std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count);

}  // namespace ltad
