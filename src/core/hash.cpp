#include "ltad/core/hash.h"

#include <array>

#include <openssl/evp.h>

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

}  // namespace ltad
