#include "ltad/repro/part_index.h"

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"

namespace ltad {

json PartIndex::read() const {
    if (!std::filesystem::exists(file_)) return json::object();
    try {
        json parts = read_json(file_);
        if (!parts.is_object()) fail(file_.string(), ": an object was expected");
        return parts;
    } catch (const Error& error) {
        log_warning_once(text(error.what(), "; parts of other runs are trained again"));
        return json::object();
    }
}

std::optional<std::filesystem::path> PartIndex::find(const PlannedPart& part) const {
    const json parts = read();
    const auto found = parts.find(part.key);
    if (found == parts.end() || !found->is_string()) return std::nullopt;
    const std::filesystem::path file = file_.parent_path() / found->get<std::string>();
    return std::filesystem::exists(file) ? std::optional(file) : std::nullopt;
}

void PartIndex::add(const PlannedPart& part, const std::filesystem::path& file) const {
    const FileLock lock(file_.parent_path() / "parts.lock", "it is adding to " + file_.string());
    json parts = read();
    parts[part.key] = std::filesystem::relative(file, file_.parent_path()).generic_string();
    write_json(file_, parts);
}

}  // namespace ltad
