# ltad::torch, the parts of LibTorch that are used: its headers and two of its libraries, from a CPU or a CUDA build of
# any origin; and ltad::openmp, the OpenMP that it runs on. LibTorch's own CMake package is not asked: that of a CUDA
# build wants a whole CUDA toolkit. Also installed: the package of ltad reads it.
#
# Looked for where CMAKE_PREFIX_PATH, Torch_ROOT or Torch_DIR say (LibTorch's folder or a share/cmake in it), then in
# ltad_torch_hints, then in the system. Sets LTAD_TORCH_LIBRARY_DIR, LTAD_TORCH_VERSION, LTAD_TORCH_CUDA (whether its CUDA
# part is linked) and LTAD_TORCH_PROBLEM, which is empty or says why there is no ltad::torch.
if(TARGET ltad::torch)
  return()
endif()
set(LTAD_CUDA AUTO CACHE STRING "Link LibTorch's CUDA part: ON, OFF, or AUTO (where all that it needs is there)")
set_property(CACHE LTAD_CUDA PROPERTY STRINGS AUTO ON OFF)

# LibTorch's folders by the user's variables, whatever part of it those name.
function(ltad_torch_named result)
  set(named)
  foreach(variable CMAKE_PREFIX_PATH Torch_ROOT Torch_DIR)
    string(REPLACE ":" ";" environment "$ENV{${variable}}")
    list(APPEND named ${${variable}} ${environment})
  endforeach()
  list(TRANSFORM named REPLACE "/+$" "")
  list(TRANSFORM named REPLACE "/share/cmake(/Torch)?$" "")
  set(${result} ${named} PARENT_SCOPE)
endfunction()

# The version that the headers in a folder give, or nothing.
function(ltad_torch_version include result)
  set(version)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS ${include}/${header})
      file(STRINGS ${include}/${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
      list(JOIN numbers . version)
    endif()
    if(version)
      break()
    endif()
  endforeach()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# Whether a program with ltad::torch and these libraries links: `complaint` becomes empty, or the linker's first one. It
# notices libraries that are damaged, of another machine, or whose own dependencies are missing. A yes is kept until
# LibTorch changes: asking takes seconds.
function(ltad_torch_links complaint)
  file(TIMESTAMP ${LTAD_TORCH_LIBRARY_DIR}/libtorch_cpu.so stamp)
  string(MD5 key "${LTAD_TORCH_LIBRARY_DIR} ${LTAD_TORCH_VERSION} ${stamp} ${ARGN}")
  set(line)
  if(NOT LTAD_TORCH_LINKED_${key})
    try_compile(linked SOURCE_FROM_CONTENT torch.cpp [[
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
int main() { TORCH_CHECK(at::get_num_threads() > 0, "threads"); }
]] LINK_LIBRARIES ltad::torch ${ARGN} CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON OUTPUT_VARIABLE output NO_CACHE)
    if(linked)
      set(LTAD_TORCH_LINKED_${key} TRUE CACHE INTERNAL "")
    else()
      string(REPLACE "collect2: error:" "" output "${output}")  # only says that the linker failed
      string(REGEX MATCH "[^\n]*(error:|not found|undefined reference|not recognized|too short)[^\n]*" line
        "${output}\nerror: it does not link")
    endif()
  endif()
  set(${complaint} "${line}" PARENT_SCOPE)
endfunction()

# Sets `problem`, empty or not, and where all is well what the file's head promises; makes the target.
function(ltad_torch_find problem)
  ltad_torch_named(named)
  find_library(library torch_cpu HINTS ${named} ${ltad_torch_hints} PATH_SUFFIXES lib NO_CACHE)
  if(NOT library)
    set(${problem} "LibTorch >= 2.6 was not found." PARENT_SCOPE)
    return()
  endif()
  cmake_path(GET library PARENT_PATH folder)
  find_path(include ATen/ATen.h HINTS ${folder}/../include ${folder}/../../include NO_DEFAULT_PATH NO_CACHE)
  if(NOT include OR NOT EXISTS ${folder}/libc10.so)
    set(${problem} "The LibTorch in ${folder} is incomplete: its headers or libc10.so are not there." PARENT_SCOPE)
    return()
  endif()
  ltad_torch_version(${include} version)
  if(NOT version VERSION_GREATER_EQUAL 2.6)
    set(${problem} "The LibTorch in ${folder} is version ${version}; 2.6 or newer is needed." PARENT_SCOPE)
    return()
  endif()
  # std::string in an exported name: the C++ ABI that the system's OpenCV and spdlog have as well.
  file(STRINGS ${folder}/libc10.so new_abi REGEX "3c10.*__cxx11" LIMIT_COUNT 1)
  if(NOT new_abi)
    set(${problem} "The LibTorch in ${folder} was built for the old C++ ABI, which no other library here has; \
take a build for the new one (_GLIBCXX_USE_CXX11_ABI=1, all from 2.7 on)." PARENT_SCOPE)
    return()
  endif()

  set(LTAD_TORCH_LIBRARY_DIR ${folder})
  set(LTAD_TORCH_VERSION ${version})
  add_library(ltad::torch INTERFACE IMPORTED)
  target_include_directories(ltad::torch INTERFACE ${include} ${include}/torch/csrc/api/include)
  target_compile_definitions(ltad::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(ltad::torch INTERFACE ${library} ${folder}/libc10.so)
  ltad_torch_links(complaint)
  if(complaint)
    set(${problem} "The LibTorch in ${folder} cannot be used (${complaint})." PARENT_SCOPE)
    return()
  endif()
  set(LTAD_TORCH_LIBRARY_DIR ${folder} PARENT_SCOPE)
  set(LTAD_TORCH_VERSION ${version} PARENT_SCOPE)
  set(${problem} "" PARENT_SCOPE)
endfunction()

# The CUDA part registers itself when it is loaded and nothing refers to it, so the linker is told to keep it.
function(ltad_torch_add_cuda problem)
  set(cuda ${LTAD_TORCH_LIBRARY_DIR}/libtorch_cuda.so ${LTAD_TORCH_LIBRARY_DIR}/libc10_cuda.so)
  set(complaint "it is a build without CUDA")
  if(EXISTS ${LTAD_TORCH_LIBRARY_DIR}/libtorch_cuda.so)
    ltad_torch_links(complaint -Wl,--no-as-needed ${cuda})
    if(NOT complaint)
      target_link_options(ltad::torch INTERFACE LINKER:--no-as-needed)
      target_link_libraries(ltad::torch INTERFACE ${cuda})
    elseif(LTAD_CUDA STREQUAL AUTO)
      message(STATUS "LibTorch's CUDA part is left out (${complaint}); scripts/setup.sh --cuda brings what it needs")
    endif()
  endif()
  set(${problem} "${complaint}" PARENT_SCOPE)
endfunction()

# at::parallel_for is a header: without OpenMP in our code it would run our loops on one thread. A LibTorch that brings
# libgomp (maybe under another name) is to share it with us: two in one process would compete for the cores.
function(ltad_torch_add_openmp)
  add_library(ltad::openmp INTERFACE IMPORTED)
  file(GLOB bundled ${LTAD_TORCH_LIBRARY_DIR}/libgomp*.so*)
  if(bundled AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    list(GET bundled 0 bundled)
    target_compile_options(ltad::openmp INTERFACE ${OpenMP_CXX_FLAGS})
    target_link_libraries(ltad::openmp INTERFACE ${bundled})
  else()
    target_link_libraries(ltad::openmp INTERFACE OpenMP::OpenMP_CXX)
  endif()
endfunction()

set(LTAD_TORCH_CUDA OFF)
ltad_torch_find(LTAD_TORCH_PROBLEM)
if(LTAD_TORCH_PROBLEM)
  string(APPEND LTAD_TORCH_PROBLEM " Run scripts/setup.sh of ltad, or unpack a LibTorch >= 2.6 and configure with "
    "-DCMAKE_PREFIX_PATH=/path/to/libtorch")
elseif(LTAD_CUDA)
  ltad_torch_add_cuda(complaint)
  if(NOT complaint)
    set(LTAD_TORCH_CUDA ON)
  elseif(NOT LTAD_CUDA STREQUAL AUTO)
    set(LTAD_TORCH_PROBLEM "LTAD_CUDA is ${LTAD_CUDA}, but the LibTorch in ${LTAD_TORCH_LIBRARY_DIR} cannot give CUDA: \
${complaint}. scripts/setup.sh --cuda brings a LibTorch with CUDA and all that it needs.")
  endif()
endif()
if(NOT LTAD_TORCH_PROBLEM)
  ltad_torch_add_openmp()
endif()
