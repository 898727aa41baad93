// SPDX-License-Identifier: MIT
/*
 * A policy becomes the next generation: fill the idle slot, stamp it, publish it by one word, then
 * empty the slot that was in force. The order is the reader's, see struct debar_state.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <openssl/evp.h>

#include <bpf/bpf.h>

#include "loader/clock.h"
#include "loader/kernel.h"
#include "loader/kernel_internal.h"
#include "loader/kernel_net.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define BATCH 65536u

/* Elements that one thread puts into a map. */
struct fill {
	int map;
	const char *keys, *values;
	size_t key_size, value_size, total;
	int ret;
};

static void *fill_run(void *of)
{
	struct fill *fill = of;
	size_t done;

	for (done = 0; done < fill->total && !fill->ret;) {
		__u32 n = fill->total - done < BATCH ? fill->total - done : BATCH, count = n;

		if (bpf_map_update_batch(fill->map, fill->keys + done * fill->key_size,
					 fill->values + done * fill->value_size, &count, NULL))
			fill->ret = -errno;
		done += n;
	}
	return NULL;
}

/* A large table in two halves: the kernel locks buckets, and most of the time is spent on memory. */
static int fill_batch(int map, const void *keys, size_t key_size, const void *values,
		      size_t value_size, size_t total)
{
	size_t half = total > BATCH ? total / 2 : 0;
	struct fill first = { map, keys, values, key_size, value_size, half, 0 };
	struct fill rest = { map,
			     (const char *)keys + half * key_size,
			     (const char *)values + half * value_size,
			     key_size,
			     value_size,
			     total - half,
			     0 };
	pthread_t thread;
	bool apart = half && !pthread_create(&thread, NULL, fill_run, &first);

	fill_run(&rest);
	if (apart)
		pthread_join(thread, NULL);
	else
		fill_run(&first);
	return first.ret ? first.ret : rest.ret;
}

/* An inner map of the size it needs, hung into @slot of the outer map @name. */
static int hang_table(struct kernel *kernel, const char *name, __u32 slot, const void *keys,
		      const void *values, size_t value_size, size_t count, size_t spare,
		      int *ret_fd, struct kernel_error *reterr)
{
	cleanup(cleanup_fd) int fd = bpf_map_create(
		BPF_MAP_TYPE_HASH, name, sizeof(struct debar_key), value_size, count + spare, NULL);
	int ret;

	if (fd < 0)
		return kernel_fail(reterr, errno,
				   "the machine has too little memory for this policy",
				   "cannot create %s for %zu entries: %m", name, count);
	ret = fill_batch(fd, keys, sizeof(struct debar_key), values, value_size, count);
	if (ret)
		return kernel_fail(reterr, -ret, NULL, "cannot fill %s: %s", name, strerror(-ret));
	if (bpf_map_update_elem(kernel_map(kernel, name), &slot, &fd, BPF_ANY))
		return kernel_fail(reterr, errno, NULL, "cannot place %s: %m", name);
	if (ret_fd)
		*ret_fd = take_fd(fd);
	return 0;
}

/* A content nobody has ever seen, refused by this generation. */
static int add_canary(int keys, __u8 ret_canary[32], struct kernel_error *reterr)
{
	struct debar_key key = { .kind = DEBAR_KEY_SHA256 };
	struct debar_match match = { .rule = DEBAR_RULE_CANARY };

	if (getrandom(ret_canary, 32, 0) != 32 ||
	    !EVP_Digest(ret_canary, 32, key.value, NULL, EVP_sha256(), NULL))
		return kernel_fail(reterr, EIO, NULL, "cannot make the canary");
	if (bpf_map_update_elem(keys, &key, &match, BPF_ANY))
		return kernel_fail(reterr, errno, NULL, "cannot add the canary: %m");
	return 0;
}

static int fill_bans(struct kernel *kernel, __u32 slot, const struct policy_tables *tables,
		     struct kernel_error *reterr)
{
	static const struct debar_ban none;
	int map = kernel_map(kernel, "debar_bans");
	__u32 i, key;

	for (i = 0; i < DEBAR_BANS_MAX; i++) {
		key = slot * DEBAR_BANS_MAX + i;
		if (bpf_map_update_elem(map, &key, i < tables->ban_count ? &tables->bans[i] : &none,
					BPF_ANY))
			return kernel_fail(reterr, errno, NULL, "cannot fill debar_bans: %m");
	}
	return 0;
}

static int fill_head(struct kernel *kernel, __u32 slot, struct debar_head *head, __u32 generation,
		     struct kernel_error *reterr)
{
	head->generation = generation;
	head->loaded = clock_ns(CLOCK_REALTIME);
	if (bpf_map_update_elem(kernel_map(kernel, "debar_heads"), &slot, head, BPF_ANY))
		return kernel_fail(reterr, errno, NULL, "cannot fill debar_heads: %m");
	return 0;
}

static void empty_slot(struct kernel *kernel, __u32 slot)
{
	bpf_map_delete_elem(kernel_map(kernel, "debar_keys"), &slot);
	bpf_map_delete_elem(kernel_map(kernel, "debar_excepts"), &slot);
	if (kernel_parts(kernel) & KERNEL_NETWORK)
		kernel_net_empty(kernel, slot);
}

int kernel_publish(struct kernel *kernel, const struct kernel_policy *policy,
		   struct kernel_error *reterr)
{
	const struct policy_tables *tables = policy->tables;
	struct debar_state *state = kernel->state;
	__u32 generation = state->generation + 1, slot = generation & 1;
	cleanup(kernel_carried_release) struct kernel_carried carried = {};
	struct debar_head head = tables->head;
	cleanup(cleanup_fd) int keys = -1;
	int ret = kernel_carry_read(kernel, tables, &carried);

	if (ret)
		return kernel_fail(reterr, -ret, NULL, "cannot read debar_keys: %s",
				   strerror(-ret));
	__atomic_store_n(&state->filling, generation, __ATOMIC_SEQ_CST);
	ret = hang_table(kernel, "debar_keys", slot, tables->keys, tables->matches,
			 sizeof(struct debar_match), tables->key_count,
			 1 + KERNEL_KEYS_SPARE + carried.count, &keys, reterr);
	if (!ret)
		ret = add_canary(keys, head.canary, reterr);
	if (!ret && kernel_carry_write(keys, &carried))
		ret = kernel_fail(reterr, errno, NULL, "cannot fill debar_keys: %m");
	if (!ret)
		ret = hang_table(kernel, "debar_excepts", slot, tables->except_keys,
				 tables->excepts, sizeof(struct debar_except), tables->except_count,
				 1, NULL, reterr);
	if (!ret)
		ret = fill_bans(kernel, slot, tables, reterr);
	if (!ret && kernel_parts(kernel) & KERNEL_NETWORK)
		ret = kernel_net_fill(kernel, slot, policy, reterr);
	if (!ret)
		ret = fill_head(kernel, slot, &head, generation, reterr);
	if (ret) {
		empty_slot(kernel, slot);
		return ret;
	}
	state->utc_offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_TAI);
	state->flags |= tables->head.flags; /* what both ask for, while hooks read either */
	state->mode = policy->mode;
	state->deny_until = policy->deny_until;
	state->scope = policy->scope;
	__atomic_store_n(&state->generation, generation, __ATOMIC_SEQ_CST);
	/* Before the flags: a hook that began by the old generation and reads the new ones begins again. */
	__atomic_store_n(&state->filling, generation + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&state->flags, tables->head.flags, __ATOMIC_SEQ_CST);
	empty_slot(kernel, (generation + 1) & 1);
	return 0;
}
