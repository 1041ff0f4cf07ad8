#include "part_index.h"

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"

namespace ltad {

std::filesystem::path part_file(const PlannedRun& run, PartKind kind) {
    const std::filesystem::path output = run.config.output;
    switch (kind) {
        case PartKind::phase1:
            return output / "phase1" / "model.safetensors";
        case PartKind::reconstruction:
            return output / "phase2" / "reconstruction.safetensors";
        case PartKind::semantic:
            return output / "phase2" / "semantic.safetensors";
        case PartKind::uniad:
            return output / "uniad" / "model.safetensors";
        case PartKind::patchcore:
            return output / "patchcore" / "bank.safetensors";
    }
    fail("a part of no known kind");
}

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
