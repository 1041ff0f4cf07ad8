#include "ltad/core/outputs.h"

#include <sys/stat.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

/// Device and inode of a folder; of one that is not there yet, those of the last one above it and the way from there.
std::string identity_of(std::filesystem::path folder) {
    std::string way;
    for (;; folder = folder.parent_path()) {
        struct stat status {};
        if (::stat(folder.c_str(), &status) == 0) return text(status.st_dev, ' ', status.st_ino, way);
        if (!folder.has_relative_path()) return way;
        way = text('/', folder.filename().string(), way);
    }
}

}  // namespace

std::string Outputs::place_of(const std::filesystem::path& file) {
    const auto whole = std::filesystem::absolute(file);
    const auto folder = whole.parent_path();
    const auto [known, is_new] = folders_.try_emplace(folder);
    if (is_new) known->second = identity_of(folder);
    return known->second + "/" + whole.filename().string();
}

void Outputs::keep(const std::filesystem::path& file, const std::string& what) {
    constexpr int most_links = 40;  // as Linux follows
    std::filesystem::path at = file;
    for (int i = 0; i < most_links; ++i) {
        kept_.try_emplace(place_of(at), what);
        std::error_code code;
        const auto target = std::filesystem::read_symlink(at, code);
        if (code) return;
        at = at.parent_path() / target;
    }
}

void Outputs::claim(const std::filesystem::path& file, const std::string& option, const std::string& source) {
    const std::string place = place_of(file);
    const std::string whose = source.empty() ? "" : " (made from " + source + ")";
    if (const auto kept = kept_.find(place); kept != kept_.end())
        throw UsageError(text(option, ": ", file.string(), whose, " would take the place of ", kept->second,
                              "; choose another folder"));
    const auto [claimed, is_new] = claimed_.try_emplace(place, source);
    if (!is_new && (source.empty() || claimed->second != source))
        throw UsageError(text(option, ": ", file.string(), whose, " would take the place of another output",
                              claimed->second.empty() ? "" : ", made from " + claimed->second,
                              "; choose another folder"));
}

}  // namespace ltad
