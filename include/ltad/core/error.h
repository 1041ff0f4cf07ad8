#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace ltad {

/// Something in the world is wrong: data, disk, a corrupt file. A command that meets it exits with status 1.
/// The message names the file or key, what was found, what was expected and what to do.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The command line or the config is wrong. A command that meets it exits with status 2.
class UsageError : public Error {
public:
    using Error::Error;
};

/// The user pressed Ctrl-C (or a signal asked as much), and the work was saved. A command that meets it exits with
/// status 130, as shells expect.
class Interrupted : public Error {
public:
    using Error::Error;
};

/// Joins anything that can be streamed: `text("found ", n, " of ", total)`.
template <typename... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

/// Throws Error with the parts joined as by `text`.
template <typename... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    throw Error(text(parts...));
}

}  // namespace ltad
