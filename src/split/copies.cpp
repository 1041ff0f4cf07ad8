#include <map>
#include <utility>

#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/split/split.h"

namespace ltad {
namespace {

struct Copies {
    std::size_t count = 0;
    const Sample* first = nullptr;
    const Sample* original = nullptr;
};

}  // namespace

void warn_of_copies(const std::string& root, const Split& split,
                    const std::function<std::string(const Sample&)>& content_of) {
    std::map<std::string, const Sample*> trained;  // by content
    for (const Sample& sample : split.train) trained.emplace(content_of(sample), &sample);
    trained.erase("");
    std::map<std::pair<std::string, bool>, Copies> found;  // by class, and whether they are defective
    for (const Sample& sample : split.test) {
        const auto original = trained.find(content_of(sample));
        if (original == trained.end()) continue;
        Copies& copies = found[{sample.class_name, sample.defective}];
        if (copies.count++ == 0) copies = {1, &sample, original->second};
    }
    for (const auto& [key, copies] : found)
        log_warning_once(text(root, ": class '", key.first, "': ", copies.count, key.second ? " defective" : " good",
                              copies.count == 1 ? " test picture is an exact copy of a training picture, "
                                                : " test pictures are exact copies of training pictures, e.g. ",
                              copies.first->file, " of ", copies.original->file));
}

}  // namespace ltad
