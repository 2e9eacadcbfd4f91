// The one main function of all test programs; compiled once, as doctest's implementation is large.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
