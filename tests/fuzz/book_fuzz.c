/* SPDX-License-Identifier: MIT */
/* Any bytes as a rule book: it may have been damaged on disk, or be another version's. */
#include <stdint.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_rule_info rule;
	struct policy_book *book;

	if (policy_book_read((const char *)data, size, &book))
		return 0;
	for (uint32_t i = 0; i < 8; i++)
		(void)policy_book_rule(book, i, &rule);
	for (size_t i = 0; i < policy_book_ban_count(book); i++)
		(void)policy_book_ban(book, i);
	policy_book_free(book);
	return 0;
}
