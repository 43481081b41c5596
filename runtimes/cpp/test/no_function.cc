// SPDX-License-Identifier: Apache-2.0
// A shared object without a function in it.
extern "C" int answer() { return 42; }
