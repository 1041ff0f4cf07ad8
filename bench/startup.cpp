// How soon the commands answer: as processes, beside one that only loads LibTorch.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "ltad/core/error.h"
#include "work.h"

namespace ltad::bench {
namespace {

/// Runs a program of this one's folder, its output thrown away. Throws Error when it ends with another status.
void run_program(std::vector<std::string> words, int expected_status) {
    words.front() = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / words.front()).string();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
    pid_t process = 0;
    const int failed = posix_spawn(&process, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (failed != 0 || waitpid(process, &status, 0) != process) fail(words.front(), ": cannot be started");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected_status)
        fail(words.front(), ": its status is not ", expected_status);
}

Variant program(const std::string& name, const std::vector<std::string>& words, int expected_status) {
    return {name, [=] { return [=] { run_program(words, expected_status); }; }, {}};
}

Work start(const std::string& name, const std::vector<std::string>& words, int expected_status) {
    return {.name = "start: " + name,
            .unit = "starts",
            .variants = {program("plain", {"ltad_bare_libtorch"}, 0), program("ours", words, expected_status)},
            .threads = {1}};
}

}  // namespace

std::vector<Work> startup_works() {
    constexpr int fine = 0, usage = 2;
    const std::string config = "--config=/dev/null", key = "--set=no_such_key=1";
    std::vector<Work> works;
    for (const std::string command : {"ltad-synth", "ltad-split", "ltad-train", "ltad-eval", "ltad-pretrain"})
        works.push_back(start(command + " --help", {command, "--help"}, fine));
    works.push_back(start("a wrong option of ltad-synth", {"ltad-synth", "--out=/dev/null/x", "--classes=0"}, usage));
    works.push_back(start("a wrong config of ltad-split", {"ltad-split", "make", config, key, "--out=x"}, usage));
    works.push_back(start("a wrong config of ltad-train", {"ltad-train", "phase1", config, key}, usage));
    works.push_back(start("a wrong config of ltad-eval", {"ltad-eval", config, key}, usage));
    works.push_back(start("a wrong config of ltad-pretrain", {"ltad-pretrain", "probe", config, key}, usage));
    return works;
}

}  // namespace ltad::bench
