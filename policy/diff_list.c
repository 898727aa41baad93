/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/diff.h"

/* A value by reference, ordered by its bytes. */
struct reference {
	const uint8_t *bytes;
	size_t len;
	uint8_t flags;
};

static int compare(const void *a, const void *b)
{
	const struct reference *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	if (order)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (int)x->flags - (int)y->flags;
}

static struct reference *sorted(const struct policy *policy, const struct range *range)
{
	struct reference *all = reallocarray(NULL, range->entries + 1, sizeof(*all));

	if (!all)
		return NULL;
	for (uint32_t i = 0; i < range->entries; i++) {
		const struct rule_value *value = &policy->rules[range->first + i].value;

		all[i] = (struct reference){ model_bytes(policy, value), value->len, value->flags };
	}
	qsort(all, range->entries, sizeof(*all), compare);
	return all;
}

int diff_lists(const struct policy *before, const struct range *old, const struct policy *after,
	       const struct range *now, size_t *ret_added, size_t *ret_removed)
{
	cleanup(cleanup_free) struct reference *a = sorted(before, old);
	cleanup(cleanup_free) struct reference *b = sorted(after, now);
	size_t i = 0, j = 0, added = 0, removed = 0;

	if (!a || !b)
		return -ENOMEM;
	while (i < old->entries || j < now->entries) {
		int order = i == old->entries ? 1 : j == now->entries ? -1 : compare(&a[i], &b[j]);

		removed += order < 0;
		added += order > 0;
		i += order <= 0;
		j += order >= 0;
	}
	*ret_added = added;
	*ret_removed = removed;
	return 0;
}
