#include "ltad/core/command.h"

#include <fcntl.h>

#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include <CLI/CLI.hpp>

#include "ltad/core/bus_error.h"
#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/isa.h"
#include "ltad/core/json.h"
#include "ltad/core/log.h"

namespace ltad {
namespace {

/// What CLI11 leaves out when the first word is none of the subcommands.
std::string unknown_subcommand(const CLI::App& app, int argc, char** argv) {
    const auto known = app.get_subcommands([](const CLI::App*) { return true; });
    if (known.empty() || (argc > 1 && argv[1][0] == '-')) return "";
    std::string names;
    for (const CLI::App* sub : known) {
        if (argc > 1 && sub->get_name() == argv[1]) return "";
        names += (names.empty() ? "" : ", ") + sub->get_name();
    }
    return argc > 1 ? text(": '", argv[1], "' is none of ", names) : ": " + names;
}

constexpr const char* out_of_memory = "out of memory: a smaller batch_size, image_size or model needs less";

/// LibTorch's messages go on with a stack trace.
std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

/// A shell's variable that is not set must not pass for an option that is not given.
void refuse_empty_values(CLI::App& app) {
    for (CLI::Option* const option : app.get_options())
        if (option->get_items_expected_max() > 0)
            option->check(
                [](const std::string& value) { return std::string(value.empty() ? "must not be empty" : ""); });
    for (CLI::App* const sub : app.get_subcommands([](const CLI::App*) { return true; })) refuse_empty_values(*sub);
}

/// Where a standard stream is closed, the next file opened would get its number, and our words. Opened for reading, a
/// write to it fails, and is reported.
void fill_closed_descriptors() {
    for (const int descriptor : {0, 1, 2})
        if (::fcntl(descriptor, F_GETFD) == -1) (void)::open("/dev/null", O_RDONLY);
}

}  // namespace

std::string version() { return LTAD_VERSION; }
std::string git_revision() { return LTAD_GIT_REVISION; }

int run_command(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
    app.set_version_flag("--version", app.get_name() + " " + version());
    app.set_help_flag("-h,--help", "Print this help and exit");
    refuse_empty_values(app);
    fill_closed_descriptors();
    try {
        app.parse(argc, argv);
        check_isa();
        catch_interrupts();
        name_unreadable_mappings();
        body();
        // A result that could not be written to stdout (a closed pipe, a full disk) is not a success.
        if (!std::cout.flush()) fail("cannot write the results to standard output");
        return 0;
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {  // --help, --version
            (void)app.exit(error);
            if (std::cout.flush()) return 0;
            log_error("cannot write to standard output");
            return 1;
        }
        log_error(
            text(error.what(), unknown_subcommand(app, argc, argv), " (", app.get_name(), " --help shows the usage)"));
        return 2;
    } catch (const UsageError& error) {
        log_error(error.what());
        return 2;
    } catch (const Interrupted& error) {
        log_warning(error.what());
        return 130;
    } catch (const std::bad_alloc&) {
        log_error(out_of_memory);
        return 1;
    } catch (const Error& error) {
        log_error(error.what());
        return 1;
    } catch (const std::filesystem::filesystem_error& error) {
        log_error(text(error.path1().string(), ": ", error.code().message()));
        return 1;
    } catch (const std::exception& error) {
        const std::string message = first_line(words_of(error));
        const bool no_memory = message.find("can't allocate memory") != std::string::npos;  // as LibTorch says it
        log_error(no_memory ? out_of_memory : message);
        return 1;
    }
}

}  // namespace ltad
