// SPDX-License-Identifier: MIT
/*
 * A stream of HTTP: whatever pieces it comes in, the same names are found.
 */
#define STREAM_UNDER_TEST STREAM_HTTP
#include "tests/fuzz/stream_fuzz.h"
