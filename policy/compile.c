/* SPDX-License-Identifier: MIT */
/* The model into tables, in the layout of the kernel's maps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/compile.h"
#include "policy/key.h"
#include "policy/value.h"

static uint64_t mix(const struct debar_key *key)
{
	uint64_t words[4], sum = key->kind;

	memcpy(words, key->value, sizeof(words));
	for (int i = 0; i < 4; i++) {
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
	}
	return sum;
}

static bool same_key(const struct debar_key *a, const struct debar_key *b)
{
	return a->kind == b->kind && memcmp(a->value, b->value, sizeof(a->value)) == 0;
}

static uint32_t *find_slot(struct compile *c, const struct debar_key *key)
{
	size_t at = mix(key) & c->slot_mask;

	while (c->slots[at] && !same_key(&c->tables->keys[c->slots[at] - 1], key))
		at = (at + 1) & c->slot_mask;
	return &c->slots[at];
}

/* At most half of the slots are ever used, so that a search ends soon. */
static int grow_slots(struct compile *c)
{
	size_t count = c->tables->key_count, want = 64;

	if (c->slots && (count + 1) * 2 <= c->slot_mask + 1)
		return 0;
	while (want < (count + 1) * 4 || want < c->policy->rule_count * 2)
		want *= 2;
	free(c->slots);
	c->slots = calloc(want, sizeof(*c->slots));
	if (!c->slots)
		return -ENOMEM;
	c->slot_mask = want - 1;
	for (size_t i = 0; i < count; i++)
		*find_slot(c, &c->tables->keys[i]) = (uint32_t)i + 1;
	return 0;
}

static struct debar_match match_of(const struct rule *rule)
{
	return (struct debar_match){
		.rule = rule->ordinal,
		.ban = rule->ban,
		.exec = rule->exec,
		.network = rule->network,
	};
}

/* Room for one more key: keys, matches and links grow in step. */
static int grow_keys(struct compile *c)
{
	struct policy_tables *t = c->tables;
	size_t room = c->key_room;
	int err = model_grow(&t->keys, &room, t->key_count, sizeof(*t->keys));

	if (err || room == c->key_room)
		return err;
	room = c->key_room;
	err = model_grow(&t->matches, &room, t->key_count, sizeof(*t->matches));
	if (err)
		return err;
	err = model_grow(&c->before, &c->before_room, t->key_count, sizeof(*c->before));
	if (err)
		return err;
	c->key_room = room;
	return 0;
}

/* Says this ban the same of this key already? Then an earlier rule has the word. */
static bool told(const struct compile *c, uint32_t last, const struct debar_match *match)
{
	for (; last; last = c->before[last - 1]) {
		const struct debar_match *have = &c->tables->matches[last - 1];

		if (have->ban == match->ban && have->exec == match->exec &&
		    have->network == match->network)
			return true;
	}
	return false;
}

static int too_many(struct compile *c)
{
	const struct range *range = model_range(c->policy, c->rule->ordinal);

	return policy_fail(c->error, range->place.file, range->place.line, range->place.column,
			   "more than %d rules that differ ban the same thing", DEBAR_MATCHES_MAX);
}

static int add_key(void *ctx, const struct debar_key *key)
{
	struct compile *c = ctx;
	struct policy_tables *t = c->tables;
	struct debar_match match = match_of(c->rule);
	uint32_t *slot, last;
	int err = grow_slots(c);

	if (err)
		return err;
	slot = find_slot(c, key);
	last = *slot;
	if (told(c, last, &match))
		return 0;
	if (last && t->keys[last - 1].nth + 1 >= DEBAR_MATCHES_MAX)
		return too_many(c);
	err = grow_keys(c);
	if (err)
		return err;
	t->keys[t->key_count] = *key;
	t->keys[t->key_count].nth = 0;
	t->matches[t->key_count] = match;
	c->before[t->key_count] = last;
	if (last) {
		t->keys[t->key_count].nth = (__u8)(t->keys[last - 1].nth + 1);
		t->matches[last - 1].more = 1;
	}
	*slot = (uint32_t)++t->key_count;
	return 0;
}

static int add_name(struct compile *c)
{
	struct policy_tables *t = c->tables;
	int err = model_grow(&t->names, &c->name_room, t->name_count, sizeof(*t->names));

	if (err)
		return err;
	t->names[t->name_count++] = (struct policy_name){
		.name = model_bytes(c->policy, &c->rule->value),
		.exact = c->rule->value.flags & RULE_EXACT,
		.match = match_of(c->rule),
	};
	return 0;
}

static int add_network(struct compile *c)
{
	struct network_value value = value_network(c->policy, &c->rule->value);
	struct policy_tables *t = c->tables;
	struct policy_network network = {
		.family = value.family,
		.prefix = value.prefix,
		.match = match_of(c->rule),
	};
	int err =
		model_grow(&t->networks, &c->network_room, t->network_count, sizeof(*t->networks));

	if (err)
		return err;
	memcpy(network.address, value.address, sizeof(network.address));
	t->networks[t->network_count++] = network;
	return 0;
}

static int compile_rules(struct compile *c)
{
	const struct policy *policy = c->policy;
	const struct key_sink sink = { c, add_key };
	int err = 0;

	for (size_t i = 0; !err && i < policy->rule_count; i++) {
		c->rule = &policy->rules[i];
		if (c->rule->value.matcher == POLICY_DOMAIN)
			err = add_name(c);
		else if (c->rule->value.matcher == POLICY_NETWORK)
			err = add_network(c);
		else
			err = key_each(policy, &c->rule->value, c->facts, &sink);
	}
	return err;
}

static __u32 except_flag(uint8_t matcher)
{
	switch (matcher) {
	case POLICY_UID:
	case POLICY_CGROUP:
		return DEBAR_BAN_EXCEPTS_TASK;
	case POLICY_DOMAIN:
	case POLICY_NETWORK:
		return DEBAR_BAN_EXCEPTS_NAME;
	default:
		return DEBAR_BAN_EXCEPTS_KEY;
	}
}

/* Rules that need a key which the kernel cannot find by itself. */
static bool derived(const struct policy_ban *ban)
{
	for (int i = POLICY_AUTHENTICODE; i <= POLICY_PATH; i++)
		if (ban->rules[i])
			return true;
	return false;
}

static struct debar_ban compile_ban(const struct policy *policy, size_t index)
{
	const struct policy_ban *ban = &policy->bans[index];
	struct debar_ban out = { .phase_count = (__u32)ban->phase_count };

	memcpy(out.phases, ban->phases, sizeof(out.phases));
	if (!out.phase_count) {
		out.phase_count = 1;
		out.phases[0] = (struct debar_phase){ .from = INT64_MIN,
						      .exec = DEBAR_DENY,
						      .network = DEBAR_DENY };
	}
	out.flags = (ban->unclassified_deny ? DEBAR_BAN_UNCLASSIFIED_DENY : 0) |
		    (ban->oversize_deny ? DEBAR_BAN_OVERSIZE_DENY : 0) |
		    (ban->malformed_deny ? DEBAR_BAN_MALFORMED_DENY : 0) |
		    (ban->learn ? DEBAR_BAN_LEARN : 0) | (ban->kill ? DEBAR_BAN_KILL : 0) |
		    (ban->loss_deny ? DEBAR_BAN_LOSS_DENY : 0) |
		    (derived(ban) ? DEBAR_BAN_DERIVED : 0) |
		    (derived(ban) || ban->rules[POLICY_SHA256] ? DEBAR_BAN_FILES : 0);
	for (size_t i = 0; i < policy->exception_count; i++)
		if (policy->exceptions[i].ban == index)
			out.flags |= except_flag(policy->exceptions[i].matcher);
	return out;
}

static __u32 head_flags(const struct policy_ban *ban)
{
	__u32 flags =
		(ban->oversize_deny ? DEBAR_POLICY_OVERSIZE_DENY : 0) |
		(ban->unclassified_deny ? DEBAR_POLICY_UNCLASSIFIED_DENY : 0) |
		(ban->rules[POLICY_PATH] || ban->rules[POLICY_PACKAGE] ? DEBAR_POLICY_PLACES : 0) |
		(ban->rules[POLICY_PATH] ? DEBAR_POLICY_PATHS : 0) |
		(ban->rules[POLICY_DOMAIN] ? DEBAR_POLICY_NAMES : 0) |
		(ban->rules[POLICY_NETWORK] ? DEBAR_POLICY_NETWORKS : 0);

	if (derived(ban))
		flags |= DEBAR_POLICY_DERIVED | DEBAR_POLICY_EXEC;
	if (ban->rules[POLICY_SHA256])
		flags |= DEBAR_POLICY_EXEC;
	return flags;
}

static int compile_head(struct compile *c)
{
	const struct policy *policy = c->policy;
	struct policy_tables *t = c->tables;

	t->bans = calloc(policy->ban_count ? policy->ban_count : 1, sizeof(*t->bans));
	if (!t->bans)
		return -ENOMEM;
	t->ban_count = policy->ban_count;
	for (size_t i = 0; i < policy->ban_count; i++) {
		t->bans[i] = compile_ban(policy, i);
		t->head.flags |= head_flags(&policy->bans[i]);
	}
	t->head.ban_count = (__u32)policy->ban_count;
	t->head.rule_count = (__u32)policy->rule_count;
	t->head.key_count = (__u32)t->key_count;
	return policy_digest(policy, t->head.digest);
}

static void cleanup_tables(struct policy_tables **tables)
{
	policy_tables_free(*tables);
}

/* Keys of a list of digests are known in number: no table is moved while it is filled. */
static int reserve(struct compile *c)
{
	size_t room = 0;

	for (size_t i = 0; i < c->policy->ban_count; i++)
		for (int m = POLICY_SHA256; m <= POLICY_PATH; m++)
			room += c->policy->bans[i].rules[m];
	if (!room)
		return 0;
	c->tables->keys = reallocarray(NULL, room, sizeof(*c->tables->keys));
	c->tables->matches = reallocarray(NULL, room, sizeof(*c->tables->matches));
	c->before = reallocarray(NULL, room, sizeof(*c->before));
	if (!c->tables->keys || !c->tables->matches || !c->before)
		return -ENOMEM;
	c->key_room = c->before_room = room;
	return 0;
}

int policy_compile(const struct policy *policy, const struct policy_facts *facts,
		   struct policy_tables **ret_tables, struct policy_error *reterr)
{
	cleanup(cleanup_tables) struct policy_tables *tables = calloc(1, sizeof(*tables));
	struct policy_error error = {};
	struct compile c = { .policy = policy, .facts = facts, .tables = tables, .error = &error };
	int err;

	if (!tables)
		return -ENOMEM;
	err = reserve(&c);
	if (!err)
		err = compile_rules(&c);
	free(c.slots);
	free(c.before);
	if (!err)
		err = compile_excepts(&c);
	if (!err)
		err = compile_head(&c);
	if (err == -ENOMEM)
		(void)policy_fail(&error, NULL, 0, 0, "not enough memory to compile the policy");
	if (err) {
		if (reterr)
			*reterr = error;
		return err;
	}
	*ret_tables = take(tables);
	return 0;
}

int policy_compile_certificates(const struct policy *policy, const struct policy_facts *facts,
				struct policy_tables **ret_tables)
{
	cleanup(cleanup_tables) struct policy_tables *tables = calloc(1, sizeof(*tables));
	struct policy_error error = {};
	struct compile c = { .policy = policy, .facts = facts, .tables = tables, .error = &error };
	const struct key_sink sink = { &c, add_key };
	int err = 0;

	if (!tables)
		return -ENOMEM;
	for (size_t i = 0; !err && i < policy->range_count; i++) {
		const struct range *range = &policy->ranges[i];

		if (range->matcher != POLICY_CERTIFICATE)
			continue;
		for (uint32_t j = 0; !err && j < range->entries; j++) {
			c.rule = &policy->rules[range->first + j];
			err = key_each(policy, &c.rule->value, facts, &sink);
		}
	}
	free(c.slots);
	free(c.before);
	if (!err)
		*ret_tables = take(tables);
	return err;
}

void policy_tables_free(struct policy_tables *tables)
{
	if (!tables)
		return;
	free(tables->bans);
	free(tables->keys);
	free(tables->matches);
	free(tables->except_keys);
	free(tables->excepts);
	free(tables->cgroups);
	free(tables->names);
	free(tables->networks);
	free(tables->name_excepts);
	free(tables->network_excepts);
	free(tables);
}
