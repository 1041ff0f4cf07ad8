#include "ltad/core/hash.h"

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Sha256, GivesThePublishedDigests) {
    // FIPS 180-4's examples (NIST), of one and more blocks.
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                     "mnopqrstnopqrstu"),
              "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

std::string sample(int length) {
    std::string bytes;
    for (int i = 0; i < length; ++i) bytes.push_back(static_cast<char>(i * 7 + length));
    return bytes;
}

TEST(Sha256, EveryLengthAroundTheBlockBordersIsRight) {
    // The digest of all the digests, from Python's hashlib.
    std::string digests;
    for (int length = 0; length <= 130; ++length) digests += sha256(sample(length));
    EXPECT_EQ(sha256(digests), "28d1b7ee925817a15dd4e0403443c1e6e8a70428aa0fdbe7d0e41757c5102ffb");
}

TEST(Sha256, PiecesOfAnySizeGiveTheSameAsTheWhole) {
    for (int length = 0; length <= 130; ++length) {
        const std::string bytes = sample(length);
        const std::string whole = sha256(bytes);
        for (const std::size_t piece : {1u, 3u, 7u, 63u, 64u, 65u, 100u}) {
            Sha256 hash;
            for (std::size_t at = 0; at < bytes.size(); at += piece)
                hash.update(std::string_view(bytes).substr(at, piece));
            hash.update("");
            ASSERT_EQ(hash.hex(), whole) << length << " bytes in pieces of " << piece;
        }
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            Sha256 hash;
            hash.update(bytes.substr(0, cut));
            hash.update(bytes.substr(cut));
            ASSERT_EQ(hash.hex(), whole) << length << " bytes cut at " << cut;
        }
    }
}

TEST(Sha256, OfAFileIsOfItsBytes) {
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "abc", "abc");
    write_file_atomically(folder / "empty", "");
    EXPECT_EQ(sha256_file(folder / "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_file(folder / "empty"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_THAT([&] { (void)sha256_file(folder / "none"); },
                ThrowsMessage<Error>(HasSubstr((folder / "none").string())));
}

TEST(Sha256, IsRememberedUntilTheFileChanges) {
    const test::TemporaryFolder folder;
    const auto file = folder / "a";
    for (const char* bytes : {"one", "two", "six"}) {  // within one tick of the clock, perhaps
        write_file_atomically(file, bytes);
        EXPECT_EQ(remembered_sha256_file(file), sha256(bytes));
        EXPECT_EQ(remembered_sha256_file(file), sha256(bytes));
    }
    std::this_thread::sleep_for(std::chrono::seconds(4));  // old enough to be remembered
    EXPECT_EQ(remembered_sha256_file(file), sha256("six"));
    EXPECT_EQ(remembered_sha256_file(file), sha256("six"));
    const auto time = std::filesystem::last_write_time(file);
    std::ofstream(file) << "ten";
    std::filesystem::last_write_time(file, time);
    EXPECT_EQ(remembered_sha256_file(file), sha256("ten")) << "the same name, inode, size and time";
    EXPECT_THAT([&] { (void)remembered_sha256_file(folder / "none"); }, ThrowsMessage<Error>(HasSubstr("none")));
}

}  // namespace
}  // namespace ltad
