#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's

namespace ltad {

/// SHA-256 (FIPS 180-4), fed piece by piece.
class Sha256 {
public:
    Sha256();
    void update(std::string_view bytes);
    /// 64 lower-case hex digits; the object is used up afterwards.
    [[nodiscard]] std::string hex();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] std::string sha256(std::string_view bytes);

/// Throws Error when the file cannot be read.
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path);

/// The same, remembered as long as the file's inode, size and times are: nothing that changes a file can set back the
/// time of its status. One that has changed within the last seconds is read again. By several threads at once.
[[nodiscard]] std::string remembered_sha256_file(const std::filesystem::path& path);

}  // namespace ltad
