#include "ltad/detect/detector.h"

#include <algorithm>
#include <array>

#include "ltad/core/error.h"
#include "methods.h"

namespace ltad {
namespace {

struct Method {
    std::string_view name;
    void (*fit)(Run&, TrainOptions);
    std::unique_ptr<Detector> (*load)(const Run&, Phase2Part);
    json (*settings)(const Run&);  ///< of its one file; null where there are several
};

/// A baseline has no parts.
template <std::unique_ptr<Detector> (*load)(const Run&)>
std::unique_ptr<Detector> load_whole(const Run& run, Phase2Part part) {
    if (part != Phase2Part::both)
        throw UsageError(text("--only: method \"", run.config().method, "\" has no parts, only \"ltad\" has"));
    return load(run);
}

constexpr std::array methods = {Method{"ltad", fit_ltad, load_ltad, nullptr},
                                Method{"uniad", fit_uniad, load_whole<load_uniad>, uniad_settings},
                                Method{"patchcore", fit_patchcore, load_whole<load_patchcore>, patchcore_settings}};

const Method& method_of(const Run& run) {
    const auto found = std::find_if(methods.begin(), methods.end(),
                                    [&](const Method& method) { return method.name == run.config().method; });
    if (found == methods.end()) throw UsageError(text("method: '", run.config().method, "' is not known"));
    return *found;
}

}  // namespace

json fitted_settings(const Run& run) {
    const Method& method = method_of(run);
    if (method.settings == nullptr)
        throw UsageError(text("method \"", method.name, "\" has several files, each with settings of its own"));
    return method.settings(run);
}

void fit_detector(Run& run, TrainOptions options) { method_of(run).fit(run, options); }

std::unique_ptr<Detector> load_detector(const Run& run, Phase2Part part) { return method_of(run).load(run, part); }

}  // namespace ltad
