#pragma once

#include <string>

#include "ltad/core/error.h"
#include "ltad/core/json.h"

namespace ltad {

/// Sets `value` from a model config's key, where it is there and not null. Throws Error naming file and key.
template <typename T>
void read_key(const json& config, const char* key, T& value, const std::string& where) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) return;
    try {
        value = found->get<T>();
    } catch (const json::exception&) {
        fail(where, ": ", key, ": ", found->dump(), " is not of the expected type");
    }
}

}  // namespace ltad
