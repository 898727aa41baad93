/* SPDX-License-Identifier: MIT */
/* Package databases: the first byte says which file of which database the rest is. */
#include "loader/identity/package.h"

#include "tests/fuzz/identity_fuzz.h"

static void text_add(struct package_table *table, const char *text, size_t len)
{
	size_t half = len / 2;

	package_alias(table, "/bin", "/usr/bin");
	package_alias(table, "/loop", "/loop/loop");
	if (package_diversions(table, text, half))
		return;
	(void)package_add_list(table, "one:amd64", text, len);
	(void)package_add_list(table, "two", text + half, len - half);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_table *table = NULL;
	const char *names[4];
	uint8_t *copy;
	size_t i, count;

	if (!size)
		return 0;
	copy = malloc(size);
	FUZZ_CHECK(copy && !package_new(&table));
	memcpy(copy, data + 1, size - 1);
	switch (*data % 3) {
	case 0:
		text_add(table, (const char *)copy, size - 1);
		break;
	case 1:
		(void)package_add_header(table, copy, size - 1);
		break;
	case 2:
		(void)package_add_rpmdb(table, copy, size - 1);
		break;
	}
	FUZZ_CHECK(!package_seal(table));
	count = package_owners(table, "/usr/bin/a", names, 4);
	for (i = 0; i < count && i < 4; i++)
		FUZZ_CHECK(strlen(names[i]) < size + 4);
	for (i = 0; package_name(table, i); i++)
		;
	package_free(table);
	free(copy);
	return 0;
}
