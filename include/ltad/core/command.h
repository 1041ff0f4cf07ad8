#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace ltad {

/// "0.1.0", as `--version` prints it.
[[nodiscard]] std::string version();
/// The commit the program was built from, or "unknown".
[[nodiscard]] std::string git_revision();

/// A command's whole life: parses the arguments, runs `body`, and turns every exception into one line on stderr.
/// Returns the exit status: 0 done, 1 failed (data, disk, a corrupt file), 2 the command line or config is wrong,
/// 130 interrupted after saving.
int run_command(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace ltad
