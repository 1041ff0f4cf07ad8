#pragma once

#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "ltad/config/load.h"
#include "ltad/core/json.h"
#include "ltad/repro/command.h"
#include "support/tiny_run.h"

namespace ltad::test {

/// ltad-repro on a tiny data set.
class Repro : public ::testing::Test {
protected:
    Repro() {
        json config = to_json(tiny.open().config());
        config.erase("output");
        config["name"] = "tiny";
        write_json(tiny / "config.json", config);
    }

    [[nodiscard]] ReproCommand command(const std::string& table) const {
        return {.table = table, .config = tiny / "config.json", .out = tiny / "repro"};
    }
    [[nodiscard]] static std::string printed(const ReproCommand& command) {
        std::ostringstream out;
        reproduce(command, out, false);
        return out.str();
    }
    [[nodiscard]] json document(const std::string& table) const {
        return read_json(tiny / ("repro/" + table + ".json"));
    }

    const TinyRun tiny;
};

}  // namespace ltad::test
