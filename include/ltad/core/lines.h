#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ltad {

/// The lines of a text file as people's tools write them: ended by LF, CR LF or CR, behind a byte order mark of UTF-8
/// or none. The ends are left out; the last line need not have one. Throws Error naming `file` when it is UTF-16.
[[nodiscard]] std::vector<std::string> text_lines(std::string_view bytes, const std::string& file);

}  // namespace ltad
