#include "layers.h"

#include <set>

#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

void merge(Layers& into, const json& from, const std::string& source, const std::string& prefix = "") {
    for (const auto& [name, value] : from.items()) {
        const std::string key = prefix + name;
        if (value.is_object()) {
            merge(into, value, source, key + ".");
            // An empty section still has to be seen by the check for unknown keys.
            if (!value.empty()) continue;
        }
        json& place = make_place(into.document, key);
        if (!(value.is_object() && place.is_object())) place = value;
        into.sources[key] = source;
    }
}

/// Base files first, so that later layers win. `wanted_by`: the file that extends this one, if any.
void merge_file(Layers& into, const std::filesystem::path& file, const std::filesystem::path& wanted_by,
                std::set<std::filesystem::path>& seen) {
    const std::string why = wanted_by.empty() ? "" : "; " + wanted_by.string() + " extends it";
    std::error_code code;
    const auto status = std::filesystem::status(file, code);
    const bool nobodys = code == std::errc::too_many_symbolic_link_levels || code == std::errc::filename_too_long;
    if (status.type() == std::filesystem::file_type::none && !nobodys)  // whether it is there cannot be told
        fail("cannot read ", file.string(), ": ", code.message(), why);
    if (!std::filesystem::is_regular_file(status))
        throw UsageError(text("no config file ", file.string(),
                              std::filesystem::is_directory(status) ? ", which is a folder" : "", why));
    if (!seen.insert(std::filesystem::weakly_canonical(file)).second)
        throw UsageError(text(file.string(), ": \"extends\" goes round in a circle"));
    const std::string words = read_file(file);  // a disk that fails is no wrong config
    json document;
    try {
        document = parse_handwritten_json(words, file);
    } catch (const Error& error) {
        throw UsageError(error.what());
    }
    if (!document.is_object()) throw UsageError(text(file.string(), ": a JSON object was expected"));
    if (document.contains("extends")) {
        if (!document["extends"].is_string())
            throw UsageError(text(file.string(), ": \"extends\" must be the path of another config"));
        merge_file(into, file.parent_path() / document["extends"].get<std::string>(), file, seen);
        document.erase("extends");
    }
    merge(into, document, file.string());
}

void merge_override(Layers& into, const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0)
        throw UsageError(text("--set ", assignment, ": KEY=VALUE was expected, such as phase1.epochs=10"));
    if (!is_utf8(assignment)) throw UsageError(text("--set ", assignment, ": is not UTF-8, which JSON needs"));
    const std::string value = assignment.substr(equals + 1);
    json parsed = json::parse(value, nullptr, false);
    if (parsed.is_discarded()) parsed = value;  // a bare word is a string
    json nested = std::move(parsed);
    std::string key = assignment.substr(0, equals);
    for (std::size_t dot; (dot = key.rfind('.')) != std::string::npos; key.resize(dot))
        nested = json{{key.substr(dot + 1), nested}};
    merge(into, json{{key, nested}}, "--set");
}

}  // namespace

std::vector<std::string> split_key(const std::string& key) {
    std::vector<std::string> parts;
    for (std::size_t start = 0, dot = 0; dot != std::string::npos; start = dot + 1) {
        dot = key.find('.', start);
        parts.push_back(key.substr(start, dot - start));
    }
    return parts;
}

json& make_place(json& document, const std::string& key) {
    json* node = &document;
    for (const std::string& part : split_key(key)) {
        if (!node->is_object()) *node = json::object();
        node = &(*node)[part];
    }
    return *node;
}

Layers read_layers(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    Layers layers;
    std::set<std::filesystem::path> seen;
    if (!file.empty()) merge_file(layers, file, {}, seen);
    for (const std::string& assignment : overrides) merge_override(layers, assignment);
    // What a run's config.json records about the program is not a setting.
    layers.document.erase("program");
    std::erase_if(layers.sources,
                  [](const auto& item) { return item.first == "program" || item.first.starts_with("program."); });
    return layers;
}

}  // namespace ltad
