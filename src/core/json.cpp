#include "ltad/core/json.h"

#include <set>
#include <vector>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/lfs_pointer.h"

namespace ltad {
namespace {

json parse(const std::string& document, const std::filesystem::path& path, bool keys_are_unique) {
    refuse_lfs_pointer(document, path);
    if (document.starts_with("\xFF\xFE") || document.starts_with("\xFE\xFF"))
        fail(path.string(), ": is UTF-16 text; save it as UTF-8");
    std::vector<std::set<std::string>> keys;  // of the objects that are open
    const auto check_key = [&](json::parse_event_t event, const json& value) {
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
            fail(path.string(), ": the key ", value.dump(), " is there twice in one object");
    };
    try {
        // Deeper ones are nobody's, and would exhaust the stack of whoever walks over them.
        constexpr int deepest = 100;
        return json::parse(document, [&](int depth, json::parse_event_t event, const json& value) {
            if (depth > deepest) fail(path.string(), ": nested more than ", deepest, " levels deep");
            if (keys_are_unique) check_key(event, value);
            return true;
        });
    } catch (const json::exception& error) {
        fail(path.string(), ": not valid JSON: ", words_of(error));
    }
}

}  // namespace

json read_json(const std::filesystem::path& path) { return parse(read_file(path), path, false); }

json parse_handwritten_json(const std::string& document, const std::filesystem::path& path) {
    return parse(document, path, true);
}

bool is_utf8(const std::string& words) {
    try {
        (void)json(words).dump();
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

std::string as_utf8(const std::string& words) {
    return json::parse(json(words).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

std::string words_of(const std::exception& error) {
    const std::string words = error.what();
    const std::size_t end = words.find("] ");
    return words.starts_with("[json.exception.") && end != std::string::npos ? words.substr(end + 2) : words;
}

json sealed(json document) {
    document.erase("sha256");
    document["sha256"] = sha256(document.dump());
    return document;
}

void check_seal(const json& document) {
    if (!document.is_object() || sealed(document) != document) fail("its \"sha256\" is not that of its other values");
}

void write_json(const std::filesystem::path& path, const json& value) {
    std::string words;
    try {
        words = value.dump(2) + "\n";
    } catch (const json::exception& error) {
        fail("cannot write ", path.string(), ": not valid JSON: ", words_of(error));  // a string that is not UTF-8
    }
    write_file_atomically(path, words);
}

}  // namespace ltad
