#include "ltad/core/hash.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <map>
#include <mutex>

#include <openssl/evp.h>
#include <sys/stat.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

void check(bool done) {
    if (!done) fail("OpenSSL cannot compute SHA-256 here; its configuration may forbid it");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::string_view bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        out.push_back(digits[digest[i] >> 4]);
        out.push_back(digits[digest[i] & 15]);
    }
    return out;
}

std::string sha256(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
    // Read, not mapped: one that another program shortens meanwhile would end the process.
    Sha256 hash;
    read_blocks(path, [&](std::string_view bytes) { hash.update(bytes); });
    return hash.hex();
}

std::string remembered_sha256_file(const std::filesystem::path& path) {
    static std::mutex guard;
    static std::map<std::array<std::int64_t, 6>, std::string> known;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return sha256_file(path);  // which says why
    // Another change within the clock's grain would not show in the times.
    constexpr std::int64_t young = 3;
    if (std::time(nullptr) - status.st_ctim.tv_sec < young) return sha256_file(path);
    const std::array<std::int64_t, 6> identity = {static_cast<std::int64_t>(status.st_dev),
                                                  static_cast<std::int64_t>(status.st_ino),
                                                  status.st_size,
                                                  status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
                                                  status.st_ctim.tv_sec,
                                                  status.st_ctim.tv_nsec};
    {
        const std::lock_guard lock(guard);
        if (const auto found = known.find(identity); found != known.end()) return found->second;
    }
    std::string hash = sha256_file(path);
    const std::lock_guard lock(guard);
    return known.try_emplace(identity, std::move(hash)).first->second;
}

}  // namespace ltad
