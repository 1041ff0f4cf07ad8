#include "ltad/core/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "ltad/core/lfs_pointer.h"

namespace ltad {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian and read in place");

constexpr std::size_t max_header = 100'000'000;  // the reference implementation's own limit

struct DtypeFacts {
    Dtype dtype;
    std::string_view name;
    std::size_t size;
};

constexpr std::array<DtypeFacts, 10> dtypes = {{{Dtype::f64, "F64", 8},
                                                {Dtype::f32, "F32", 4},
                                                {Dtype::f16, "F16", 2},
                                                {Dtype::bf16, "BF16", 2},
                                                {Dtype::i64, "I64", 8},
                                                {Dtype::i32, "I32", 4},
                                                {Dtype::i16, "I16", 2},
                                                {Dtype::i8, "I8", 1},
                                                {Dtype::u8, "U8", 1},
                                                {Dtype::boolean, "BOOL", 1}}};

const DtypeFacts& facts(Dtype dtype) {
    return *std::find_if(dtypes.begin(), dtypes.end(), [&](const DtypeFacts& f) { return f.dtype == dtype; });
}

/// One header entry → tensor; `begin` and `end` are its offsets in the data.
struct Entry {
    std::string name;
    TensorBytes tensor;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

Entry read_entry(const std::string& name, const json& value, std::string_view data, const std::string& where) {
    const auto bad = [&](const auto&... parts) { fail(where, ": tensor '", name, "': ", parts...); };
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets"))
        bad("its header entry lacks dtype, shape or data_offsets");
    const json& shape = value["shape"];
    const json& offsets = value["data_offsets"];
    if (!value["dtype"].is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2 ||
        !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
        bad("its header entry is malformed");

    Entry entry{.name = name, .tensor = {}, .begin = offsets[0], .end = offsets[1]};
    const auto dtype = value["dtype"].get<std::string>();
    const auto* found =
        std::find_if(dtypes.begin(), dtypes.end(), [&](const DtypeFacts& f) { return f.name == dtype; });
    if (found == dtypes.end()) bad("unknown dtype '", dtype, "'");
    entry.tensor.dtype = found->dtype;

    std::uint64_t count = found->size;
    for (const json& dimension : shape) {
        if (!dimension.is_number_unsigned() || dimension.get<std::uint64_t>() > INT64_MAX)
            bad("a dimension of its shape is not a whole number");
        const auto length = dimension.get<std::uint64_t>();
        if (__builtin_mul_overflow(count, length, &count)) bad("its shape overflows");
        entry.tensor.shape.push_back(static_cast<std::int64_t>(length));
    }
    if (entry.begin > entry.end || entry.end > data.size())
        bad("its data at bytes ", entry.begin, " to ", entry.end, " lie outside the file's ", data.size(),
            " bytes of data; the file is truncated or its header is wrong");
    if (entry.end - entry.begin != count)
        bad("its shape needs ", count, " bytes, its data_offsets hold ", entry.end - entry.begin);
    entry.tensor.bytes = data.substr(entry.begin, count);
    return entry;
}

void check_layout(std::vector<Entry>& entries, std::size_t data_size, const std::string& where) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t position = 0;
    for (const Entry& entry : entries) {
        if (entry.begin < position) fail(where, ": tensor '", entry.name, "': its data overlap another tensor's");
        if (entry.begin > position)
            fail(where, ": tensor '", entry.name, "': ", entry.begin - position, " unused bytes before its data");
        position = entry.end;
    }
    if (position != data_size)
        fail(where, ": ", data_size - position, " bytes after the last tensor; the header does not fit the file");
}

std::string header_for(const std::map<std::string, TensorBytes>& tensors, const Metadata& metadata) {
    json header = json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::uint64_t position = 0;
    for (const auto& [name, tensor] : tensors) {
        const std::uint64_t end = position + tensor.bytes.size();
        header[name] = {{"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {position, end}}};
        position = end;
    }
    std::string out = header.dump();
    out.append((8 - out.size() % 8) % 8, ' ');  // data start aligned
    return out;
}

}  // namespace

std::size_t size_of(Dtype dtype) { return facts(dtype).size; }
std::string_view name_of(Dtype dtype) { return facts(dtype).name; }

SafetensorsFile::SafetensorsFile(std::filesystem::path path) : path_(std::move(path)), file_(path_) {
    const std::string where = path_.string();
    const std::string_view bytes = file_.bytes();
    refuse_lfs_pointer(bytes, path_);
    if (bytes.size() < 8) fail(where, ": too short for a safetensors file (", bytes.size(), " bytes)");
    std::uint64_t header_size = 0;
    std::memcpy(&header_size, bytes.data(), 8);
    if (header_size > max_header || header_size > bytes.size() - 8)
        fail(where, ": its header claims ", header_size, " bytes, the file has ", bytes.size(),
             "; it is truncated or not a safetensors file");
    const std::string_view data = bytes.substr(8 + header_size);
    json header;
    try {
        header = json::parse(bytes.substr(8, header_size));
    } catch (const json::exception& error) {
        fail(where, ": its header is not JSON: ", words_of(error));
    }
    if (!header.is_object()) fail(where, ": its header is not a JSON object");

    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
        if (name != "__metadata__") {
            entries.push_back(read_entry(name, value, data, where));
            continue;
        }
        if (!value.is_object()) fail(where, ": its __metadata__ is not a JSON object");
        for (const auto& [key, word] : value.items()) {
            if (!word.is_string()) fail(where, ": metadata '", key, "' is not a string");
            metadata_[key] = word.get<std::string>();
        }
    }
    check_layout(entries, data.size(), where);
    for (Entry& entry : entries) tensors_.emplace(std::move(entry.name), std::move(entry.tensor));
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, TensorBytes>& tensors,
                       const Metadata& metadata) {
    std::string header;
    try {
        header = header_for(tensors, metadata);
    } catch (const json::exception& error) {
        fail("cannot write ", path.string(),
             ": its header is not valid JSON: ", words_of(error));  // a name that is not UTF-8
    }
    const std::uint64_t header_size = header.size();
    std::string_view length(reinterpret_cast<const char*>(&header_size), sizeof header_size);
    AtomicFile file(path);
    file.write(length);
    file.write(header);
    for (const auto& [name, tensor] : tensors) file.write(tensor.bytes);
    file.commit();
}

}  // namespace ltad
