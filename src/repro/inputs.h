#pragma once

#include <map>
#include <string>

#include "ltad/config/config.h"

namespace ltad {

/// What lies at a config's paths, as far as results depend on it: figures of other pictures or weights must not be
/// taken for those of these. Pictures changed without a change of name or size are not noticed: reading all of them
/// with every call would take minutes.
class Inputs {
public:
    /// Of the data set's pictures and masks by name and size, the lists of split.path, and the encoder's files by
    /// content; each is looked at once. Of what cannot be read, its path: the run will say why.
    [[nodiscard]] std::string fingerprint(const Config& config);

private:
    std::map<std::string, std::string> known_;
};

}  // namespace ltad
