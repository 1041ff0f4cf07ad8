#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ltad::test {

inline std::string slurp(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What a command did.
struct Outcome {
    int status = -1;  ///< exit status, or 128 + the signal that ended it
    std::string out;
    std::string err;
};

/// How a command is run.
struct RunOptions {
    std::filesystem::path folder;               ///< working folder
    std::chrono::milliseconds signal_after{0};  ///< 0: never
    int signal = SIGKILL;
    std::uint64_t largest_file = 0;  ///< bytes a file may have, as on a full disk; 0: no limit
};

/// Runs one of ltad's commands and waits for it.
inline Outcome run(const std::string& command, const std::vector<std::string>& arguments, const RunOptions& options) {
    static int count = 0;
    const auto base = std::filesystem::temp_directory_path() /
                      ("ltad-run-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    const std::string out_file = base.string() + ".out";
    const std::string err_file = base.string() + ".err";
    const std::string program = std::string(LTAD_BIN) + "/" + command;
    std::vector<std::string> words{command};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    const pid_t child = ::fork();
    if (child == 0) {
        if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
        ::dup2(::open(out_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
        ::dup2(::open(err_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
        if (options.largest_file > 0) {
            std::signal(SIGXFSZ, SIG_IGN);  // so that write() fails, as on a full disk
            const rlimit limit{options.largest_file, options.largest_file};
            ::setrlimit(RLIMIT_FSIZE, &limit);
        }
        ::execv(program.c_str(), argv.data());
        ::_exit(127);
    }
    int state = 0;
    if (options.signal_after.count() > 0) {
        std::this_thread::sleep_for(options.signal_after);
        if (::waitpid(child, &state, WNOHANG) == 0) {
            ::kill(child, options.signal);
            ::waitpid(child, &state, 0);
        }
    } else {
        ::waitpid(child, &state, 0);
    }
    Outcome outcome{WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), slurp(out_file), slurp(err_file)};
    std::filesystem::remove(out_file);
    std::filesystem::remove(err_file);
    return outcome;
}

}  // namespace ltad::test
