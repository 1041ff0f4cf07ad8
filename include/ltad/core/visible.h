#pragma once

#include <string>
#include <string_view>

namespace ltad {

/// Words that come from outside (names of classes and files, values of a config) as a terminal, a log or a table may
/// show them: control characters (C0, DEL, C1) and marks that turn the direction of writing are escaped ("\n", "\x1b",
/// "\u202e"), bytes that are not UTF-8, too ("\xff"). Everything else stays as it is.
[[nodiscard]] std::string visible(std::string_view words);

/// The same of a message of ours, which may go on in further lines, each indented by two spaces; a line break in a name
/// cannot begin a line of the log.
[[nodiscard]] std::string visible_message(std::string_view message);

/// A JSON document's text, which says the same when read, with all such characters as "\u009b": JSON itself escapes the
/// first 32 only.
[[nodiscard]] std::string visible_json(std::string_view document);

}  // namespace ltad
