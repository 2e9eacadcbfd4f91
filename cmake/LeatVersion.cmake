# LEAT_SOURCE_SECONDS: when these sources were last changed, in seconds since 1970: SOURCE_DATE_EPOCH if it is set, else the
# time of the last commit, else the start of today (sources without git). Never the clock of the build where it can be
# helped: two builds of one commit are the same bytes.

if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(LEAT_SOURCE_SECONDS $ENV{SOURCE_DATE_EPOCH})
else()
  execute_process(
    COMMAND git -c safe.directory=* -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct
    OUTPUT_VARIABLE LEAT_SOURCE_SECONDS OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT LEAT_SOURCE_SECONDS MATCHES "^[0-9]+$")
  string(TIMESTAMP LEAT_SOURCE_SECONDS "%s" UTC)
  math(EXPR LEAT_SOURCE_SECONDS "${LEAT_SOURCE_SECONDS} / 86400 * 86400")
endif()
# For the program, which only needs a bound: by the day, so that a commit does not build anew what includes it.
math(EXPR LEAT_BUILD_SECONDS "${LEAT_SOURCE_SECONDS} / 86400 * 86400")
