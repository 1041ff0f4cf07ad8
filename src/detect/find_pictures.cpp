#include "ltad/detect/find_pictures.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "ltad/core/error.h"
#include "ltad/data/picture_files.h"

namespace ltad {
namespace {

/// Looks through the folders that were given, each once whatever links lead to it.
class Search {
public:
    Search(const std::filesystem::path& left_out, FoundPictures& found) : left_out_(left_out), found_(found) {}

    void look_into(const std::filesystem::path& folder) {
        std::error_code code;
        if (!left_out_.empty() && std::filesystem::equivalent(folder, left_out_, code)) return;
        const auto real = std::filesystem::canonical(folder, code);
        if (!code && leads_up(folder, real)) {
            found_.passed_over.push_back(folder.string() + ": a link to a folder that it lies in");
            return;
        }
        if (!code && !seen_.insert(real).second) {
            found_.passed_over.push_back(folder.string() + ": another way to a folder that was looked through already");
            return;
        }
        std::filesystem::directory_iterator entry(folder, code);
        for (const std::filesystem::directory_iterator end; !code && entry != end; entry.increment(code)) take(*entry);
        if (code) found_.unreadable.push_back(text(folder.string(), ": ", code.message()));
    }

    /// Of other files only the number is told: there may be thousands.
    void tell_others() {
        if (others_ > 0)
            found_.passed_over.push_back(text(others_, others_ == 1 ? " file" : " files",
                                              " without a picture's ending, e.g. ", other_.string()));
    }

private:
    /// Whether a folder is a link to one that it lies in, as those of a circle are.
    static bool leads_up(const std::filesystem::path& folder, const std::filesystem::path& real) {
        std::error_code code;
        if (!std::filesystem::is_symlink(folder, code)) return false;
        const auto place = std::filesystem::canonical(std::filesystem::absolute(folder).parent_path(), code);
        return std::mismatch(real.begin(), real.end(), place.begin(), place.end()).first == real.end();
    }

    void take(const std::filesystem::directory_entry& entry) {
        std::error_code unknown;
        if (entry.is_directory(unknown))
            look_into(entry.path());
        else if (has_picture_ending(entry.path()))  // a broken link, too: its line says that it cannot be read
            found_.files.push_back(entry.path());
        else if (!entry.path().filename().string().starts_with('.') && (others_++ == 0 || entry.path() < other_))
            other_ = entry.path();
    }

    const std::filesystem::path& left_out_;
    FoundPictures& found_;
    std::set<std::filesystem::path> seen_;
    std::size_t others_ = 0;
    std::filesystem::path other_;
};

}  // namespace

FoundPictures find_pictures(const std::vector<std::string>& paths, const std::filesystem::path& left_out) {
    FoundPictures found;
    Search search(left_out, found);
    for (const std::filesystem::path path : paths) {
        std::error_code code;
        if (std::filesystem::is_directory(path, code)) {
            const auto before = static_cast<std::ptrdiff_t>(found.files.size());
            if (!left_out.empty() && std::filesystem::equivalent(path, left_out, code))
                throw UsageError(text(path.string(),
                                      ": overlays would be written among the pictures; choose another "
                                      "folder for them"));
            search.look_into(path);
            if (found.files.size() == static_cast<std::size_t>(before))
                found.passed_over.push_back(path.string() + ": no picture in it");
            std::sort(found.files.begin() + before, found.files.end());
        } else if (std::filesystem::exists(path, code)) {
            found.files.push_back(path);
        } else {
            throw UsageError(text(path.string(), ": no such picture or folder", code ? ": " : "",
                                  code ? code.message() : std::string()));
        }
    }
    search.tell_others();
    if (!found.files.empty()) return found;
    std::string message = "no picture was found in";
    for (const std::string& path : paths) message += " " + path;
    message += ": .png, .jpg, .bmp, .tif or .webp was expected";
    for (const auto* reasons : {&found.unreadable, &found.passed_over})
        for (const std::string& reason : *reasons) message += "\n  " + reason;
    throw UsageError(message);
}

}  // namespace ltad
