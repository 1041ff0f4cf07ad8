#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

namespace ltad {

using nlohmann::json;

/// Reads one JSON document. Throws Error naming the file, and line and column where it is malformed.
[[nodiscard]] json read_json(const std::filesystem::path& path);

/// Writes indented JSON and a final newline, whole or not at all.
void write_json(const std::filesystem::path& path, const json& value);

}  // namespace ltad
