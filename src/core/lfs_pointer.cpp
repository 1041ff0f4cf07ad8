#include "ltad/core/lfs_pointer.h"

#include "ltad/core/error.h"

namespace ltad {

void refuse_lfs_pointer(std::string_view bytes, const std::filesystem::path& file) {
    if (bytes.starts_with("version https://git-lfs.github.com/spec/v1"))
        fail(file.string(), ": is a git-lfs pointer, not the file itself; `git lfs pull` in its folder fetches it");
}

}  // namespace ltad
