#include "folders.h"

#include <algorithm>
#include <array>

#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/data/picture_files.h"

namespace ltad {
namespace {

template <typename Keep>
std::vector<std::string> names_in(const std::filesystem::path& folder, Keep keep) {
    std::vector<std::string> names;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with('.') && keep(entry)) names.push_back(name);
    }
    if (code && std::filesystem::exists(folder)) fail("cannot list ", folder.string(), ": ", code.message());
    std::sort(names.begin(), names.end());
    return names;
}

bool is_left_by_a_system(const std::string& name) {
    constexpr std::array<std::string_view, 3> known = {"thumbs.db", "desktop.ini", "__macosx"};
    return name.starts_with('.') || std::find(known.begin(), known.end(), lower_case(name)) != known.end();
}

}  // namespace

std::vector<std::string> folders_in(const std::filesystem::path& folder) {
    return names_in(folder, [](const auto& entry) { return entry.is_directory(); });
}

std::vector<std::string> pictures_in(const std::filesystem::path& folder) {
    return names_in(folder, [](const std::filesystem::directory_entry& entry) {
        if (!has_picture_ending(entry.path())) return false;
        if (!entry.is_regular_file() && !entry.is_directory())
            fail(entry.path().string(), ": a picture's name, but no file that can be read (a broken link?)");
        return entry.is_regular_file();
    });
}

std::string folder_named(const std::filesystem::path& folder, const std::string& name) {
    std::string found;
    if (!std::filesystem::is_directory(folder)) return found;
    for (const std::string& one : folders_in(folder)) {
        if (lower_case(one) != name) continue;
        if (!found.empty())
            fail(folder.string(), ": two folders differ by capital letters alone, ", found, " and ", one,
                 "; put their files into one of them");
        found = one;
    }
    return found;
}

void PassedOver::search(const std::string& class_name, const std::vector<std::string>& parts,
                        const std::set<std::string>& used, const ReasonOf& reason_of,
                        std::set<std::filesystem::path>& seen) {
    std::filesystem::path relative = class_name;
    for (const std::string& part : parts) relative /= part;
    std::error_code code;
    if (!seen.insert(std::filesystem::canonical(root_ / relative, code)).second) return;  // links in a circle
    for (const auto& entry : std::filesystem::directory_iterator(root_ / relative, code)) {
        const std::string name = entry.path().filename().string();
        if (is_left_by_a_system(name)) continue;
        std::vector<std::string> path = parts;
        path.push_back(name);
        std::error_code unknown;
        if (entry.is_directory(unknown)) {
            search(class_name, path, used, reason_of, seen);
            continue;
        }
        const std::string file = (relative / name).generic_string();
        if (used.contains(file)) continue;
        const std::string reason = reason_of(path);
        if (reason.empty()) continue;
        Found& found = found_[{class_name, reason}];
        if (found.count++ == 0 || file < found.example) found.example = file;
    }
}

void PassedOver::look_through(const std::string& class_name, const std::set<std::string>& used,
                              const ReasonOf& reason_of) {
    std::set<std::filesystem::path> seen;
    search(class_name, {}, used, reason_of, seen);
}

void PassedOver::say() const {
    for (const auto& [key, found] : found_)
        log_warning_once(text(root_.string(), ": class '", key.first, "': ", found.count,
                              found.count == 1 ? " file is" : " files are", " not used (", key.second, "), e.g. ",
                              found.example));
}

}  // namespace ltad
