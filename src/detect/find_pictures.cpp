#include "ltad/detect/find_pictures.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

#include "ltad/core/error.h"

namespace ltad {
namespace {

bool is_picture(const std::filesystem::path& file) {
    static constexpr std::array endings = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"};
    std::string ending = file.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

/// Adds what lies below a folder. What cannot be looked at, such as links in a circle, is no picture.
void search(const std::filesystem::path& folder, const std::filesystem::path& left_out, FoundPictures& found) {
    std::error_code code;
    if (!left_out.empty() && std::filesystem::equivalent(folder, left_out, code)) return;
    std::filesystem::directory_iterator entry(folder, code);
    for (const std::filesystem::directory_iterator end; !code && entry != end; entry.increment(code)) {
        std::error_code unknown;
        if (!entry->is_symlink(unknown) && entry->is_directory(unknown))
            search(entry->path(), left_out, found);
        else if (is_picture(entry->path()) && entry->is_regular_file(unknown))
            found.files.push_back(entry->path());
    }
    if (code) found.unreadable.push_back(text(folder.string(), ": ", code.message()));
}

}  // namespace

FoundPictures find_pictures(const std::vector<std::string>& paths, const std::filesystem::path& left_out) {
    FoundPictures found;
    for (const std::filesystem::path path : paths) {
        std::error_code code;
        if (std::filesystem::is_directory(path, code)) {
            const auto before = static_cast<std::ptrdiff_t>(found.files.size());
            search(path, left_out, found);
            std::sort(found.files.begin() + before, found.files.end());
        } else if (std::filesystem::exists(path, code)) {
            found.files.push_back(path);
        } else {
            throw UsageError(text(path.string(), ": no such picture or folder", code ? ": " : "",
                                  code ? code.message() : std::string()));
        }
    }
    if (!found.files.empty()) return found;
    std::string message = "no picture was found in";
    for (const std::string& path : paths) message += " " + path;
    message += ": .png, .jpg, .bmp, .tif or .webp was expected";
    for (const std::string& folder : found.unreadable) message += "\n  " + folder;
    throw UsageError(message);
}

}  // namespace ltad
