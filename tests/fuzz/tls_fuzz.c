// SPDX-License-Identifier: MIT
/*
 * A stream of TLS: whatever pieces it comes in, the same names are found.
 */
#define STREAM_UNDER_TEST STREAM_TLS
#include "tests/fuzz/stream_fuzz.h"
