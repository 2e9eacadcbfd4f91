# How Leat is compiled: the language, the warnings, the sanitizers, and the functions by which each folder
# declares its library and its tests, and what of it is compiled for size.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
# 64-bit time everywhere, on 32-bit machines too.
add_compile_definitions(_TIME_BITS=64 _FILE_OFFSET_BITS=64)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

option(LEAT_WERROR "Treat warnings as errors" ON)
option(LEAT_FAULT_POINTS "Let LEAT_FAULT=NAME kill the process at a fault point (for tests; never shipped)" OFF)
option(LEAT_FUZZ "Build the programs of tests/fuzz with libFuzzer, and no other tests (needs clang)" OFF)
set(LEAT_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")

find_program(LEAT_CCACHE ccache)
if(LEAT_CCACHE)
  # ccache takes a precompiled header by its contents when it is told that __TIME__ and macros do not matter to it.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime CCACHE_PCH_EXTSUM=1
    ${LEAT_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${LEAT_CCACHE})
endif()

add_library(leat_flags INTERFACE)
target_include_directories(leat_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(leat_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wno-missing-field-initializers)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  # The compiler only tells that arguments were passed in another way before its version 7.
  target_compile_options(leat_flags INTERFACE -Wno-psabi)
endif()
if(LEAT_WERROR)
  target_compile_options(leat_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(leat_flags INTERFACE -Wthread-safety -Wno-sign-conversion)
endif()
if(LEAT_FAULT_POINTS)
  target_compile_definitions(leat_flags INTERFACE LEAT_FAULT_POINTS)
endif()
if(LEAT_SANITIZE)
  add_compile_options(-fsanitize=${LEAT_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LEAT_SANITIZE})
  # With sanitizers the programs are of hundreds of megabytes: binutils takes minutes for all of them.
  find_program(LEAT_MOLD mold)
  if(LEAT_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
  # GCC's flow analysis sees paths that only exist in instrumented code; the release build keeps the warning.
  target_compile_options(leat_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# leat_library(NAME SOURCES a.cc b.cc [DEPENDS lib ...]): the static library of one folder.
function(leat_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC leat_flags ${ARG_DEPENDS})
  leat_precompile(${name})
endfunction()

# leat_small(NAME): what runs once, or at a person's pace, takes half the room at the same use.
function(leat_small name)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -Os)
    # Headers that were precompiled for speed do not fit.
    set_target_properties(${name} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# leat_small_sources(a.cc ...): the same for some sources of this folder.
function(leat_small_sources)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -Os)
    set_property(SOURCE ${ARGN} PROPERTY SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# leat_httplib_sources(a.cc ...): the sources of this folder that include httplib.h. Its classes hold time_t, which is 32
# bits wide in Debian's build of it for 32-bit machines: there these sources see it so, too. They use it for time-outs only.
function(leat_httplib_sources)
  if(CMAKE_SIZEOF_VOID_P EQUAL 4)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -U_TIME_BITS)
    set_property(SOURCE ${ARGN} PROPERTY SKIP_PRECOMPILE_HEADERS ON)  # They are of the other width.
  endif()
endfunction()

# leat_test(NAME SOURCES a_test.cc [DEPENDS lib ...]): one doctest program, one CTest test.
function(leat_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE leat_doctest_main leat_flags ${ARG_DEPENDS})
  leat_precompile(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(ARG_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  endif()
  set(timeout 300)
  if(LEAT_SANITIZE MATCHES "thread" OR CMAKE_CROSSCOMPILING)  # ten times as slow, emulated too
    set(timeout 900)
  endif()
  # Half a processor each, and this one computes: tests/README.md.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} PROCESSORS 2)
endfunction()
