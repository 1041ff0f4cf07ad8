#pragma once

#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace ltad {

using nlohmann::json;

/// Reads one JSON document. Throws Error naming the file, and line and column where it is malformed.
[[nodiscard]] json read_json(const std::filesystem::path& path);

/// Parses the text of a document that a person has written: throws Error as `read_json` does, naming `path`, and for a
/// key that is there twice, too.
[[nodiscard]] json parse_handwritten_json(const std::string& document, const std::filesystem::path& path);

/// Names from a disk are bytes; what goes into JSON has to be UTF-8.
[[nodiscard]] bool is_utf8(const std::string& words);

/// The words with what is not UTF-8 replaced, for messages that go into JSON.
[[nodiscard]] std::string as_utf8(const std::string& words);

/// What a library's exception says, without the number that JSON's puts before it.
[[nodiscard]] std::string words_of(const std::exception& error);

/// A document with "sha256", the hash of the rest, by which a changed digit is noticed.
[[nodiscard]] json sealed(json document);
/// Throws Error unless a document is as `sealed` gave it.
void check_seal(const json& document);

/// Writes indented JSON and a final newline, whole or not at all.
void write_json(const std::filesystem::path& path, const json& value);

/// JSON has no NaN: what is not there is null.
[[nodiscard]] inline json number_or_null(const std::optional<double>& value) { return value ? json(*value) : json(); }
/// The way back.
[[nodiscard]] inline std::optional<double> number_if_any(const json& value) {
    return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

}  // namespace ltad
