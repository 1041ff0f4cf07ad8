#include "ltad/align/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/golden.h"
#include "support/temporary_folder.h"
#include "support/zip_writer.h"

// golden/torch_files was written by PyTorch 2.13: X_zip.pt and X_older.pth by torch.save (the latter with
// _use_new_zipfile_serialization=False), X.safetensors from the same tensors without LibTorch. `tensors` has all types,
// views that share a storage, transposed, channels-last and expanded ones and a Parameter; `state_dict` is that of a
// convolution and a batch norm; `checkpoint` holds the same one beside Adam's state, numbers, strings and tuples.

namespace ltad {
namespace {

using namespace std::string_literals;
using test::little_endian;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::ThrowsMessage;

// Opcodes of small values.

std::string word(const std::string& text) { return "X" + little_endian(text.size(), 4) + text; }
std::string integer(std::int64_t value) { return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8); }
std::string tuple(const std::vector<std::string>& items) {
    std::string out = "(";
    for (const std::string& item : items) out += item;
    return out + "t";
}
std::string integers(const std::vector<std::int64_t>& values) {
    std::vector<std::string> items;
    for (const std::int64_t value : values) items.push_back(integer(value));
    return tuple(items);
}
std::string call(const std::string& global, const std::vector<std::string>& arguments) {
    const std::size_t dot = global.rfind('.');
    return "c" + global.substr(0, dot) + "\n" + global.substr(dot + 1) + "\n" + tuple(arguments) + "R";
}
std::string dictionary(const std::vector<std::pair<std::string, std::string>>& items) {
    std::string out = "}(";
    for (const auto& [name, value] : items) out += word(name) + value;
    return out + "u";
}

/// Opcodes of a tensor of the older format.
struct TensorText {
    std::string type = "Float";
    std::string key = "0";
    std::int64_t count = 6;
    std::int64_t offset = 0;
    std::vector<std::int64_t> sizes = {2, 3};
    std::vector<std::int64_t> strides = {3, 1};

    [[nodiscard]] std::string storage() const {
        return tuple({word("storage"), "ctorch\n" + type + "Storage\n", word(key), word("cpu"), integer(count), "N"}) +
               "Q";
    }
    [[nodiscard]] std::string with_storage(const std::string& storage_text) const {
        return call("torch._utils._rebuild_tensor_v2",
                    {storage_text, integer(offset), integers(sizes), integers(strides), "\x89", "}"});
    }
    [[nodiscard]] std::string opcodes() const { return with_storage(storage()); }
};

const std::string little = dictionary({{"little_endian", "\x88"}});

/// A file of the older format with one storage "0" of the floats 0, 1, …, 5.
std::string older_file(const std::string& object, const std::string& system = little, std::uint64_t count = 6) {
    const std::string begin = "\x80\x02";
    std::string out = begin + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + begin + "M\xe9\x03." + begin +
                      system + "." + begin + object + "." + begin + "](" + word("0") + "e." + little_endian(count, 8);
    for (const float value : {0.f, 1.f, 2.f, 3.f, 4.f, 5.f}) out.append(reinterpret_cast<const char*>(&value), 4);
    return out;
}

class TorchFile : public ::testing::Test {
protected:
    Weights load(const std::string& bytes) {
        test::write_text(folder_ / "some.pth", bytes);
        return load_torch_weights(folder_ / "some.pth");
    }
    /// The message with which a file is refused.
    std::string refusal(const std::string& bytes) {
        try {
            (void)load(bytes);
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("some.pth"));
            return error.what();
        }
        return "not refused";
    }
    std::string tensor_refusal(const TensorText& tensor) {
        return refusal(older_file(dictionary({{"w", tensor.opcodes()}})));
    }

    test::TemporaryFolder folder_;
};

std::filesystem::path golden_file(const std::string& name) { return test::golden_path("torch_files") / name; }

TEST_F(TorchFile, TensorsAreThoseOfPyTorch) {
    for (const std::string name : {"tensors", "state_dict", "checkpoint"})
        for (const std::string ending : {"_zip.pt", "_older.pth"}) {
            const Weights found = load_torch_weights(golden_file(name + ending));
            const Weights expected =
                load_weights(golden_file((name == "checkpoint" ? "state_dict" : name) + ".safetensors"s));
            EXPECT_EQ(found.size(), expected.size());
            for (const auto& [key, tensor] : expected) {
                ASSERT_TRUE(found.contains(key)) << key;
                EXPECT_EQ(found.at(key).scalar_type(), tensor.scalar_type()) << key;
                EXPECT_TRUE(at::equal(found.at(key), tensor)) << name << ending << " " << key;
                EXPECT_EQ(found.at(key).strides(), tensor.strides()) << key;
                EXPECT_FALSE(found.at(key).requires_grad()) << key;
            }
        }
}

TEST_F(TorchFile, TensorsOfOneStorageShareTheirMemory) {
    for (const char* name : {"tensors_zip.pt", "tensors_older.pth"}) {
        const Weights weights = load_torch_weights(golden_file(name));
        EXPECT_EQ(weights.at("shared.first").const_data_ptr<float>() + 4,
                  weights.at("shared.rest").const_data_ptr<float>());
    }
}

TEST_F(TorchFile, TensorsStayValidWhenTheFileIsReplaced) {
    const Weights weights = load(older_file(dictionary({{"w", TensorText{}.opcodes()}})));
    std::filesystem::remove(folder_ / "some.pth");
    test::write_text(folder_ / "some.pth", std::string(10'000, 'x'));
    EXPECT_THAT(test::values_of(weights.at("w")), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(TorchFile, ViewsFollowTheirStrides) {
    const auto values = [&](const TensorText& tensor) {
        return test::values_of(load(older_file(dictionary({{"w", tensor.opcodes()}}))).at("w"));
    };
    EXPECT_THAT(values({}), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(values({.sizes = {3, 2}, .strides = {1, 3}}), ElementsAre(0, 3, 1, 4, 2, 5));
    EXPECT_THAT(values({.offset = 1, .sizes = {3}, .strides = {2}}), ElementsAre(1, 3, 5));
    EXPECT_THAT(values({.offset = 5, .sizes = {}, .strides = {}}), ElementsAre(5));
    EXPECT_THAT(values({.offset = 4, .sizes = {2, 2}, .strides = {0, 1}}), ElementsAre(4, 5, 4, 5));
    EXPECT_THAT(values({.offset = 3, .sizes = {1, 2, 1}, .strides = {INT64_MAX, 2, 77}}), ElementsAre(3, 5));
    EXPECT_THAT(values({.offset = 6, .sizes = {2, 0}, .strides = {3, 1}}), ElementsAre());
}

TEST_F(TorchFile, WrappedStateDictsAreFound) {
    const std::string state = dictionary({{"w", TensorText{}.opcodes()}});
    for (const char* key : {"state_dict", "model", "module"}) {
        const Weights weights = load(older_file(dictionary({{"epoch", "K\1"}, {key, state}, {"rest", "]"}})));
        EXPECT_THAT(weights, ElementsAre(Key("w"))) << key;
    }
    EXPECT_THAT(refusal(older_file(dictionary({{"ema", state}}))), HasSubstr("entry 'ema' is a dictionary"));
    EXPECT_THAT(refusal(older_file(dictionary({{"model", state}, {"state_dict", state}}))),
                HasSubstr("several state dicts, 'state_dict'"));
    // A tensor of that name is none.
    EXPECT_THAT(load(older_file(dictionary({{"model", TensorText{}.opcodes()}}))), ElementsAre(Key("model")));
}

TEST_F(TorchFile, AnythingButTensorsIsNamed) {
    const std::string tensor = TensorText{}.opcodes();
    const auto refusal_of = [&](const std::string& value) {
        return refusal(older_file(dictionary({{"w", tensor}, {"odd", value}})));
    };
    EXPECT_THAT(refusal_of("K\1"), HasSubstr("entry 'odd' is an integer, expected a tensor"));
    EXPECT_THAT(refusal_of("N"), HasSubstr("entry 'odd' is None"));
    EXPECT_THAT(refusal_of(word("x")), HasSubstr("entry 'odd' is a string"));
    EXPECT_THAT(refusal_of("]"), HasSubstr("entry 'odd' is a list"));
    EXPECT_THAT(refusal_of("]q\0h\0a"s), HasSubstr("entry 'odd' is a list"));
    EXPECT_THAT(refusal_of(TensorText{}.storage()), HasSubstr("entry 'odd' is a persistent id"));
    EXPECT_THAT(refusal_of("ctorch\nFloatStorage\n"), HasSubstr("entry 'odd' is a global name"));
    EXPECT_THAT(refusal_of(call("torch.FloatStorage", {"K\1"})), HasSubstr("entry 'odd' is a call"));
    EXPECT_THAT(refusal_of(call("torch._utils._rebuild_parameter", {"K\1", "\x88", "}"})),
                HasSubstr("entry 'odd' is an integer"));
    EXPECT_THAT(refusal_of(call("torch._utils._rebuild_parameter", {})), HasSubstr("entry 'odd' is a call"));
    EXPECT_THAT(refusal_of(call("torch._utils._rebuild_tensor_v2", {"K\1"})), HasSubstr("'odd' is not a plain one"));

    EXPECT_THAT(refusal(older_file("}" + integer(3) + tensor + "s")), HasSubstr("a key of its state dict is an int"));
    EXPECT_THAT(refusal(older_file(tensor)), HasSubstr("holds a call, expected a state dict"));
    EXPECT_THAT(refusal(older_file("]" + tensor + "a")), HasSubstr("holds a list, expected a state dict"));
}

TEST_F(TorchFile, MaliciousPicklesAreNotRun) {
    const std::string marker = (folder_ / "marker").string();
    const std::string command = word("touch " + marker);
    const auto odd = [&](const std::string& opcodes) { return refusal(older_file(dictionary({{"odd", opcodes}}))); };
    EXPECT_THAT(odd(call("os.system", {command})),
                AllOf(HasSubstr("'os.system' is not part of a plain tensor"), HasSubstr("may be malicious")));
    EXPECT_THAT(odd(call("builtins.eval", {command})), HasSubstr("'builtins.eval'"));
    EXPECT_THAT(odd(call("torch.hub.load", {command})), HasSubstr("'torch.hub.load'"));
    EXPECT_THAT(odd("(" + command + "ios\nsystem\n"), HasSubstr("opcode INST"));
    EXPECT_THAT(odd(word("os") + word("system") + "\x93(" + command + "tR"), HasSubstr("opcode STACK_GLOBAL"));
    EXPECT_THAT(odd("P1\n"), HasSubstr("opcode PERSID"));
    EXPECT_FALSE(std::filesystem::exists(marker));

    // Nor in the other pickles of a file, in which no global is needed.
    EXPECT_THAT(refusal(older_file("}", "ccollections\nOrderedDict\n)R")), HasSubstr("'collections.OrderedDict'"));
    const std::string zip =
        test::zip_of({{.name = "w/data.pkl", .content = "\x80\x02" + call("os.system", {command}) + "."}});
    EXPECT_THAT(refusal(zip), HasSubstr("'os.system'"));
}

TEST_F(TorchFile, NestingIsNoDanger) {
    std::string lists;
    for (int i = 0; i < 1'000'000; ++i) lists += "]";
    EXPECT_THAT(
        refusal(older_file(dictionary({{"w", TensorText{}.opcodes()}, {"odd", lists + std::string(999'999, 'a')}}))),
        HasSubstr("entry 'odd' is a list"));
    const std::string itself = "}q\0"s + word("w") + TensorText{}.opcodes() + "s" + word("model") + "h\0s"s;
    EXPECT_THAT(refusal(older_file(itself)), HasSubstr("entry 'model' is a dictionary"));
}

TEST_F(TorchFile, PersistentIdsAreStorages) {
    const auto with_id = [&](const std::string& id) {
        return refusal(older_file(dictionary({{"w", TensorText{}.with_storage(id + "Q")}})));
    };
    const std::string type = "ctorch\nFloatStorage\n";
    EXPECT_THAT(with_id(word("os.system")), HasSubstr("not a storage; this file may be malicious"));
    EXPECT_THAT(with_id(integer(7)), HasSubstr("not a storage"));
    EXPECT_THAT(with_id("("s + "t"), HasSubstr("not a storage"));
    EXPECT_THAT(with_id(tuple({word("module"), type, word("0"), word("cpu"), integer(6), "N"})),
                HasSubstr("not a storage"));
    EXPECT_THAT(with_id(tuple({word("storage"), type, word("0"), word("cpu"), integer(6)})),
                HasSubstr("not a storage"));
    EXPECT_THAT(
        with_id(tuple({word("storage"), "ccollections\nOrderedDict\n", word("0"), word("cpu"), integer(6), "N"})),
        HasSubstr("malformed"));
    EXPECT_THAT(with_id(tuple({word("storage"), word("torch.FloatStorage"), word("0"), word("cpu"), integer(6), "N"})),
                HasSubstr("malformed"));
    EXPECT_THAT(with_id(tuple({word("storage"), type, integer(0), word("cpu"), integer(6), "N"})),
                HasSubstr("malformed"));
    EXPECT_THAT(with_id(tuple({word("storage"), type, word("0"), word("cpu"), "N", "N"})), HasSubstr("malformed"));
    EXPECT_THAT(with_id(tuple({word("storage"), type, word("0"), word("cpu"), integer(6), integers({0, 1, 2})})),
                HasSubstr("storage '0' is a view of another"));
    // Also where no tensor uses it.
    EXPECT_THAT(refusal(older_file("}" + integer(3) + "Q" + TensorText{}.opcodes() + "s")), HasSubstr("not a storage"));
}

TEST_F(TorchFile, StoragesFitTheFile) {
    for (const std::int64_t count : {std::int64_t{1} << 40, INT64_MAX, INT64_MIN, std::int64_t{-1}})
        EXPECT_THAT(tensor_refusal({.count = count}),
                    HasSubstr(text("storage '0' claims ", count, " elements of 4 bytes")));
    EXPECT_THAT(tensor_refusal({.count = 7}), HasSubstr("storage '0' has 6 elements, its tensor says 7"));
    EXPECT_THAT(tensor_refusal({.type = "Double"}), HasSubstr("storage '0' has 24 bytes, expected 48"));
    EXPECT_THAT(tensor_refusal({.key = "1"}), HasSubstr("storage '0' belongs to no tensor"));
    EXPECT_THAT(
        refusal(older_file(dictionary({{"a", TensorText{}.opcodes()}, {"b", TensorText{.key = "1"}.opcodes()}}))),
        HasSubstr("tensor 'b' has no data"));
    EXPECT_THAT(
        refusal(older_file(dictionary({{"a", TensorText{}.opcodes()}, {"b", TensorText{.type = "Int"}.opcodes()}}))),
        HasSubstr("storage '0' has two types"));
    const std::string whole = older_file(dictionary({{"w", TensorText{}.opcodes()}}));
    EXPECT_THAT(refusal(whole.substr(0, whole.size() - 1)), HasSubstr("storage '0' has 23 bytes, expected 24"));
    EXPECT_THAT(refusal(whole.substr(0, whole.size() - 25)), HasSubstr("truncated before storage '0'"));
}

TEST_F(TorchFile, ShapesFitTheirStorage) {
    EXPECT_THAT(tensor_refusal({.sizes = {2, 4}}), HasSubstr("tensor 'w' reaches element 6 of a storage of 6"));
    EXPECT_THAT(tensor_refusal({.offset = 1}), HasSubstr("reaches element 6 of a storage of 6"));
    EXPECT_THAT(tensor_refusal({.offset = 6, .sizes = {}, .strides = {}}),
                HasSubstr("reaches element 6 of a storage of 6"));
    const std::string on_nothing = TensorText{.count = 0, .sizes = {1}, .strides = {1}}.opcodes();
    EXPECT_THAT(refusal(older_file(dictionary({{"w", on_nothing}}), little, 0)),
                HasSubstr("element 0 of a storage of 0"));
    EXPECT_THAT(tensor_refusal({.offset = INT64_MAX}), HasSubstr("overflows"));
    EXPECT_THAT(tensor_refusal({.strides = {INT64_MAX, 1}}), HasSubstr("overflows"));
    EXPECT_THAT(tensor_refusal({.strides = {INT64_MAX - 2, 1}}), HasSubstr("reaches element 9223372036854775807"));
    EXPECT_THAT(tensor_refusal({.sizes = {3, 3}, .strides = {INT64_MAX, 1}}), HasSubstr("overflows"));
    EXPECT_THAT(tensor_refusal({.sizes = {INT64_MAX, INT64_MAX}, .strides = {0, 0}}), HasSubstr("overflows"));
    EXPECT_THAT(tensor_refusal({.sizes = {0, INT64_MAX, 2}, .strides = {1, 1, 1}}), HasSubstr("overflows"));

    for (const TensorText& invalid :
         {TensorText{.offset = -1}, TensorText{.sizes = {-2, 3}}, TensorText{.strides = {3, -1}},
          TensorText{.sizes = {6}}, TensorText{.sizes = {-2, -3}}, TensorText{.strides = {}},
          TensorText{.sizes = std::vector<std::int64_t>(65, 1), .strides = std::vector<std::int64_t>(65, 1)}})
        EXPECT_THAT(tensor_refusal(invalid), HasSubstr("tensor 'w' has no valid shape"));
}

TEST_F(TorchFile, RepeatedElementsTakeNoMoreMemoryThanAFewFiles) {
    EXPECT_THAT(tensor_refusal({.sizes = {std::int64_t{1} << 40, 6}, .strides = {0, 1}}),
                AllOf(HasSubstr("tensor 'w' of shape [1099511627776, 6]"), HasSubstr("bytes of the file")));
    EXPECT_THAT(tensor_refusal({.sizes = {INT64_MAX}, .strides = {0}}), HasSubstr("bytes of the file"));
    // Many small ones, too.
    std::vector<std::pair<std::string, std::string>> many = {{"w", TensorText{}.opcodes() + "q\0"s}};
    for (int i = 0; i < 1000; ++i) many.emplace_back(std::to_string(i), "h\0"s);
    EXPECT_EQ(load(older_file(dictionary(many))).size(), 1001u);
    many[0].second = TensorText{.sizes = {10, 6}, .strides = {0, 1}}.opcodes() + "q\0"s;
    EXPECT_THAT(refusal(older_file(dictionary(many))), HasSubstr("bytes of the file"));
}

TEST_F(TorchFile, BigEndianAndOtherVersionsAreRefused) {
    const std::string object = dictionary({{"w", TensorText{}.opcodes()}});
    ASSERT_NO_THROW((void)load(older_file(object)));
    for (const std::string& system : {dictionary({{"little_endian", "\x89"}}), "}"s, "]"s, "N"s})
        EXPECT_THAT(refusal(older_file(object, system)), HasSubstr("not little-endian"));

    std::string bytes = older_file(object);
    bytes[bytes.find("M\xe9") + 1] ^= 1;
    EXPECT_THAT(refusal(bytes), HasSubstr("not version 1001"));

    const auto zip = [](const std::string& byte_order) {
        return test::zip_of(
            {{.name = "w/data.pkl", .content = "\x80\x02}."}, {.name = "w/byteorder", .content = byte_order}});
    };
    EXPECT_TRUE(load(zip("little")).empty());
    EXPECT_THAT(refusal(zip("big")), HasSubstr("not little-endian"));
}

TEST_F(TorchFile, ZipStoragesFitTheirEntries) {
    const auto zip = [](const std::string& key, std::size_t size, unsigned method = 0) {
        const std::string storage =
            tuple({word("storage"), "ctorch\nFloatStorage\n", word("0"), word("cpu"), integer(6)}) + "Q";
        const std::string object = dictionary({{"w", TensorText{}.with_storage(storage)}});
        return test::zip_of({{.name = "w/data.pkl", .content = "\x80\x02" + object + "."},
                             {.name = "w/data/" + key, .content = std::string(size, '\0'), .method = method}},
                            true);
    };
    EXPECT_TRUE(at::equal(load(zip("0", 24)).at("w"), at::zeros({2, 3})));
    EXPECT_THAT(refusal(zip("0", 23)), HasSubstr("storage '0' has 23 bytes, expected 24"));
    EXPECT_THAT(refusal(zip("0", 25)), HasSubstr("storage '0' has 25 bytes, expected 24"));
    EXPECT_THAT(refusal(zip("1", 24)), HasSubstr("entry 'w/data/0' is missing"));
    EXPECT_THAT(refusal(zip("0", 24, 8)), HasSubstr("entry 'w/data/0' is compressed"));
}

TEST_F(TorchFile, OtherFilesAreToldApart) {
    EXPECT_THAT(refusal(""), HasSubstr("an empty file"));
    EXPECT_THAT(refusal(read_file(golden_file("state_dict.safetensors"))), HasSubstr("a safetensors file"));
    EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git-lfs pointer"));
    EXPECT_THAT(refusal("\x80\x02}."), HasSubstr("a pickle, but not one of torch.save"));
    EXPECT_THAT(refusal(test::zip_of({{.name = "a.txt", .content = "x"}})),
                HasSubstr("a zip archive without data.pkl"));
    EXPECT_THAT(
        refusal(test::zip_of({{.name = "m/data.pkl", .content = "x"}, {.name = "m/constants.pkl", .content = "x"}})),
        HasSubstr("a TorchScript program"));
    EXPECT_THAT([&] { (void)load_torch_weights(folder_ / "gone.pt"); }, ThrowsMessage<Error>(HasSubstr("gone.pt")));
    EXPECT_THAT([&] { (void)load_torch_weights(folder_.path()); }, ThrowsMessage<Error>(HasSubstr("folder")));
}

TEST_F(TorchFile, AreRecognisedByTheirContent) {
    EXPECT_TRUE(is_torch_file(golden_file("state_dict_zip.pt")));
    EXPECT_TRUE(is_torch_file(golden_file("state_dict_older.pth")));
    EXPECT_FALSE(is_torch_file(golden_file("state_dict.safetensors")));
    test::write_text(folder_ / "empty", "");
    EXPECT_FALSE(is_torch_file(folder_ / "empty"));
    EXPECT_THROW((void)is_torch_file(folder_ / "gone"), Error);
}

TEST_F(TorchFile, DamagedFilesAreRefusedOrReadButNeverCrash) {
    const auto try_to_read = [&](const std::string& bytes) {
        try {
            for (const auto& [name, tensor] : load(bytes))
                (void)tensor.to(at::kDouble).sum().item<double>();  // touches every byte
            return true;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("some.pth"));
            return false;
        }
    };
    Random random(RandomUse::test, {4});
    for (const char* name : {"state_dict_zip.pt", "state_dict_older.pth", "tensors_older.pth"}) {
        const std::string whole = read_file(golden_file(name));
        ASSERT_TRUE(try_to_read(whole));
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_FALSE(try_to_read(whole.substr(0, size))) << name << " " << size;
        for (int k = 0; k < 1000; ++k) {
            std::string bytes = whole;
            for (int flips = 0; flips <= k % 3; ++flips)
                bytes[random.below(bytes.size())] ^= static_cast<char>(1u << random.below(8));
            (void)try_to_read(bytes);
        }
    }
}

}  // namespace
}  // namespace ltad
