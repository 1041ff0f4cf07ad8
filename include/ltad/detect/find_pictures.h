#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ltad {

struct FoundPictures {
    std::vector<std::filesystem::path> files{};
    std::vector<std::string> unreadable{};   ///< folders, and why: "locked: Permission denied"
    std::vector<std::string> passed_over{};  ///< what else lies there: "in/up: a link to a folder that it lies in"
};

/// The pictures among the paths: files as they are, of folders all that have a picture's ending (.png, .jpg, .jpeg,
/// .bmp, .tif, .tiff, .webp, in any case), sorted, without what lies in the folder `left_out`: overlays of an earlier
/// call are no pictures. Links are followed, but no folder is looked through twice, and none that a link lies in;
/// broken ones to pictures are among the files, so that their line says so. Throws UsageError for a path that is not
/// there, and when there is no picture.
[[nodiscard]] FoundPictures find_pictures(const std::vector<std::string>& paths,
                                          const std::filesystem::path& left_out = {});

}  // namespace ltad
