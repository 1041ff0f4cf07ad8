#include "align/pickle.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using namespace std::string_literals;
using Kind = PickleValue::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::array<std::string_view, 2> globals = {"collections.OrderedDict", "torch.FloatStorage"};

/// A pickle of protocol 2 with these opcodes.
std::string pickled(const std::string& opcodes) { return "\x80\x02"s + opcodes + "."; }

auto refuses(const std::string& part) { return ThrowsMessage<Error>(AllOf(HasSubstr("here"), HasSubstr(part))); }

void read(const std::string& bytes) { (void)Pickle(bytes, globals, "here"); }

/// Opcodes that are refused, and a part of the message.
struct Refusal {
    std::string opcodes;
    std::string part;
};

std::string repeated(const std::string& part, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += part;
    return out;
}

TEST(Pickle, ReadsPlainValues) {
    const auto kind_of = [](const std::string& opcodes) {
        const std::string bytes = pickled(opcodes);
        return Pickle(bytes, globals, "here").value().kind;
    };
    EXPECT_EQ(kind_of("N"), Kind::none);
    EXPECT_EQ(kind_of("G\x3f\xf0\0\0\0\0\0\0"s), Kind::real);
    EXPECT_EQ(kind_of("\x88"), Kind::boolean);
    EXPECT_EQ(kind_of("\x89"), Kind::boolean);
    EXPECT_EQ(kind_of(")"), Kind::tuple);
    EXPECT_EQ(kind_of("]"), Kind::list);
    EXPECT_EQ(kind_of("}"), Kind::dictionary);

    const std::string word = pickled("X\x05\0\0\0gr\xc3\xb6\xc3"s);
    EXPECT_EQ(Pickle(word, globals, "here").value().text, "gr\xc3\xb6\xc3");
    const std::string global = pickled("ctorch\nFloatStorage\n");
    EXPECT_EQ(Pickle(global, globals, "here").value().kind, Kind::global);
    EXPECT_EQ(Pickle(global, globals, "here").value().text, "torch.FloatStorage");
}

TEST(Pickle, ReadsIntegers) {
    const auto integer = [](const std::string& opcodes) {
        const std::string bytes = pickled(opcodes);
        return Pickle(bytes, globals, "here").value().integer;
    };
    EXPECT_EQ(integer("\x88"), 1);
    EXPECT_EQ(integer("\x89"), 0);
    EXPECT_EQ(integer("K\xff"), 255);
    EXPECT_EQ(integer("M\xff\xff"), 65535);
    EXPECT_EQ(integer("J\xfe\xff\xff\xff"), -2);
    EXPECT_EQ(integer("J\0\0\0\x80"s), -2147483648LL);
    EXPECT_EQ(integer("\x8a\0"s), 0);
    EXPECT_EQ(integer("\x8a\x01\xff"), -1);
    EXPECT_EQ(integer("\x8a\x02\xff\0"s), 255);
    EXPECT_EQ(integer("\x8a\x06\0\0\0\0\0\x01"s), 1LL << 40);
    EXPECT_EQ(integer("\x8a\x08\0\0\0\0\0\0\0\x80"s), INT64_MIN);
    EXPECT_THAT([] { read(pickled("\x8a\x09\0\0\0\0\0\0\0\x80\0"s)); }, refuses("integer of 9 bytes"));
}

TEST(Pickle, ReadsContainers) {
    // ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))
    const std::string tuples = pickled("()K\1\x85K\1K\2\x86K\1K\2K\3\x87(K\1K\2K\3K\4tt");
    const Pickle nested(tuples, globals, "here");
    ASSERT_EQ(nested.value().parts->size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
        const PickleValue& tuple = (*nested.value().parts)[i];
        EXPECT_EQ(tuple.kind, Kind::tuple);
        ASSERT_EQ(tuple.parts->size(), i);
        for (std::size_t k = 0; k < i; ++k) EXPECT_EQ((*tuple.parts)[k].integer, static_cast<std::int64_t>(k) + 1);
    }
    // [1, 2, 3] and {1: 2, 3: 4, 5: 6}
    for (const std::string& opcodes : {"]K\1a(K\2K\3e"s, "}K\1K\2s(K\3K\4K\5K\6u"s}) {
        const std::string bytes = pickled(opcodes);
        const Pickle pickle(bytes, globals, "here");
        for (std::size_t i = 0; i < pickle.value().parts->size(); ++i)
            EXPECT_EQ((*pickle.value().parts)[i].integer, static_cast<std::int64_t>(i) + 1);
        EXPECT_EQ(pickle.value().parts->size(), opcodes[0] == ']' ? 3u : 6u);
    }
}

TEST(Pickle, RemembersValues) {
    // x = []; (x, x, 7) with x appended to after it was put, by both forms of the opcodes.
    for (const std::string& opcodes :
         {"(]q\xffh\xffK\7q\1ah\1t"s, "(]r\xff\xff\xff\xffj\xff\xff\xff\xffK\7r\0\1\0\0aj\0\1\0\0t"s}) {
        const std::string bytes = pickled(opcodes);
        const Pickle pickle(bytes, globals, "here");
        const std::vector<PickleValue>& parts = *pickle.value().parts;
        ASSERT_EQ(parts.size(), 3u);
        EXPECT_EQ(parts[0].parts, parts[1].parts);
        ASSERT_EQ(parts[0].parts->size(), 1u);
        EXPECT_EQ(parts[0].parts->front().integer, 7);
        EXPECT_EQ(parts[2].integer, 7);
    }
    EXPECT_THAT([] { read(pickled("h\5")); }, refuses("a value that was not put"));
    EXPECT_THAT([] { read(pickled("q\5")); }, refuses("a value is missing"));
}

TEST(Pickle, OrderedDictionariesAreDictionariesWithoutTheirAttributes) {
    const std::string bytes = pickled("ccollections\nOrderedDict\n)R(K\1K\2u}X\1\0\0\0aK\3sb"s);
    const Pickle pickle(bytes, globals, "here");
    EXPECT_EQ(pickle.value().kind, Kind::dictionary);
    ASSERT_EQ(pickle.value().parts->size(), 2u);
    EXPECT_EQ(pickle.value().parts->front().integer, 1);
    EXPECT_THAT([] { read(pickled("ccollections\nOrderedDict\n]\x85R")); }, refuses("with arguments"));
}

TEST(Pickle, CallsAndPersistentIdsAreValues) {
    const std::string bytes = pickled("(ctorch\nFloatStorage\n(K\1K\2tRK\3QK\4Qt");
    const Pickle pickle(bytes, globals, "here");
    const std::vector<PickleValue>& parts = *pickle.value().parts;
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(parts[0].kind, Kind::call);
    EXPECT_EQ(parts[0].parts->at(0).text, "torch.FloatStorage");
    EXPECT_EQ(parts[0].parts->at(1).parts->at(1).integer, 2);
    EXPECT_EQ(parts[1].kind, Kind::persistent);
    EXPECT_EQ(parts[1].parts->at(0).integer, 3);
    ASSERT_EQ(pickle.persistent_ids().size(), 2u);
    EXPECT_EQ(pickle.persistent_ids()[1].integer, 4);
}

TEST(Pickle, EndsAtItsStop) {
    const std::string first = pickled("K\1");
    const std::string both = first + pickled("K\2");
    const Pickle pickle(both, globals, "here");
    EXPECT_EQ(pickle.value().integer, 1);
    EXPECT_EQ(pickle.size(), first.size());
    EXPECT_EQ(Pickle(std::string_view(both).substr(pickle.size()), globals, "here").value().integer, 2);
}

TEST(Pickle, RefusesGlobalsByName) {
    EXPECT_THAT([] { read(pickled("cos\nsystem\nX\x02\0\0\0ls\x85R"s)); },
                refuses("'os.system' is not part of a plain tensor; this file may be malicious"));
    // Nothing but the whole name counts.
    for (const char* name : {"torch\nFloatStorage2", "torch\nFloat", "\ntorch.FloatStorage", "torch.\nFloatStorage",
                             "collections.OrderedDict\n", "builtins\neval", "torch.\n"})
        EXPECT_THAT([&] { read(pickled(text("c", name, "\n"))); }, refuses("may be malicious")) << name;
    EXPECT_THAT([] { read(pickled("ctorch\n" + std::string(100'000, 'a') + "\n")); }, refuses("aaa…"));
    EXPECT_THAT(
        [] {
            read(
                "\x80\x02"
                "ctorch\nFloatStorage");
        },
        refuses("without an end"));
}

TEST(Pickle, RefusesOtherOpcodesByName) {
    for (const Refusal& refusal : {Refusal{"(ios\nsystem\n", "INST"},
                                   Refusal{"X\2\0\0\0osX\6\0\0\0system\x93"s, "STACK_GLOBAL"},
                                   Refusal{"(ctorch\nFloatStorage\no", "OBJ"},
                                   Refusal{"ctorch\nFloatStorage\n)\x81", "NEWOBJ"},
                                   Refusal{"ctorch\nFloatStorage\n)}\x92", "NEWOBJ_EX"},
                                   Refusal{"\x82\1", "EXT1"},
                                   Refusal{"\x83\1\0"s, "EXT2"},
                                   Refusal{"\x84\1\0\0\0"s, "EXT4"},
                                   Refusal{"P0\n", "PERSID"},
                                   Refusal{"I1\n", "INT"},
                                   Refusal{"S'a'\n", "STRING"},
                                   Refusal{"Vabc\n", "UNICODE"},
                                   Refusal{"U\1a", "SHORT_BINSTRING"},
                                   Refusal{"\x8c\1a", "SHORT_BINUNICODE"},
                                   Refusal{"\x8b\1\0\0\0\1"s, "LONG4"},
                                   Refusal{"(l", "LIST"},
                                   Refusal{"(d", "DICT"},
                                   Refusal{"\x8f", "EMPTY_SET"},
                                   Refusal{"N0N", "POP"},
                                   Refusal{"N2", "DUP"},
                                   Refusal{"g0\n", "GET"},
                                   Refusal{"N\x94", "MEMOIZE"},
                                   Refusal{"\x95\0\0\0\0\0\0\0\0"s, "FRAME"},
                                   Refusal{"\x80\2", "PROTO"}})
        EXPECT_THAT([&] { read(pickled(refusal.opcodes)); }, refuses("opcode " + refusal.part + ","));
    EXPECT_THAT([] { read(pickled("\xfe")); }, refuses("byte 254 is no opcode"));
    EXPECT_THAT([] { read(pickled("\0"s)); }, refuses("byte 0 is no opcode"));
}

TEST(Pickle, RefusesOtherProtocols) {
    EXPECT_THAT([] { read("\x80\x04\x95"); }, refuses("pickle protocol 4, expected 2"));
    EXPECT_THAT([] { read("\x80\x01N."); }, refuses("pickle protocol 1, expected 2"));
    EXPECT_THAT([] { read("(dp0\n."); }, refuses("does not begin with PROTO"));
    EXPECT_THAT([] { read(""); }, refuses("truncated"));
}

TEST(Pickle, RefusesWhatPythonWouldRefuse) {
    for (const Refusal& refusal : {Refusal{"", "ends with 0 values"},
                                   Refusal{"NN", "ends with 2 values"},
                                   Refusal{"N(", "no mark"},
                                   Refusal{"\x85", "a value is missing"},
                                   Refusal{"NN\x87", "a value is missing"},
                                   Refusal{"]a", "a value is missing"},
                                   Refusal{"]N(a", "a value is missing"},  // behind the mark
                                   Refusal{"}N(Ns", "a value is missing"},
                                   Refusal{"(R", "a value is missing"},
                                   Refusal{"Q", "a value is missing"},
                                   Refusal{"}b", "a value is missing"},
                                   Refusal{"t", "a mark is missing"},
                                   Refusal{"e", "a mark is missing"},
                                   Refusal{"u", "a mark is missing"},
                                   Refusal{"}Na", "appends to a dictionary"},
                                   Refusal{"N(Ne", "appends to None"},
                                   Refusal{"]NNs", "sets items of a list"},
                                   Refusal{"}(NNNu", "a key without a value"},
                                   Refusal{"N)R", "calls None"},
                                   Refusal{"ctorch\nFloatStorage\nNR", "calls a global name with None"},
                                   Refusal{"]}b", "sets attributes of a list"},
                                   Refusal{"ctorch\nFloatStorage\n)R}b", "sets attributes of a call"}})
        EXPECT_THAT([&] { read(pickled(refusal.opcodes)); }, refuses(refusal.part));
}

TEST(Pickle, LengthsReachNoFurtherThanTheFile) {
    EXPECT_THAT(
        [] {
            read(
                pickled("X\xff\xff\xff\xff"
                        "abc"));
        },
        refuses("4294967295 bytes are needed, 4 are left"));
    EXPECT_THAT([] { read("\x80\x02K"); }, refuses("1 bytes are needed, 0 are left"));
    EXPECT_THAT([] { read("\x80\x02J\1\2\3"); }, refuses("4 bytes are needed, 3 are left"));
    EXPECT_THAT([] { read("\x80\x02G1234567"); }, refuses("8 bytes are needed, 7 are left"));
    EXPECT_THAT(
        [] {
            read(
                "\x80\x02\x8a\xff"
                "1234567");
        },
        refuses("255 bytes are needed, 7 are left"));
    const std::string long_word = pickled("X\0\0\0\1"s + std::string(std::size_t{1} << 24, 'x'));
    EXPECT_THAT([&] { read(long_word); }, refuses("16777216 bytes are needed, 8388601 are left of the 8 MiB"));
}

TEST(Pickle, NestingCostsNoStack) {
    const std::string lists = pickled(repeated("]", 1'000'000) + repeated("a", 999'999));
    const Pickle pickle(lists, globals, "here");
    EXPECT_EQ(pickle.value().kind, Kind::list);
    EXPECT_EQ(pickle.value().parts->front().kind, Kind::list);

    constexpr std::size_t depth = 200'000;
    EXPECT_NO_THROW(read(pickled("N" + repeated("\x85", depth))));
    EXPECT_NO_THROW(read(pickled(repeated("(", depth) + repeated("t", depth))));
    EXPECT_NO_THROW(read(pickled("N" + repeated("Q", depth))));
    EXPECT_NO_THROW(read(pickled(repeated("}N", depth) + "N" + repeated("s", depth))));
    EXPECT_THROW(read("\x80\x02" + repeated("(", depth)), Error);
}

TEST(Pickle, SharedAndCircularPartsCostNoMemory) {
    const std::string circle = pickled("]q\0h\0a"s);
    const Pickle list(circle, globals, "here");
    EXPECT_EQ(list.value().parts, list.value().parts->front().parts);
    EXPECT_NO_THROW(read(pickled("}q\0h\0h\0s"s)));

    // Ten times the tuple before, 100 000 levels deep.
    std::string bomb = "N";
    for (int i = 0; i < 100'000; ++i) bomb += "q\0("s + repeated("h\0"s, 10) + "t\x86";
    EXPECT_NO_THROW(read(pickled(bomb)));
}

TEST(Printable, IsShortAndOnOneLine) {
    EXPECT_EQ(printable("größe"), "größe");
    EXPECT_EQ(printable("a\n\x1b[31m\x7f\0b"s), "a??[31m??b");
    EXPECT_EQ(printable(std::string(101, 'x')), std::string(100, 'x') + "…");
}

}  // namespace
}  // namespace ltad
