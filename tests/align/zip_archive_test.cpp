#include "align/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "support/zip_writer.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using test::little_endian;
using test::zip_of;

const std::vector<test::ZipEntry> two = {{.name = "w/data.pkl", .content = "pickle"},
                                         {.name = "w/data/0", .content = std::string("\0\1\2PK\5\6", 7)}};

std::string replaced(std::string bytes, const std::string& from, const std::string& to, std::size_t skip = 0) {
    std::size_t position = bytes.find(from);
    while (skip-- > 0) position = bytes.find(from, position + 1);
    return bytes.replace(position, to.size(), to);
}

auto refuses(const std::string& part) { return ThrowsMessage<Error>(AllOf(HasSubstr("here"), HasSubstr(part))); }

TEST(ZipArchive, ReadsStoredEntries) {
    for (const bool zip64 : {false, true}) {
        const std::string bytes = zip_of(two, zip64);
        const ZipArchive archive(bytes, "here");
        EXPECT_EQ(archive.read("w/data.pkl"), two[0].content);
        EXPECT_EQ(archive.read("w/data/0"), two[1].content);
        EXPECT_TRUE(archive.contains("w/data/0"));
        EXPECT_FALSE(archive.contains("w/data"));
        EXPECT_EQ(archive.name_ending_with("/data.pkl"), "w/data.pkl");
        EXPECT_EQ(archive.name_ending_with(".txt"), "");
    }
}

TEST(ZipArchive, ReadsEmptyArchivesAndThoseWithAComment) {
    const std::string empty = zip_of({});
    EXPECT_FALSE(ZipArchive(empty, "here").contains(""));

    std::string bytes = zip_of(two);
    const std::string comment = "a comment with PK\5\6 in it, and with more letters than an end record has";
    bytes.replace(bytes.size() - 2, 2, little_endian(comment.size(), 2));
    bytes += comment;
    EXPECT_EQ(ZipArchive(bytes, "here").read("w/data.pkl"), "pickle");
}

TEST(ZipArchive, RefusesCompressedEncryptedAndMissingEntriesByName) {
    const std::string bytes = zip_of({{.name = "plain", .content = "x"},
                                      {.name = "packed", .content = "x", .method = 8},
                                      {.name = "secret", .content = "x", .flags = 1}});
    const ZipArchive archive(bytes, "here");
    EXPECT_EQ(archive.read("plain"), "x");
    EXPECT_THAT([&] { (void)archive.read("packed"); }, refuses("'packed' is compressed"));
    EXPECT_THAT([&] { (void)archive.read("secret"); }, refuses("'secret' is encrypted"));
    EXPECT_THAT([&] { (void)archive.read("gone"); }, refuses("'gone' is missing"));
}

TEST(ZipArchive, RefusesDamage) {
    const auto open = [](const std::string& bytes) { (void)ZipArchive(bytes, "here"); };
    const std::string bytes = zip_of(two);
    const std::string large = zip_of(two, true);
    EXPECT_THAT([&] { open(""); }, refuses("end record"));
    EXPECT_THAT([&] { open(bytes + "x"); }, refuses("end record"));
    EXPECT_THAT([&] { open(replaced(large, "PK\6\6", "PK\6\5")); }, refuses("zip64 end record"));
    EXPECT_THAT([&] { open(replaced(bytes, "PK\1\2", "PK\1\1", 1)); }, refuses("entry 1 of its directory"));
    EXPECT_THAT([&] { open(zip_of({two[0], two[0]})); }, refuses("'w/data.pkl' is there twice"));

    const std::size_t end = bytes.size() - 22;
    EXPECT_THAT([&] { open(std::string(bytes).replace(end + 10, 2, little_endian(3, 2))); },
                refuses("has 2 entries, its end record says 3"));
    EXPECT_THAT([&] { open(std::string(bytes).replace(end + 12, 4, little_endian(0xfffffff0, 4))); },
                refuses("lies outside"));
    EXPECT_THAT([&] { open(std::string(bytes).replace(end + 16, 4, little_endian(end + 1, 4))); },
                refuses("lies outside"));
    const std::size_t directory = bytes.find("PK\1\2");
    EXPECT_THAT([&] { open(std::string(bytes).replace(directory + 28, 2, little_endian(0xffff, 2))); },
                refuses("cut off"));
    EXPECT_THAT([&] { open(std::string(bytes).replace(directory + 20, 4, little_endian(0xffffffff, 4))); },
                refuses("lacks its zip64 numbers"));
}

TEST(ZipArchive, RefusesEntriesOutsideOfTheArchive) {
    const std::string bytes = zip_of(two);
    const std::size_t directory = bytes.find("PK\1\2");
    const auto read = [](const std::string& damaged) { (void)ZipArchive(damaged, "here").read("w/data.pkl"); };
    ASSERT_NO_THROW(read(bytes));
    for (const std::uint64_t offset : {std::uint64_t{1}, std::uint64_t{bytes.size()}, std::uint64_t{0xfffffffe}})
        EXPECT_THAT([&] { read(std::string(bytes).replace(directory + 42, 4, little_endian(offset, 4))); },
                    refuses("'w/data.pkl' does not begin where"));
    EXPECT_THAT([&] { read(replaced(bytes, "data.pkl", "data.pki")); }, refuses("'w/data.pkl' has another name"));
    EXPECT_THAT([&] { read(std::string(bytes).replace(28, 2, little_endian(0xffff, 2))); },
                refuses("'w/data.pkl' of 6 bytes reaches past the end"));
    EXPECT_THAT([&] { read(std::string(bytes).replace(directory + 20, 4, little_endian(bytes.size() + 1, 4))); },
                refuses("claim more bytes"));

    // zip64 numbers near 2^64 must not wrap around.
    const std::string large = zip_of(two, true);
    const std::size_t numbers = large.find("PK\1\2") + 46 + two[0].name.size() + 7 + 4;
    EXPECT_THAT([&] { read(std::string(large).replace(numbers + 8, 8, std::string(8, '\xff'))); },
                refuses("claim more bytes"));
    EXPECT_THAT([&] { read(std::string(large).replace(numbers + 16, 8, std::string(8, '\xff'))); },
                refuses("does not begin where"));
}

TEST(ZipArchive, RefusesManyEntriesOfTheSameBytes) {
    // Each entry alone is valid, all together would take a multiple of the archive's memory.
    const std::vector<test::ZipEntry> entries = {{.name = "big", .content = std::string(1000, 'x')},
                                                 {.name = "two", .content = ""}};
    std::string bytes = zip_of(entries);
    const std::size_t second = bytes.rfind("PK\1\2");
    bytes.replace(second + 20, 4, little_endian(1000, 4)).replace(second + 42, 4, little_endian(0, 4));
    EXPECT_THAT([&] { (void)ZipArchive(bytes, "here"); }, refuses("claim more bytes"));
}

}  // namespace
}  // namespace ltad
