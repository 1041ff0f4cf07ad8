#pragma once

#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

namespace ltad {

using nlohmann::json;

/// Reads one JSON document. Throws Error naming the file, and line and column where it is malformed.
[[nodiscard]] json read_json(const std::filesystem::path& path);

/// Writes indented JSON and a final newline, whole or not at all.
void write_json(const std::filesystem::path& path, const json& value);

/// JSON has no NaN: what is not there is null.
[[nodiscard]] inline json number_or_null(const std::optional<double>& value) { return value ? json(*value) : json(); }
/// The way back.
[[nodiscard]] inline std::optional<double> number_if_any(const json& value) {
    return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

}  // namespace ltad
