/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/identity_fuzz.h"

/* Compressed or not, by the first bytes: the way a module comes in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_read(data, size);
}
