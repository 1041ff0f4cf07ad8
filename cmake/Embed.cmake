# ltad_embed(TARGET FILE NAME) builds a file of the source tree into a library, so that an installed command needs no
# folder of data beside it. The code declares it where it is used:
#   namespace ltad::embedded { std::string_view NAME(); }
function(ltad_embed target file name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
  file(READ ${PROJECT_SOURCE_DIR}/${file} bytes HEX)
  string(LENGTH "${bytes}" size)
  math(EXPR size "${size} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  # Lines of 25 bytes: a literal in pieces, which no editor or diff chokes on.
  string(REPEAT . 100 line)
  string(REGEX REPLACE "(${line})" "\\1\"\n    \"" bytes "${bytes}")
  set(source ${PROJECT_BINARY_DIR}/embedded/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
// From @file@.
#include <string_view>

namespace ltad::embedded {

std::string_view @name@() {
    return {"@bytes@", @size@};
}

}  // namespace ltad::embedded
]])
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
