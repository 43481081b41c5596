// SPDX-License-Identifier: Apache-2.0
#include "nuctl/table.h"

#include <gtest/gtest.h>

namespace nuclio::nuctl {
namespace {

TEST(Table, AlignsItsColumnsAndCapitalisesItsTitles) {
  Table table{{"Namespace", "Name", "State"}};
  table.add({"nuclio", "grüße", "ready"});
  table.add({"nuclio", "a", ""});
  EXPECT_EQ(table.text(),
            "  NAMESPACE | NAME  | STATE\n"
            "  nuclio    | grüße | ready\n"
            "  nuclio    | a     |\n");
}

}  // namespace
}  // namespace nuclio::nuctl
