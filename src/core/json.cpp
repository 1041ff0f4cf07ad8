#include "ltad/core/json.h"

#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

/// Without the library's own number for it, "[json.exception.parse_error.101] ".
std::string words_of(const json::exception& error) {
    const std::string words = error.what();
    const std::size_t end = words.find("] ");
    return end == std::string::npos ? words : words.substr(end + 2);
}

}  // namespace

json read_json(const std::filesystem::path& path) {
    const MappedFile file(path);
    try {
        // Deeper ones are nobody's, and would exhaust the stack of whoever walks over them.
        constexpr int deepest = 100;
        return json::parse(file.bytes(), [&](int depth, json::parse_event_t, json&) {
            if (depth > deepest) fail(path.string(), ": nested more than ", deepest, " levels deep");
            return true;
        });
    } catch (const json::exception& error) {
        fail(path.string(), ": not valid JSON: ", words_of(error));
    }
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
