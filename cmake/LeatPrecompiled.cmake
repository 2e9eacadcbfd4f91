# The precompiled headers: parsing the standard library is half of the compile time. They are the standard library's and
# fmt's only; our own headers change too often, and each must include what it uses.
#
# On in all presets but release, and in the release of tests/run without --all. When it optimises, GCC 12 forgets that a
# precompiled header is a system header and warns of its own library: with precompiled headers those warnings are off. The
# release build has them, and finds what does not include what it uses.

option(LEAT_PRECOMPILE "Precompile the headers that most sources include" OFF)

if(LEAT_PRECOMPILE)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
  add_library(leat_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  target_precompile_headers(leat_precompiled PRIVATE
    <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <cstdint> <filesystem> <functional> <limits> <map> <memory>
    <mutex> <optional> <set> <span>
    <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>
    <fmt/format.h>)
  # What decides whether a precompiled header fits: the same for all targets.
  add_library(leat_precompile_flags INTERFACE)
  target_compile_options(leat_precompile_flags INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> -pthread
    "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  if(LEAT_WERROR AND (CMAKE_BUILD_TYPE STREQUAL "Release" OR LEAT_SANITIZE STREQUAL "thread"))
    target_compile_options(leat_precompile_flags INTERFACE
      -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-maybe-uninitialized)
  endif()
  target_link_libraries(leat_precompile_flags INTERFACE leat_flags fmt::fmt)
  target_link_libraries(leat_precompiled PRIVATE leat_precompile_flags)
endif()

# leat_precompile(NAME): lets the sources of a target start from the precompiled headers.
function(leat_precompile name)
  if(LEAT_PRECOMPILE)
    target_link_libraries(${name} PRIVATE leat_precompile_flags)
    target_precompile_headers(${name} REUSE_FROM leat_precompiled)
  endif()
endfunction()
