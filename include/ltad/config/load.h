#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/config/pretrain_config.h"
#include "ltad/core/json.h"

namespace ltad {

/// Reads a config file with all that it `extends`, applies the `--set KEY=VALUE` overrides and validates everything.
/// An empty `file` starts from the defaults. Throws UsageError that lists every mistake found, each with key, value,
/// what is allowed, where it was set, and for an unknown key the nearest known one.
[[nodiscard]] Config load_config(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// The same for the settings of `ltad-pretrain train`.
[[nodiscard]] PretrainConfig load_pretrain_config(const std::filesystem::path& file,
                                                  const std::vector<std::string>& overrides);

/// The resolved config with every key; `load_config` reads it back to the same values.
[[nodiscard]] json to_json(const Config& config);
[[nodiscard]] json to_json(const PretrainConfig& config);

/// Those keys of a config, sections ("phase1") or dotted ("prompts.length"), each where it is in the whole. Throws
/// Error for one that does not exist.
[[nodiscard]] json picked(const Config& config, const std::vector<std::string>& keys);

/// Every key that a config may have, dotted ("phase1.epochs"), in the order of the struct.
[[nodiscard]] std::vector<std::string> config_keys();

}  // namespace ltad
