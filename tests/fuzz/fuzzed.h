#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad::fuzz {

inline std::string_view view(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// A file of the process's own with these bytes, under a name below a folder that is removed at the end.
inline std::filesystem::path put(const std::string& name, std::string_view bytes) {
    static const test::TemporaryFolder folder;
    const auto path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::remove(path);
    append_to_file(path, bytes);  // which costs no fsync
    return path;
}

/// Reads something that may be refused, but only by an Error.
template <typename Read>
int refused_or_read(const Read& read) {
    try {
        read();
    } catch (const Error&) {
        return 0;
    }
    return 0;
}

}  // namespace ltad::fuzz
