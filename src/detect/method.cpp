#include "ltad/detect/method.h"

#include <algorithm>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/hash.h"
#include "ltad/core/log.h"
#include "methods.h"

namespace ltad {

std::vector<const MethodPart*> Method::parts_for(const std::string& only) const {
    std::vector<const MethodPart*> needed;
    for (const MethodPart& part : parts)
        if (only.empty() || std::find(part.scores.begin(), part.scores.end(), only) != part.scores.end())
            needed.push_back(&part);
    return needed;
}

void Method::fit(Run& run, TrainOptions options) const {
    if (parts.empty()) {
        const FileLock lock = run.claim(options.force);
        run.write_config();
        log_info(text(run.output().string(), ": method \"", name, "\" has nothing to train"));
    }
    for (int stage = 0; stage < stages(); ++stage) train(run, stage, "", options);
}

const std::vector<Method>& methods() {
    static const std::vector<Method> all = {ltad_method(), uniad_method(), patchcore_method()};
    return all;
}

std::vector<std::string> part_scores() {
    std::vector<std::string> all;
    for (const Method& method : methods()) all.insert(all.end(), method.scores.begin() + 1, method.scores.end());
    return all;
}

const Method& method_named(const std::string& name) {
    const auto& all = methods();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Method& method) { return method.name == name; });
    if (found == all.end()) throw UsageError(text("method: '", name, "' is not known"));
    return *found;
}

void fit_detector(Run& run, TrainOptions options) { method_named(run.config().method).fit(run, options); }

void Detector::remember_file_hashes() {
    file_hashes_.clear();
    for (const auto& file : files()) file_hashes_.push_back(sha256_file(file));
}

std::unique_ptr<Detector> load_detector(const Run& run, const std::string& only) {
    const Method& method = method_named(run.config().method);
    if (!only.empty() && method.scores.size() == 1)
        throw UsageError(text("--only: method \"", method.name, "\" has one score, and no parts of it"));
    if (!only.empty() && std::find(method.scores.begin() + 1, method.scores.end(), only) == method.scores.end())
        throw UsageError(text("--only: '", only, "' is no part of the score \"", method.scores.front(), '"'));
    run.check_method();
    std::vector<std::string> before;
    for (const MethodPart* part : method.parts_for(only))
        if (const auto file = run.output() / part->file; std::filesystem::exists(file))
            before.push_back(sha256_file(file));
    auto detector = method.load(run, only);
    detector->remember_file_hashes();
    if (detector->file_hashes() != before)
        fail(run.output().string(), ": another process is training here; call again");
    return detector;
}

}  // namespace ltad
