#include "ltad/core/npy.h"

#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr std::string_view magic("\x93NUMPY\x01\x00", 8);
constexpr std::size_t header_total = 128;  // fixed, so that the row count can be filled in at the end

std::string make_header(std::size_t rows, const std::vector<std::int64_t>& row_shape) {
    std::string dictionary = text("{'descr': '<f4', 'fortran_order': False, 'shape': (", rows, ",");
    for (const auto length : row_shape) dictionary += text(' ', length, ',');
    dictionary += "), }";
    const std::size_t room = header_total - magic.size() - 2;
    if (dictionary.size() + 1 > room) fail("npy: the shape is too long for the header");
    dictionary.append(room - dictionary.size() - 1, ' ');
    dictionary.push_back('\n');
    return std::string(magic) + static_cast<char>(room & 255) + static_cast<char>(room >> 8) + dictionary;
}

/// The numbers between the brackets of 'shape': (…).
std::vector<std::int64_t> parse_shape(std::string_view header, const std::string& where) {
    const std::size_t key = header.find("'shape': (");
    const std::size_t end = key == std::string_view::npos ? key : header.find(')', key);
    if (end == std::string_view::npos) fail(where, ": no shape in its npy header");
    std::vector<std::int64_t> shape;
    const char* at = header.data() + key + 10;
    const char* const stop = header.data() + end;
    while (at < stop) {
        if (*at == ' ' || *at == ',') {
            ++at;
            continue;
        }
        std::int64_t length = 0;
        const auto [next, code] = std::from_chars(at, stop, length);
        if (code != std::errc() || length < 0) fail(where, ": a malformed shape in its npy header");
        shape.push_back(length);
        at = next;
    }
    return shape;
}

}  // namespace

NpyFile::NpyFile(const std::filesystem::path& path) : file_(path) {
    const std::string where = path.string();
    const std::string_view bytes = file_.bytes();
    if (bytes.size() < magic.size() + 2 || bytes.substr(0, magic.size()) != magic)
        fail(where, ": not a .npy file of format 1.0, or truncated");
    const std::size_t header_size = static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
    const std::size_t data_start = magic.size() + 2 + header_size;
    if (bytes.size() < data_start) fail(where, ": truncated in its npy header");
    if (data_start % alignof(float) != 0)
        fail(where, ": its data begin at byte ", data_start, ", not at a multiple of 4");
    const std::string_view header = bytes.substr(magic.size() + 2, header_size);
    if (header.find("'<f4'") == std::string_view::npos || header.find("False") == std::string_view::npos)
        fail(where, ": a C-ordered float32 array ('<f4') was expected, the header says ", header);
    shape_ = parse_shape(header, where);
    if (shape_.empty()) fail(where, ": an array of at least one dimension was expected");

    std::uint64_t row_bytes = sizeof(float);
    for (std::size_t i = 1; i < shape_.size(); ++i)
        if (__builtin_mul_overflow(row_bytes, static_cast<std::uint64_t>(shape_[i]), &row_bytes))
            fail(where, ": the shape in its npy header overflows");
    std::uint64_t expected = 0;
    if (__builtin_mul_overflow(row_bytes, static_cast<std::uint64_t>(shape_[0]), &expected))
        fail(where, ": the shape in its npy header overflows");
    if (bytes.size() - data_start != expected)
        fail(where, ": its shape needs ", expected, " bytes of data, the file has ", bytes.size() - data_start);
    row_size_ = row_bytes / sizeof(float);
    values_ = {reinterpret_cast<const float*>(bytes.data() + data_start), expected / sizeof(float)};
}

NpyWriter::NpyWriter(const std::filesystem::path& path, std::vector<std::int64_t> row_shape)
    : file_(path), row_shape_(std::move(row_shape)) {
    for (const auto length : row_shape_) row_size_ *= static_cast<std::size_t>(length);
    file_.write(make_header(0, row_shape_));
}

void NpyWriter::append(std::span<const float> row) {
    if (row.size() != row_size_) fail("npy: a row of ", row_size_, " values was expected, got ", row.size());
    file_.write({reinterpret_cast<const char*>(row.data()), row.size_bytes()});
    ++rows_;
}

void NpyWriter::commit() {
    file_.write_at(0, make_header(rows_, row_shape_));
    file_.commit();
}

}  // namespace ltad
