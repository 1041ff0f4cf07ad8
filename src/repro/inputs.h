#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/core/json.h"

namespace ltad {

/// A file's content, as a hash; one that cannot be read must not hide the others.
[[nodiscard]] std::string content(const std::filesystem::path& file);

/// Where a dotted key is in a config as JSON.
[[nodiscard]] json::json_pointer pointer_to(const std::string& key);

/// What lies at a config's paths, as far as results depend on it: figures of other pictures or weights must not be
/// taken for those of these. All files are read once in a call (seconds
/// for the 5 GB of MVTec AD), and again when the system says that one has changed.
class Inputs {
public:
    /// may_be_interrupted: whether Ctrl-C ends it with Interrupted.
    explicit Inputs(bool may_be_interrupted = true) : may_be_interrupted_(may_be_interrupted) {}

    /// Of what trainings read: the training pictures by name and content, those of the lists of split.path and these
    /// lists themselves, the encoder's files by content. Each is looked at once. Of what cannot be listed, its path:
    /// the run will say why.
    [[nodiscard]] std::string training(const Config& config);
    /// Of the test pictures, likewise, and of their masks.
    [[nodiscard]] std::string test(const Config& config);

    /// Of the files and folders, with all that is below them, that keys of the config name.
    [[nodiscard]] std::string named(const Config& config, const std::vector<std::string>& keys);
    /// Of all that a run reads.
    [[nodiscard]] std::string all(const Config& config);

private:
    std::string look_once(const std::string& what, const std::function<std::string()>& describe);

    bool may_be_interrupted_;
    std::map<std::string, std::string> known_;
};

}  // namespace ltad
