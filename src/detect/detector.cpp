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
};

/// A baseline has no parts.
template <std::unique_ptr<Detector> (*load)(const Run&)>
std::unique_ptr<Detector> load_whole(const Run& run, Phase2Part part) {
    if (part != Phase2Part::both)
        throw UsageError(text("--only: method \"", run.config().method, "\" has no parts, only \"ltad\" has"));
    return load(run);
}

constexpr std::array methods = {Method{"ltad", fit_ltad, load_ltad}, Method{"uniad", fit_uniad, load_whole<load_uniad>},
                                Method{"patchcore", fit_patchcore, load_whole<load_patchcore>}};

const Method& method_of(const Run& run) {
    const auto found = std::find_if(methods.begin(), methods.end(),
                                    [&](const Method& method) { return method.name == run.config().method; });
    if (found == methods.end()) throw UsageError(text("method: '", run.config().method, "' is not known"));
    return *found;
}

}  // namespace

void fit_detector(Run& run, TrainOptions options) { method_of(run).fit(run, options); }

std::unique_ptr<Detector> load_detector(const Run& run, Phase2Part part) { return method_of(run).load(run, part); }

}  // namespace ltad
