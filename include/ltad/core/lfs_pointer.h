#pragma once

#include <filesystem>
#include <string_view>

namespace ltad {

/// Throws Error naming the file when its bytes are a git-lfs pointer: the short text that a clone without git-lfs has
/// in the place of a large file (git-lfs/docs/spec.md).
void refuse_lfs_pointer(std::string_view bytes, const std::filesystem::path& file);

}  // namespace ltad
