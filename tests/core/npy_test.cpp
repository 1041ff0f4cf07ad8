#include "ltad/core/npy.h"

#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

std::string floats(std::initializer_list<float> values) {
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), std::data(values), bytes.size());
    return bytes;
}

/// A file as NumPy's format description (1.0) has it: magic, version, little-endian header length, a Python dictionary
/// padded with spaces so that the data begin at a multiple of `alignment`, a newline, the data.
std::string npy(const std::string& dictionary, const std::string& data, std::size_t alignment = 64) {
    std::string header = dictionary;
    while ((10 + header.size() + 1) % alignment != 0) header.push_back(' ');
    header.push_back('\n');
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes.push_back(static_cast<char>(header.size() & 0xff));
    bytes.push_back(static_cast<char>(header.size() >> 8));
    return bytes + header + data;
}

/// Not written atomically: flushing to the disk would make these tests slow.
void put(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::remove(path);
    append_to_file(path, bytes);
}

std::string dictionary(const std::string& shape) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

TEST(Npy, RoundTrips) {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> rows[] = {{1, -2, 3.5f, 0, 1e-45f, 6},
                                       {-0.0f, nan, std::numeric_limits<float>::infinity(), 4, 5, 6}};
    NpyWriter writer(path, {2, 3});
    for (const auto& row : rows) writer.append(row);
    EXPECT_EQ(writer.rows(), 2u);
    EXPECT_FALSE(std::filesystem::exists(path));
    writer.commit();

    const NpyFile file(path);
    EXPECT_THAT(file.shape(), ElementsAre(2, 2, 3));
    ASSERT_EQ(file.values().size(), 12u);
    for (std::size_t i = 0; i < 2; ++i)  // bits, since NaN equals nothing
        EXPECT_EQ(std::memcmp(file.row(i).data(), rows[i].data(), 6 * sizeof(float)), 0) << "row " << i;
}

TEST(Npy, WritesWhatNumPyExpects) {
    const TemporaryFolder folder;
    NpyWriter writer(folder / "a.npy", {1, 2});
    for (float i = 0; i < 3; ++i) writer.append(std::vector{i, 10 + i});
    writer.commit();
    const std::string bytes = read_file(folder / "a.npy");
    const std::size_t header_size = static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
    EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    EXPECT_EQ((10 + header_size) % 64, 0u) << "the data must be aligned";
    const std::string header = bytes.substr(10, header_size);
    EXPECT_EQ(header.back(), '\n');
    EXPECT_THAT(header, testing::StartsWith("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2,), }"));
    EXPECT_EQ(bytes.substr(10 + header_size), floats({0, 10, 1, 11, 2, 12}));
}

TEST(Npy, HoldsScalarsNoRowsAndEmptyRows) {
    const TemporaryFolder folder;
    {
        NpyWriter scalars(folder / "scalars.npy", {});
        scalars.append(std::vector{7.0f});
        scalars.append(std::vector{8.0f});
        scalars.commit();
        NpyWriter(folder / "none.npy", {4, 5}).commit();
        NpyWriter empty(folder / "empty.npy", {0, 5});
        empty.append({});
        empty.commit();
    }
    const NpyFile scalars(folder / "scalars.npy");
    EXPECT_THAT(scalars.shape(), ElementsAre(2));
    EXPECT_THAT(copy(scalars.row(1)), ElementsAre(8));
    const NpyFile none(folder / "none.npy");
    EXPECT_THAT(none.shape(), ElementsAre(0, 4, 5));
    EXPECT_THAT(copy(none.values()), IsEmpty());
    const NpyFile empty(folder / "empty.npy");
    EXPECT_THAT(empty.shape(), ElementsAre(1, 0, 5));
    EXPECT_THAT(copy(empty.row(0)), IsEmpty());
}

TEST(Npy, StaysValidWhenMoved) {
    const TemporaryFolder folder;
    put(folder / "a.npy", npy(dictionary("(2,)"), floats({1, 2})));
    NpyFile first(folder / "a.npy");
    const NpyFile second(std::move(first));
    EXPECT_THAT(copy(second.values()), ElementsAre(1, 2));
}

TEST(Npy, ReadsWhatNumPyWrites) {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    const std::string data = floats({1, 2, 3, 4, 5, 6});
    // Today's alignment and that of NumPy before 1.14; with and without the comma after the last dimension.
    for (const std::size_t alignment : {64u, 16u}) {
        put(path, npy(dictionary("(3, 2)"), data, alignment));
        const NpyFile matrix(path);
        EXPECT_THAT(matrix.shape(), ElementsAre(3, 2));
        EXPECT_THAT(copy(matrix.row(2)), ElementsAre(5, 6));
    }
    put(path, npy(dictionary("(6,)"), data));
    EXPECT_THAT(NpyFile(path).shape(), ElementsAre(6));
}

TEST(Npy, AWriterChecksItsRowsAndLeavesNothingWithoutCommit) {
    const TemporaryFolder folder;
    {
        NpyWriter writer(folder / "a.npy", {2, 2});
        writer.append(std::vector<float>(4));
        EXPECT_THAT([&] { writer.append(std::vector<float>(3)); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("4 values"), HasSubstr("got 3"))));
        EXPECT_THAT([&] { writer.append({}); }, ThrowsMessage<Error>(HasSubstr("4 values")));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_THAT([&] { NpyWriter(folder / "long.npy", std::vector<std::int64_t>(60, 1)); },
                ThrowsMessage<Error>(HasSubstr("too long")));
}

TEST(Npy, ARefusedRowLeavesTheFileSound) {
    const TemporaryFolder folder;
    NpyWriter writer(folder / "a.npy", {2});
    EXPECT_THROW(writer.append(std::vector<float>(3)), Error);
    writer.append(std::vector{1.0f, 2.0f});
    writer.commit();
    EXPECT_THAT(copy(NpyFile(folder / "a.npy").values()), ElementsAre(1, 2));
}

TEST(Npy, EveryTruncationIsAnErrorThatNamesTheFile) {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    const std::string whole = npy(dictionary("(3, 2)"), floats({1, 2, 3, 4, 5, 6}));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        put(path, whole.substr(0, length));
        EXPECT_THAT([&] { NpyFile file(path); }, ThrowsMessage<Error>(HasSubstr(path.string()))) << length << " bytes";
    }
}

TEST(Npy, WrongFilesAreErrorsThatSayWhatIsWrong) {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    const std::string two = floats({1, 2});
    const auto version_2 = [&] {
        std::string bytes = npy(dictionary("(2,)"), two);
        bytes[6] = 2;
        return bytes;
    };
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"not npy", "PK\x03\x04 something else entirely", "not a .npy file"},
        {"format 2.0", version_2(), "format 1.0"},
        {"float64", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", two), "'<f4'"},
        {"big-endian", npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", two), "'<f4'"},
        {"int32", npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", two), "'<f4'"},
        {"Fortran order", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", two), "C-ordered"},
        {"no shape", npy("{'descr': '<f4', 'fortran_order': False, }", two), "no shape"},
        {"unfinished shape", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, ", two), "no shape"},
        {"not numbers", npy(dictionary("(x,)"), two), "malformed shape"},
        {"negative", npy(dictionary("(-2,)"), two), "malformed shape"},
        {"beyond 64 bits", npy(dictionary("(99999999999999999999,)"), two), "malformed shape"},
        {"no dimension", npy(dictionary("()"), floats({1})), "at least one dimension"},
        {"trailing bytes", npy(dictionary("(2,)"), two + "x"), "needs 8 bytes of data, the file has 9"},
        {"a value too many", npy(dictionary("(1,)"), two), "needs 4 bytes of data, the file has 8"},
        {"a value too few", npy(dictionary("(3,)"), two), "needs 12 bytes of data, the file has 8"},
        {"inner overflow", npy(dictionary("(1, 4294967296, 4294967296)"), ""), "overflow"},
        {"outer overflow", npy(dictionary("(4611686018427387904,)"), ""),
         "overflow"},  // 2^62 floats: 2^64 bytes, 0 if wrapped
        {"outer overflow of rows", npy(dictionary("(4611686018427387904, 4)"), ""), "overflow"},
    };
    for (const auto& [what, bytes, expected] : cases) {
        put(path, bytes);
        EXPECT_THAT([&] { NpyFile file(path); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr(expected))))
            << what;
    }
    EXPECT_THAT([&] { NpyFile file(folder / "none"); }, ThrowsMessage<Error>(HasSubstr((folder / "none").string())));
}

TEST(Npy, ValuesAreAlignedOrTheFileIsRefused) {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    for (const std::size_t spaces : {0u, 1u, 2u, 3u}) {
        put(path, npy(dictionary("(2,)") + std::string(spaces, ' '), floats({1, 2}), 1));
        try {
            const NpyFile file(path);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.values().data()) % alignof(float), 0u);
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(path.string()));
        }
    }
}

TEST(Npy, FlippedBytesNeverCrash) {
    const TemporaryFolder folder;
    const auto path = folder / "a.npy";
    const std::string whole = npy(dictionary("(3, 2)"), floats({1, 2, 3, 4, 5, 6}));
    const std::size_t header = whole.size() - 24;
    int accepted = 0;
    for (std::size_t at = 0; at < header; ++at)
        for (const int flip : {0x01, 0x02, 0x04, 0x10, 0x80, 0xff}) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ flip);
            put(path, bytes);
            try {
                const NpyFile file(path);
                // What is accepted must be readable to its end.
                EXPECT_EQ(file.values().size(), 6u);
                EXPECT_EQ(std::memcmp(file.values().data(), bytes.data() + header, 24), 0);
                ++accepted;
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr(path.string()));
            }
        }
    EXPECT_GT(accepted, 0) << "padding may change";
}

}  // namespace
}  // namespace ltad
