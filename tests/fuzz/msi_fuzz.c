/* SPDX-License-Identifier: MIT */
#include "loader/identity/msi.h"
#include "tests/fuzz/identity_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_format(msi_read, data, size);
}
