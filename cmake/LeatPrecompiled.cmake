# The precompiled headers: parsing the standard library is half of the compile time. They are the standard library's and
# fmt's only; our own headers change too often, and each must include what it uses.
#
# On in all presets but release, and in the release of tests/run without --all. When it optimises, GCC 12 forgets that a
# precompiled header is a system header and warns of its own library: with precompiled headers those warnings are off. The
# release build has them, and finds what does not include what it uses.

option(LEAT_PRECOMPILE "Precompile the headers that most sources include" OFF)
# Clang refuses them in what is compiled for size, and the way below needs Ninja.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND (CMAKE_BUILD_TYPE STREQUAL "Release" OR NOT CMAKE_GENERATOR MATCHES "Ninja"))
  set(LEAT_PRECOMPILE OFF)
endif()

if(LEAT_PRECOMPILE)
  set(headers
    algorithm array atomic charconv chrono cmath cstdint filesystem functional limits map memory mutex optional set span
    string string_view thread unordered_map utility variant vector fmt/format.h)
  # What decides whether a precompiled header fits: the same for all targets.
  add_library(leat_precompile_flags INTERFACE)
  target_compile_options(leat_precompile_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> -pthread)
  if(LEAT_WERROR AND (CMAKE_BUILD_TYPE STREQUAL "Release" OR LEAT_SANITIZE STREQUAL "thread"))
    target_compile_options(leat_precompile_flags INTERFACE
      -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-maybe-uninitialized)
  endif()
  target_link_libraries(leat_precompile_flags INTERFACE leat_flags fmt::fmt)
  list(TRANSFORM headers REPLACE "(.+)" "<\\1>" OUTPUT_VARIABLE includes)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Clang writes the build folder's path into a precompiled header, and CMake into the arguments of all that start from it:
    # the compiler cache would serve no other checkout. So the path is relative (to where Ninja compiles), and ccache takes the
    # header by a checksum beside it, of its text by the same flags. Both libraries are one file each, and not from the cache.
    list(TRANSFORM includes REPLACE "(.+)" "#include \\1\n" OUTPUT_VARIABLE lines)
    string(JOIN "" text ${lines})
    file(CONFIGURE OUTPUT precompiled.cc CONTENT "${text}")
    add_library(leat_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
    target_compile_options(leat_precompiled PRIVATE -x c++-header -fpch-instantiate-templates -Xclang -fno-pch-timestamp)
    add_library(leat_precompiled_text OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
    target_compile_options(leat_precompiled_text PRIVATE -E -dD -P)
    target_link_libraries(leat_precompiled_text PRIVATE leat_precompile_flags)
    set_target_properties(leat_precompiled leat_precompiled_text PROPERTIES CXX_COMPILER_LAUNCHER "")
    # By its ending ccache knows a precompiled header.
    set(leat_precompiled_sum ${CMAKE_BINARY_DIR}/precompiled.pch.sum)
    add_custom_command(OUTPUT ${leat_precompiled_sum} BYPRODUCTS precompiled.pch
      COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_OBJECTS:leat_precompiled> precompiled.pch
      COMMAND ${CMAKE_COMMAND} -E sha256sum CMakeFiles/leat_precompiled_text.dir/precompiled.cc.o > ${leat_precompiled_sum}
      DEPENDS $<TARGET_OBJECTS:leat_precompiled> $<TARGET_OBJECTS:leat_precompiled_text>
      WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
    add_custom_target(leat_precompiled_checked DEPENDS ${leat_precompiled_sum})
  else()
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
    add_library(leat_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
    target_precompile_headers(leat_precompiled PRIVATE ${includes})
    if(LEAT_CCACHE)
      # A header that is there already would be hashed into the next one, which the compiler cache would then not know, nor any
      # object that starts from it.
      set(leat_precompiled_header CMakeFiles/leat_precompiled.dir/cmake_pch.hxx.gch)
      set_target_properties(leat_precompiled PROPERTIES CXX_COMPILER_LAUNCHER
        "sh;-c;expr \"$*\" : '.* c++-header ' >/dev/null && rm -f ${leat_precompiled_header} || true && exec \"$@\";sh;${CMAKE_CXX_COMPILER_LAUNCHER}")
    endif()
  endif()
  target_link_libraries(leat_precompiled PRIVATE leat_precompile_flags)
endif()

# leat_precompile(NAME): lets the sources of a target start from the precompiled headers.
function(leat_precompile name)
  if(NOT LEAT_PRECOMPILE)
    return()
  endif()
  target_link_libraries(${name} PRIVATE leat_precompile_flags)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_precompile_headers(${name} REUSE_FROM leat_precompiled)
    return()
  endif()
  target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include-pch precompiled.pch>")
  get_target_property(sources ${name} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${leat_precompiled_sum})
  add_dependencies(${name} leat_precompiled_checked)
endfunction()
