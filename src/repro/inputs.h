#pragma once

#include <functional>
#include <map>
#include <string>

#include "ltad/config/config.h"

namespace ltad {

/// What lies at a config's paths, as far as results depend on it: figures of other pictures or weights must not be
/// taken for those of these. All files are read with every call (seconds for the 5 GB of MVTec AD).
class Inputs {
public:
    /// Of what trainings read: the training pictures by name and content, those of the lists of split.path and these
    /// lists themselves, the encoder's files by content. Each is looked at once. Of what cannot be read, its path: the
    /// run will say why.
    [[nodiscard]] std::string training(const Config& config);
    /// Of the test pictures, likewise, and of their masks.
    [[nodiscard]] std::string test(const Config& config);

private:
    std::string look_once(const std::string& what, const std::function<std::string()>& describe);

    std::map<std::string, std::string> known_;
};

}  // namespace ltad
