#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

namespace ltad {

/// Makes a folder whole or not at all: `write` fills one beside the final name, which it then gets. Returns the final
/// path. Throws UsageError for an empty name, Error when `out` is there and not an empty folder, and what `write` does.
std::filesystem::path make_folder(const std::filesystem::path& out,
                                  const std::function<void(const std::filesystem::path&)>& write);

/// Calls draw(i) for each of `count` pictures, spread over the cores, with progress. The first exception, or a Ctrl-C,
/// stops them all and is thrown again.
void draw_all(std::size_t count, const std::function<void(std::size_t)>& draw);

}  // namespace ltad
