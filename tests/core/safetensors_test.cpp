#include "ltad/core/safetensors.h"

#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/json.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::ThrowsMessage;

/// A file as the format's description has it: 8 bytes of header length, the header, the data.
std::string file_of(std::string_view header, std::string_view data, std::int64_t header_size = -1) {
    std::string bytes(8, '\0');
    const auto size = header_size < 0 ? static_cast<std::int64_t>(header.size()) : header_size;
    std::memcpy(bytes.data(), &size, 8);
    return bytes.append(header).append(data);
}

/// A file that is wrong, with a part of the message that should say how.
struct Wrong {
    std::string what;
    std::string bytes;
    std::string expected;
};

class Safetensors : public testing::Test {
protected:
    /// Loads the bytes through a file and its mapping, as everybody does.
    SafetensorsFile load(std::string_view bytes) const {
        std::filesystem::remove(path_);
        append_to_file(path_, bytes);
        return SafetensorsFile(path_);
    }

    void expect_error(const Wrong& wrong) const {
        EXPECT_THAT([&] { (void)load(wrong.bytes); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(path_.string()), HasSubstr(wrong.expected))))
            << wrong.what;
    }

    /// What a caller would do with a loaded file: read every byte of every tensor.
    static std::size_t read_all(const SafetensorsFile& file) {
        std::size_t sum = 0;
        for (const auto& [name, tensor] : file.tensors())
            sum += std::accumulate(tensor.bytes.begin(), tensor.bytes.end(), name.size(),
                                   [](std::size_t s, char c) { return s + static_cast<unsigned char>(c); });
        return sum;
    }

    TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "a.safetensors";
};

const std::vector<std::tuple<Dtype, std::string, std::size_t>> all_dtypes = {
    {Dtype::f64, "F64", 8}, {Dtype::f32, "F32", 4},     {Dtype::f16, "F16", 2}, {Dtype::bf16, "BF16", 2},
    {Dtype::i64, "I64", 8}, {Dtype::i32, "I32", 4},     {Dtype::i16, "I16", 2}, {Dtype::i8, "I8", 1},
    {Dtype::u8, "U8", 1},   {Dtype::boolean, "BOOL", 1}};

TEST_F(Safetensors, DtypesHaveTheFormatsNamesAndSizes) {
    for (const auto& [dtype, name, size] : all_dtypes) {
        EXPECT_EQ(name_of(dtype), name);
        EXPECT_EQ(size_of(dtype), size);
    }
}

TEST_F(Safetensors, EveryDtypeRoundTrips) {
    std::map<std::string, std::string> data;
    std::map<std::string, TensorBytes> tensors;
    for (const auto& [dtype, name, size] : all_dtypes) {
        std::string& bytes = data[name];
        for (std::size_t i = 0; i < 6 * size; ++i) bytes.push_back(static_cast<char>(i * 31 + size));
        tensors[name] = {dtype, {3, 1, 2}, bytes};
    }
    data["scalar"] = std::string("\x00\x00\x80\x3f", 4);
    tensors["scalar"] = {Dtype::f32, {}, data["scalar"]};
    tensors["empty"] = {Dtype::i64, {4, 0}, {}};
    const Metadata metadata = {{"format", "ltad/1"}, {"config", "{\"a\": \"ü\"}"}, {"", "empty key"}};
    write_safetensors(path_, tensors, metadata);

    const SafetensorsFile file(path_);
    EXPECT_EQ(file.path(), path_);
    EXPECT_EQ(file.metadata(), metadata);
    ASSERT_EQ(file.tensors().size(), tensors.size());
    for (const auto& [name, written] : tensors) {
        const TensorBytes& read = file.tensors().at(name);
        EXPECT_EQ(read.dtype, written.dtype) << name;
        EXPECT_EQ(read.shape, written.shape) << name;
        EXPECT_EQ(read.bytes, written.bytes) << name;
    }
    EXPECT_EQ(file.tensors().at("scalar").bytes, data["scalar"]);
}

TEST_F(Safetensors, NothingAtAllIsAFileToo) {
    write_safetensors(path_, {}, {});
    const SafetensorsFile file(path_);
    EXPECT_THAT(file.tensors(), IsEmpty());
    EXPECT_THAT(file.metadata(), IsEmpty());
}

TEST_F(Safetensors, StaysValidWhenMoved) {
    SafetensorsFile first = load(file_of(R"({"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", "abc"));
    const SafetensorsFile second(std::move(first));
    EXPECT_EQ(second.tensors().at("t").bytes, "abc");
}

TEST_F(Safetensors, EqualContentGivesEqualBytes) {
    // Whatever the order in which it was put together.
    const std::string one = "1111";
    const std::string two = "22222222";
    std::map<std::string, TensorBytes> forward;
    forward["a"] = {Dtype::f32, {1}, one};
    forward["b"] = {Dtype::f32, {2}, two};
    std::map<std::string, TensorBytes> backward;
    backward["b"] = {Dtype::f32, {2}, two};
    backward["a"] = {Dtype::f32, {1}, one};
    write_safetensors(folder_ / "1", forward, {{"x", "1"}, {"y", "2"}});
    write_safetensors(folder_ / "2", backward, {{"y", "2"}, {"x", "1"}});
    EXPECT_EQ(read_file(folder_ / "1"), read_file(folder_ / "2"));
}

TEST_F(Safetensors, WritesTheFormat) {
    write_safetensors(path_, {{"z", {Dtype::u8, {2, 1}, "zz"}}, {"a", {Dtype::i16, {1}, "aa"}}}, {{"k", "v"}});
    const std::string bytes = read_file(path_);
    std::uint64_t header_size = 0;
    std::memcpy(&header_size, bytes.data(), 8);
    EXPECT_EQ(header_size % 8, 0u) << "the data must be aligned";
    EXPECT_EQ(json::parse(bytes.substr(8, header_size)), json::parse(R"({
        "__metadata__": {"k": "v"},
        "a": {"dtype": "I16", "shape": [1], "data_offsets": [0, 2]},
        "z": {"dtype": "U8", "shape": [2, 1], "data_offsets": [2, 4]}})"));
    EXPECT_EQ(bytes[8], '{') << "the format's description asks for it";
    EXPECT_EQ(bytes.substr(8 + header_size), "aazz");
}

TEST_F(Safetensors, ReadsWhatTheReferenceWrites) {
    const SafetensorsFile model(LTAD_TEST_DATA "/align_tiny/model.safetensors");
    EXPECT_THAT(model.metadata(), ElementsAre(Pair("format", "pt")));
    EXPECT_THAT(model.tensors().at("temperature").shape, IsEmpty());
    EXPECT_EQ(model.tensors().at("temperature").bytes.size(), 4u);
    const TensorBytes& ids = model.tensors().at("text_model.embeddings.position_ids");
    ASSERT_EQ(ids.dtype, Dtype::i64);
    ASSERT_THAT(ids.shape, ElementsAre(1, 32));
    std::vector<std::int64_t> values(32);
    std::memcpy(values.data(), ids.bytes.data(), ids.bytes.size());
    std::vector<std::int64_t> expected(32);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(values, expected);
}

TEST_F(Safetensors, TakesTheDataInAnyOrderAndUnknownKeysBesideTheKnown) {
    const SafetensorsFile file = load(file_of(
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3],"note":0},"b":{"data_offsets":[0,1],"dtype":"I8","shape":[]}}   )",
        "bAA"));
    EXPECT_EQ(file.tensors().at("a").bytes, "AA");
    EXPECT_EQ(file.tensors().at("b").bytes, "b");
}

/// A header of one tensor "t".
std::string header_of(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST_F(Safetensors, AHeaderThatLiesAboutItsLengthIsAnError) {
    const std::string header = header_of("\"U8\"", "[4]", "[0,4]");
    const auto size = static_cast<std::int64_t>(header.size());
    const Wrong cases[] = {
        {"nothing", "", "too short"},
        {"seven bytes", "\x01\x02\x03\x04\x05\x06\x07", "too short"},
        {"no header", file_of("", ""), "not JSON"},
        {"one too many", file_of(header, "", size + 1), "claims"},
        {"beyond the file", file_of(header, "abcd", 1'000'000), "claims 1000000 bytes"},
        {"beyond the limit", file_of(header, "abcd", 100'000'001), "claims 100000001 bytes"},
        {"huge", file_of(header, "abcd", std::numeric_limits<std::int64_t>::max()), "claims"},
        {"8 + size wraps round", std::string(8, '\xff') + header + "abcd", "claims"},
        {"into the data", file_of(header, "abcd", size + 2), "not JSON"},
        {"too short", file_of(header, "abcd", size - 1), "not JSON"},
    };
    for (const Wrong& wrong : cases) expect_error(wrong);
}

TEST_F(Safetensors, WrongHeadersAreErrorsThatNameFileAndTensor) {
    const std::string u8 = "\"U8\"";
    const Wrong cases[] = {
        {"not JSON", file_of("this is a pickle, perhaps", ""), "not JSON"},
        {"not UTF-8", file_of("{\"\xff\":{}}", ""), "not JSON"},
        {"a list", file_of("[]", ""), "not a JSON object"},
        {"a number", file_of("7", ""), "not a JSON object"},
        {"tensor is a number", file_of(R"({"t":7})", ""), "tensor 't'"},
        {"no dtype", file_of(R"({"t":{"shape":[1],"data_offsets":[0,1]}})", "x"), "tensor 't'"},
        {"no shape", file_of(R"({"t":{"dtype":"U8","data_offsets":[0,1]}})", "x"), "tensor 't'"},
        {"no offsets", file_of(R"({"t":{"dtype":"U8","shape":[1]}})", "x"), "tensor 't'"},
        {"unknown dtype", file_of(header_of("\"F8_E4M3\"", "[1]", "[0,1]"), "x"),
         "tensor 't': unknown dtype 'F8_E4M3'"},
        {"lower case", file_of(header_of("\"u8\"", "[1]", "[0,1]"), "x"), "unknown dtype 'u8'"},
        {"dtype a number", file_of(header_of("8", "[1]", "[0,1]"), "x"), "tensor 't'"},
        {"shape a number", file_of(header_of(u8, "1", "[0,1]"), "x"), "tensor 't'"},
        {"shape negative", file_of(header_of(u8, "[-1]", "[0,1]"), "x"), "tensor 't'"},
        {"shape two negatives", file_of(header_of(u8, "[-1,-1]", "[0,1]"), "x"), "tensor 't'"},
        {"shape fractional", file_of(header_of(u8, "[1.0]", "[0,1]"), "x"), "not a whole number"},
        {"shape text", file_of(header_of(u8, "[\"1\"]", "[0,1]"), "x"), "not a whole number"},
        {"shape beyond int64", file_of(header_of(u8, "[9223372036854775808,0]", "[0,0]"), ""), "not a whole number"},
        {"shape wraps to 0", file_of(header_of(u8, "[4294967296,4294967296]", "[0,0]"), ""), "overflows"},
        {"bytes wrap to 0", file_of(header_of("\"F64\"", "[2305843009213693952]", "[0,0]"), ""), "overflows"},
        {"too few bytes", file_of(header_of("\"F32\"", "[2]", "[0,4]"), "xxxx"), "needs 8 bytes"},
        {"too many bytes", file_of(header_of("\"F32\"", "[1]", "[0,8]"), "xxxxxxxx"), "needs 4 bytes"},
        {"offsets a number", file_of(header_of(u8, "[1]", "0"), "x"), "tensor 't'"},
        {"one offset", file_of(header_of(u8, "[1]", "[0]"), "x"), "tensor 't'"},
        {"three offsets", file_of(header_of(u8, "[1]", "[0,1,1]"), "x"), "tensor 't'"},
        {"negative offset", file_of(header_of(u8, "[1]", "[-1,0]"), "x"), "tensor 't'"},
        {"fractional offset", file_of(header_of(u8, "[1]", "[0,1.5]"), "x"), "tensor 't'"},
        {"offsets turned round", file_of(header_of(u8, "[1]", "[1,0]"), "x"), "outside"},
        {"end past the data", file_of(header_of(u8, "[2]", "[0,2]"), "x"), "truncated"},
        {"all past the data", file_of(header_of(u8, "[1]", "[18446744073709551614,18446744073709551615]"), "x"),
         "outside"},
        {"bytes after the last", file_of(header_of(u8, "[1]", "[0,1]"), "xy"), "1 bytes after the last tensor"},
        {"data without tensors", file_of("{}", "xy"), "2 bytes after the last tensor"},
        {"hole at the start", file_of(header_of(u8, "[1]", "[1,2]"), "xy"), "tensor 't': 1 unused bytes"},
        {"hole",
         file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                 R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                 "xyz"),
         "tensor 'b': 1 unused bytes"},
        {"overlap",
         file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                 R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                 "xyz"),
         "overlap"},
        {"the same bytes twice",
         file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                 R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
                 "xy"),
         "overlap"},
        {"a part inside another",
         file_of(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                 R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                 "xyz"),
         "overlap"},
        {"metadata number", file_of(R"({"__metadata__":{"k":1}})", ""), "metadata 'k' is not a string"},
        {"metadata nested", file_of(R"({"__metadata__":{"k":{"a":"b"}}})", ""), "metadata 'k' is not a string"},
        {"metadata null", file_of(R"({"__metadata__":{"k":null}})", ""), "metadata 'k' is not a string"},
    };
    for (const Wrong& wrong : cases) expect_error(wrong);
    EXPECT_THAT([&] { SafetensorsFile file(folder_ / "none"); },
                ThrowsMessage<Error>(HasSubstr((folder_ / "none").string())));
    EXPECT_THAT([&] { SafetensorsFile file(folder_.path()); },
                ThrowsMessage<Error>(HasSubstr(folder_.path().string())));
}

TEST_F(Safetensors, MetadataThatIsNoObjectIsAnError) {
    for (const std::string value : {"\"words\"", "[\"words\"]", "7", "true"})
        expect_error({value, file_of("{\"__metadata__\":" + value + "}", ""), "metadata"});
}

/// A small file with everything in it.
std::string sample() {
    return file_of(R"({"__metadata__":{"format":"ltad/1"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                   R"("b":{"dtype":"I8","shape":[1,3],"data_offsets":[8,11]}} )",
                   "AAAABBBBccc");
}

TEST_F(Safetensors, EveryTruncationIsAnErrorThatNamesTheFile) {
    const std::string whole = sample();
    ASSERT_EQ(load(whole).tensors().size(), 2u);
    for (std::size_t length = 0; length < whole.size(); ++length)
        expect_error({std::to_string(length) + " bytes", whole.substr(0, length), ""});
    expect_error({"a byte more", whole + "x", "1 bytes after the last tensor"});
}

TEST_F(Safetensors, FlippedBytesNeverCrash) {
    const std::string whole = sample();
    int accepted = 0;
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const int flip : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ flip);
            try {
                const SafetensorsFile file = load(bytes);
                std::size_t held = 0;
                for (const auto& [name, tensor] : file.tensors()) held += tensor.bytes.size();
                EXPECT_EQ(held, 11u) << "every byte belongs to a tensor";
                EXPECT_GT(read_all(file), 0u);
                ++accepted;
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr(path_.string()));
            }
        }
    EXPECT_GE(accepted, 11 * 9) << "changed data are still data";
}

TEST_F(Safetensors, DeepNestingDoesNotEndTheProcess) {
    expect_error({"lists", file_of(std::string(100'000, '['), ""), "not JSON"});
    expect_error({"closed lists", file_of("{\"t\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}", ""),
                  "tensor 't'"});
}

TEST_F(Safetensors, AFailedWriteLeavesTheOldFile) {
    write_safetensors(path_, {{"t", {Dtype::u8, {3}, "old"}}}, {});
    // Names that come from a disk are bytes, not always UTF-8, which JSON is.
    EXPECT_THAT(
        [&] {
            write_safetensors(path_, {{"t", {Dtype::u8, {3}, "new"}}}, {{"class", "gr\xfcn"}});
        },
        ThrowsMessage<Error>(HasSubstr(path_.string())));
    EXPECT_EQ(SafetensorsFile(path_).tensors().at("t").bytes, "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "no leftovers";
    EXPECT_THAT([] { write_safetensors("/proc/ltad.safetensors", {}, {}); },
                ThrowsMessage<Error>(HasSubstr("/proc/ltad.safetensors")));
}

}  // namespace
}  // namespace ltad
