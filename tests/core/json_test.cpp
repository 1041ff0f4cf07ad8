#include "ltad/core/json.h"

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

TEST(Json, RoundTrips) {
    const test::TemporaryFolder folder;
    const json value = {
        {"text", "ä \"quoted\"\n"}, {"number", 0.1}, {"big", 9007199254740993}, {"list", {1, nullptr, true}}};
    write_json(folder / "a.json", value);
    EXPECT_EQ(read_json(folder / "a.json"), value);
    const std::string bytes = read_file(folder / "a.json");
    EXPECT_EQ(bytes.back(), '\n');
    EXPECT_THAT(bytes, HasSubstr("\n  \"number\": 0.1"));
}

TEST(Json, AMistakeIsNamedWithFileLineAndColumn) {
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "bad.json", "{\n  \"a\": 1,\n  \"b\" true\n}\n");
    EXPECT_THAT([&] { (void)read_json(folder / "bad.json"); },
                ThrowsMessage<Error>(AllOf(HasSubstr((folder / "bad.json").string()), HasSubstr("line 3, column 10"),
                                           Not(HasSubstr("json.exception")))));
}

TEST(Json, WhatIsNoJsonIsAnErrorThatNamesTheFile) {
    const test::TemporaryFolder folder;
    const auto path = folder / "x.json";
    for (const std::string_view bytes :
         {"", " ", "{", "{} {}", "nul", "[1,]", "{'a': 1}", "\"\xff\"", "1e999", "\"\n\""}) {
        std::filesystem::remove(path);
        append_to_file(path, bytes);
        EXPECT_THAT([&] { (void)read_json(path); }, ThrowsMessage<Error>(HasSubstr(path.string()))) << bytes;
    }
    EXPECT_THAT([&] { (void)read_json(folder / "none"); }, ThrowsMessage<Error>(HasSubstr((folder / "none").string())));
    EXPECT_THAT([&] { (void)read_json(folder.path()); }, ThrowsMessage<Error>(HasSubstr(folder.path().string())));
}

TEST(Json, WhatPeopleWriteHasEachKeyOnce) {
    const test::TemporaryFolder folder;
    const auto path = folder / "a.json";
    for (const std::string_view twice : {R"({"a": 1, "a": 2})", R"({"b": {"a": 1, "c": {"a": 3}, "a": 2}})"}) {
        write_file_atomically(path, std::string(twice));
        EXPECT_THAT([&] { (void)parse_handwritten_json(read_file(path), path); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr("\"a\""), HasSubstr("twice"))));
        EXPECT_NO_THROW((void)read_json(path));
    }
    const json fine = {{"a", {{"a", 1}, {"b", {{"a", 2}}}}}, {"b", {{{"a", 1}}, {{"a", 2}}}}};
    write_json(path, fine);
    EXPECT_EQ(parse_handwritten_json(read_file(path), path), fine);
}

TEST(Json, ASealShowsChanges) {
    const json document = sealed({{"a", 1}, {"b", {0.1, nullptr}}});
    EXPECT_NO_THROW(check_seal(document));
    EXPECT_EQ(sealed(document), document);
    EXPECT_NO_THROW(check_seal(json::parse(document.dump(2))));
    json other = document;
    other["b"][0] = 0.2;
    EXPECT_THROW(check_seal(other), Error);
    other = document;
    other.erase("sha256");
    EXPECT_THROW(check_seal(other), Error);
    for (const json& none : {json(), json(1), json::array({1})}) EXPECT_THROW(check_seal(none), Error);
}

TEST(Json, Utf8IsTold) {
    EXPECT_TRUE(is_utf8("gr\xc3\xbcn"));
    EXPECT_FALSE(is_utf8("gr\xfcn"));
    EXPECT_EQ(as_utf8("gr\xc3\xbcn"), "gr\xc3\xbcn");
    EXPECT_TRUE(is_utf8(as_utf8("gr\xfcn")));
}

TEST(Json, DeepNestingDoesNotEndTheProcess) {
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "open.json", std::string(100'000, '['));
    EXPECT_THROW((void)read_json(folder / "open.json"), Error);
}

TEST(Json, AFailureToWriteNamesTheFileAndLeavesTheOldOne) {
    const test::TemporaryFolder folder;
    const auto path = folder / "a.json";
    write_json(path, {{"old", 1}});
    // Names from a disk are bytes, not always UTF-8, which JSON is.
    EXPECT_THAT([&] { write_json(path, {{"name", "gr\xfcn"}}); }, ThrowsMessage<Error>(HasSubstr(path.string())));
    EXPECT_EQ(read_json(path), json({{"old", 1}}));
    EXPECT_THAT([] { write_json("/proc/ltad.json", json::object()); },
                ThrowsMessage<Error>(HasSubstr("/proc/ltad.json")));
}

}  // namespace
}  // namespace ltad
