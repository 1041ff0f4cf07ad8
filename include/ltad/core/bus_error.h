#pragma once

#include <cstddef>
#include <string>

namespace ltad {

/// From now on a page of a mapped file that cannot be read (another program has shortened the file, or its disk fails:
/// SIGBUS) ends the process with a line on stderr that names the file, and exit status 1.
void name_unreadable_mappings();

/// Says which file some mapped bytes are of, until they are forgotten; by several threads at once.
void remember_mapping(const void* begin, std::size_t size, const std::string& path);
void forget_mapping(const void* begin);

}  // namespace ltad
