/* SPDX-License-Identifier: MIT */
#include "loader/identity/pe.h"
#include "tests/fuzz/identity_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_format(pe_read, data, size);
}
