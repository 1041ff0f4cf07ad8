#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace ltad {

/// Which files a command is going to write, so that none takes the place of what must stay (the pictures, masks and
/// lists of a data set, what is read) or of another output. To be asked before the work begins.
///
/// Files are the same where their folders are (by device and inode, whatever links lead there) and their names; what a
/// link leads to counts as well as the link.
class Outputs {
public:
    /// `what`: in messages, such as "a file of the data set".
    void keep(const std::filesystem::path& file, const std::string& what);

    /// `option`: what the folder was given with, such as "--maps out"; `source`: the file that the output is made from,
    /// if any. Throws UsageError where a file that is kept, or what is made from another source, has this place.
    void claim(const std::filesystem::path& file, const std::string& option, const std::string& source = "");

private:
    [[nodiscard]] std::string place_of(const std::filesystem::path& file);

    std::map<std::filesystem::path, std::string> folders_;  ///< what tells them apart
    std::map<std::string, std::string> kept_;               ///< place → what it is
    std::map<std::string, std::string> claimed_;            ///< place → source
};

}  // namespace ltad
