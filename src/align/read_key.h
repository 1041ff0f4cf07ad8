#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ltad/core/error.h"
#include "ltad/core/json.h"

namespace ltad {

/// Whether a JSON value is a T as it stands: no fraction cut off, no element left out.
inline bool is_exactly(const json& value, const std::string&) { return value.is_string(); }
inline bool is_exactly(const json& value, bool) { return value.is_boolean(); }
inline bool is_exactly(const json& value, double) { return value.is_number(); }
inline bool is_exactly(const json& value, std::int64_t) { return value.is_number_integer(); }
inline bool is_exactly(const json& value, const std::vector<std::int64_t>&) {
    return value.is_array() &&
           std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_number_integer(); });
}
inline bool is_exactly(const json& value, const std::array<double, 3>&) {
    return value.is_array() && value.size() == 3 &&
           std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_number(); });
}

/// Sets `value` from a model config's key, where it is there and not null. Throws Error naming file and key.
template <typename T>
void read_key(const json& config, const char* key, T& value, const std::string& where) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) return;
    if (!is_exactly(*found, value)) fail(where, ": ", key, ": ", found->dump(), " is not of the expected type");
    value = found->get<T>();
}

/// The same, where the key's absence means something of its own.
template <typename T>
void read_key(const json& config, const char* key, std::optional<T>& value, const std::string& where) {
    T there{};
    if (config.find(key) == config.end() || config[key].is_null()) return;
    read_key(config, key, there, where);
    value = there;
}

}  // namespace ltad
