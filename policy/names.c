/* SPDX-License-Identifier: MIT */
/*
 * Names -> the tables of bpf/abi.h; networks.c makes the rest of them. Equal names share a record; a
 * record is found within DEBAR_NAME_PROBES buckets, which is tried out for every name before the table
 * is handed over.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/names.h"
#include "policy/networks.h"
#include "policy/policy.h"

#define SEEDS_MAX 32

static void cleanup_names(struct names_tables **names)
{
	names_free(*names);
}

void names_free(struct names_tables *names)
{
	if (!names)
		return;
	free(names->buckets);
	free(names->chunks);
	free(names->rules);
	free(names->network_keys);
	free(names->networks);
	free(names);
}

int names_to_wire(const char *name, __u8 ret_wire[DEBAR_NAME_MAX])
{
	size_t at = 0;

	for (;;) {
		size_t len = strcspn(name, ".");

		if (!len || len > 63 || at + 1 + len > DEBAR_NAME_MAX)
			return -EINVAL;
		ret_wire[at] = len;
		memcpy(ret_wire + at + 1, name, len);
		at += 1 + len;
		if (!name[len])
			return at;
		name += len + 1;
	}
}

__u64 names_hash(const __u8 *wire, size_t len, __u64 seed, __u64 multiplier)
{
	__u8 starts[DEBAR_LABELS_MAX];
	size_t labels = 0;
	__u64 hash = seed;

	for (size_t at = 0; at < len; at += 1 + wire[at])
		starts[labels++] = at;
	while (labels) {
		const __u8 *label = wire + starts[--labels];
		__u64 one = seed;

		for (size_t i = 1; i <= label[0]; i++)
			one = debar_hash_byte(one, label[i], multiplier);
		hash = debar_hash_label(hash, one, multiplier);
	}
	return debar_hash_final(hash);
}

static size_t label_count(const __u8 *wire, size_t len)
{
	size_t labels = 0;

	for (size_t at = 0; at < len; at += 1 + wire[at])
		labels++;
	return labels;
}

/* ---- names --------------------------------------------------------------------------------- */

/* A rule or an exception with its name; sorted, so that equal names stand together. */
struct item {
	const char *name;
	struct debar_net_rule rule;
};

static int item_compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->rule.rule > y->rule.rule) - (x->rule.rule < y->rule.rule);
}

static size_t items_collect(const struct policy_tables *tables, struct item *items)
{
	size_t n = 0;

	for (size_t i = 0; i < tables->name_count; i++) {
		const struct policy_name *name = &tables->names[i];

		items[n++] = (struct item){ name->name,
					    { .rule = name->match.rule,
					      .ban = name->match.ban,
					      .network = name->match.network,
					      .flags = name->exact ? DEBAR_NET_EXACT : 0 } };
	}
	for (size_t i = 0; i < tables->name_except_count; i++) {
		const struct policy_name_except *except = &tables->name_excepts[i];

		items[n++] = (struct item){ except->name,
					    { .until = except->until,
					      .ban = except->ban,
					      .flags = DEBAR_NET_EXCEPT |
						       (except->exact ? DEBAR_NET_EXACT : 0) } };
	}
	for (size_t i = 1; i < n; i++)
		if (item_compare(&items[i - 1], &items[i]) > 0) {
			qsort(items, n, sizeof(*items), item_compare);
			break;
		}
	return n;
}

static size_t chunks_of(size_t len)
{
	return (sizeof(struct debar_name_record) + len + DEBAR_NAME_CHUNK - 1) / DEBAR_NAME_CHUNK;
}

/* One record of items with an equal name. @names->chunks has room. */
static int record_add(struct names_tables *names, const struct item *items, size_t count)
{
	__u8 wire[DEBAR_NAME_MAX];
	int len = names_to_wire(items->name, wire);
	struct debar_name_record record = { .first = names->rule_count, .count = count };
	__u8 *at = (__u8 *)&names->chunks[names->chunk_count];
	size_t depth;

	if (len < 0)
		return len;
	if (count > DEBAR_NET_RULES_MAX)
		return -E2BIG;
	record.len = len;
	memcpy(at, &record, sizeof(record));
	memcpy(at + sizeof(record), wire, len);
	names->chunk_count += chunks_of(len);
	depth = label_count(wire, len);
	names->head.depths[depth >> 6] |= 1ULL << (depth & 63);
	for (size_t i = 0; i < count; i++)
		names->rules[names->rule_count++] = items[i].rule;
	return 0;
}

static const __u8 *record_name(const struct names_tables *names, size_t chunk, size_t *ret_len)
{
	const __u8 *bytes = (const __u8 *)&names->chunks[chunk];

	*ret_len = ((const struct debar_name_record *)(const void *)bytes)->len;
	return bytes + sizeof(struct debar_name_record);
}

/* Where the kernel will find this hash: its chunk, or -1. */
static int64_t slot_find(const struct names_tables *names, __u64 final)
{
	__u64 at = (final >> 32) * names->bucket_count >> 32;

	for (int probe = 0; probe < DEBAR_NAME_PROBES; probe++) {
		const struct debar_name_slot *slots = names->buckets[at].slots;

		for (int i = 0; i < DEBAR_NAME_SLOTS; i++)
			if (slots[i].tag == (__u32) final)
				return slots[i].chunk;
		if (!slots[DEBAR_NAME_SLOTS - 1].tag)
			return -1;
		at = at + 1 < names->bucket_count ? at + 1 : 0;
	}
	return -1;
}

static bool slot_take(struct names_tables *names, __u64 final, size_t chunk)
{
	__u64 at = (final >> 32) * names->bucket_count >> 32;

	for (int probe = 0; probe < DEBAR_NAME_PROBES; probe++) {
		struct debar_name_slot *slots = names->buckets[at].slots;

		for (int i = 0; i < DEBAR_NAME_SLOTS; i++)
			if (!slots[i].tag) {
				slots[i] = (struct debar_name_slot){ final, chunk };
				return true;
			}
		at = at + 1 < names->bucket_count ? at + 1 : 0;
	}
	return false;
}

/* All records into the buckets; false: some name would not be found. */
static bool buckets_fill(struct names_tables *names, __u64 seed, __u64 multiplier)
{
	size_t len;

	memset(names->buckets, 0, names->bucket_count * sizeof(*names->buckets));
	names->head.seed = seed;
	names->head.multiplier = multiplier;
	for (size_t chunk = 0; chunk < names->chunk_count; chunk += chunks_of(len)) {
		const __u8 *name = record_name(names, chunk, &len);
		__u64 final = names_hash(name, len, seed, multiplier);

		/* Another name with the same tag in its way would hide this one. */
		if (slot_find(names, final) >= 0 || !slot_take(names, final, chunk))
			return false;
	}
	for (size_t chunk = 0; chunk < names->chunk_count; chunk += chunks_of(len)) {
		const __u8 *name = record_name(names, chunk, &len);

		if (slot_find(names, names_hash(name, len, seed, multiplier)) != (int64_t)chunk)
			return false;
	}
	return true;
}

static int buckets_make(struct names_tables *names, size_t records, const __u8 seed[16])
{
	__u64 key[2];

	memcpy(key, seed, sizeof(key));
	for (int try = 0; try < SEEDS_MAX; try++) {
		/*
		 * 40 % full at first, an eighth more for every four keys that did not do: at half
		 * some bucket of a million names overflows too far nearly always.
		 */
		size_t count = (records * 5 / 2 / DEBAR_NAME_SLOTS + 1) * (8 + try / 4) / 8;

		free(names->buckets);
		names->buckets = calloc(count, sizeof(*names->buckets));
		if (!names->buckets)
			return -ENOMEM;
		names->bucket_count = count;
		if (buckets_fill(names, key[0], key[1] | 1)) {
			names->head.buckets = count;
			return 0;
		}
		key[0] = debar_hash_final(key[0] + try);
		key[1] = debar_hash_final(key[1] + try);
	}
	return -ELOOP;
}

static int names_fill(const struct policy_tables *tables, struct names_tables *names,
		      const __u8 seed[16])
{
	size_t n = tables->name_count + tables->name_except_count, chunks = 0, records = 0;
	cleanup(cleanup_free) struct item *items = calloc(n ? n : 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	n = items_collect(tables, items);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(items[i - 1].name, items[i].name))
			chunks += chunks_of(strlen(items[i].name) + 1);
	names->chunks = calloc(chunks ? chunks : 1, sizeof(*names->chunks));
	if (!names->chunks)
		return -ENOMEM;
	for (size_t i = 0, end; i < n; i = end, records++) {
		int error;

		for (end = i + 1; end < n && !strcmp(items[i].name, items[end].name);)
			end++;
		error = record_add(names, &items[i], end - i);
		if (error)
			return error;
	}
	return records ? buckets_make(names, records, seed) : 0;
}

int names_build(const struct policy_tables *tables, const __u8 seed[16],
		struct names_tables **ret_names)
{
	cleanup(cleanup_names) struct names_tables *names = calloc(1, sizeof(*names));
	size_t rules = tables->name_count + tables->name_except_count;
	__u64 key[2];
	int error;

	if (!names)
		return -ENOMEM;
	/* Without any name, too: addresses found clean are remembered under it, and forgotten so. */
	memcpy(key, seed, sizeof(key));
	names->head.seed = key[0];
	names->head.multiplier = key[1] | 1;
	names->rules = calloc(rules ? rules : 1, sizeof(*names->rules));
	if (!names->rules)
		return -ENOMEM;
	error = names_fill(tables, names, seed);
	if (error)
		return error;
	error = networks_fill(tables, names, rules);
	if (error)
		return error;
	names->head.port_count = 2;
	names->head.ports[0] = 53;
	names->head.ports[1] = 5353;
	for (size_t i = 0; i < tables->ban_count; i++)
		if (tables->bans[i].flags & DEBAR_BAN_LEARN)
			names->head.learn = 1;
	*ret_names = take(names);
	return 0;
}
