#include "daemon/cli/printable.h"

#include <doctest/doctest.h>

using leat::cli::printable;

TEST_CASE("text is shown as it is, and nothing in it reaches the terminal as a control") {
  CHECK(printable("21.5 °C, 温度, 😀") == "21.5 °C, 温度, 😀");
  CHECK(printable("a\tb\r\nc\\") == "a\\tb\\r\\nc\\\\");
  CHECK(printable("\x1b[2J\x7f") == "\\x1b[2J\\x7f");
  CHECK(printable(std::string_view("\0x", 2)) == "\\x00x");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");  // A control of C1: some terminals take it for ESC [.
}

TEST_CASE("bytes that are no UTF-8 are escaped one by one") {
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");           // Overlong.
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // A surrogate.
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xe6\xb8") == "\\xe6\\xb8");  // Cut in the midst of a character.
}
