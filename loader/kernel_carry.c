// SPDX-License-Identifier: MIT
/*
 * Keys that certificate rules have got since they were compiled: of certificates which a controller
 * saw, and the next one has not seen yet. Where it puts the same policy into force, they go over from
 * one generation to the next, so that what was refused stays so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "loader/kernel_internal.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define BATCH 4096u

static bool of_certificate(const struct debar_key *key)
{
	return key->kind >= DEBAR_KEY_CERT_LEAF && key->kind <= DEBAR_KEY_CERT_KEYID;
}

static bool same_policy(struct kernel *kernel, const struct policy_tables *tables)
{
	struct debar_head head;

	return kernel->state->generation && tables->head.flags & DEBAR_POLICY_DERIVED &&
	       !kernel_head(kernel, &head) &&
	       !memcmp(head.digest, tables->head.digest, sizeof(head.digest));
}

static int add(struct kernel_carried *carried, const struct debar_key *key,
	       const struct debar_match *match)
{
	struct kernel_carried_key *list =
		reallocarray(carried->list, carried->count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	carried->list = list;
	list[carried->count++] = (struct kernel_carried_key){ *key, *match };
	return 0;
}

static int read_keys(int map, struct kernel_carried *carried)
{
	cleanup(cleanup_free) struct debar_key *keys = calloc(BATCH, sizeof(*keys));
	cleanup(cleanup_free) struct debar_match *matches = calloc(BATCH, sizeof(*matches));
	__u32 at = 0, count;
	int err = keys && matches ? 0 : -ENOMEM, end = 0;

	for (void *from = NULL; !err && !end; from = &at) {
		count = BATCH;
		if (bpf_map_lookup_batch(map, from, &at, keys, matches, &count, NULL))
			end = errno;
		if (end && end != ENOENT)
			return -end;
		for (__u32 i = 0; !err && i < count; i++)
			if (of_certificate(&keys[i]))
				err = add(carried, &keys[i], &matches[i]);
	}
	return err;
}

int kernel_carry_read(struct kernel *kernel, const struct policy_tables *tables,
		      struct kernel_carried *ret_carried)
{
	cleanup(cleanup_fd) int map = -1;

	*ret_carried = (struct kernel_carried){};
	if (!same_policy(kernel, tables))
		return 0;
	map = kernel_inner(kernel, "debar_keys");
	return map < 0 ? map : read_keys(map, ret_carried);
}

/* What the tables have already stays as they have it. */
int kernel_carry_write(int map, const struct kernel_carried *carried)
{
	for (size_t i = 0; i < carried->count; i++)
		if (bpf_map_update_elem(map, &carried->list[i].key, &carried->list[i].match,
					BPF_NOEXIST) &&
		    errno != EEXIST)
			return -errno;
	return 0;
}

void kernel_carried_release(struct kernel_carried *carried)
{
	free(carried->list);
}
