#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ltad/core/json.h"

namespace ltad {

/// A merged document and, for every dotted key in it, the file or option that set it.
struct Layers {
    json document = json::object();
    std::map<std::string, std::string> sources;
};

/// The parts of a dotted key.
[[nodiscard]] std::vector<std::string> split_key(const std::string& key);

/// The value at a dotted key; sections on the way are made.
[[nodiscard]] json& make_place(json& document, const std::string& key);

/// A config file with all that it `extends`, then the `--set KEY=VALUE` overrides. An empty `file` is left out.
/// Throws UsageError naming the file or the override.
[[nodiscard]] Layers read_layers(const std::filesystem::path& file, const std::vector<std::string>& overrides);

}  // namespace ltad
