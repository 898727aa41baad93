/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/judge.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

struct judge {
	const struct policy_tables *tables;
	size_t mask;
	uint32_t *slots; /* hash of a key -> where it stands in the table plus one; 0: free */
};

static size_t key_hash(const struct debar_key *key)
{
	uint64_t words[4], sum = key->kind;

	memcpy(words, key->value, sizeof(words));
	for (size_t i = 0; i < 4; i++) {
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 32;
	}
	return (size_t)sum;
}

static bool key_same(const struct debar_key *a, const struct debar_key *b)
{
	return a->kind == b->kind && memcmp(a->value, b->value, sizeof(a->value)) == 0;
}

static void judge_freep(struct judge **judge)
{
	judge_free(*judge);
}

int judge_new(struct judge **ret_judge, const struct policy_tables *tables)
{
	cleanup(judge_freep) struct judge *judge = calloc(1, sizeof(*judge));
	size_t size = 16;

	if (!judge)
		return -ENOMEM;
	while (size < 2 * tables->key_count)
		size *= 2;
	judge->tables = tables;
	judge->mask = size - 1;
	judge->slots = calloc(size, sizeof(*judge->slots));
	if (!judge->slots)
		return -ENOMEM;
	for (size_t i = 0; i < tables->key_count; i++) {
		size_t at = key_hash(&tables->keys[i]) & judge->mask;

		while (judge->slots[at])
			at = (at + 1) & judge->mask;
		judge->slots[at] = (uint32_t)i + 1;
	}
	*ret_judge = take(judge);
	return 0;
}

void judge_free(struct judge *judge)
{
	if (!judge)
		return;
	free(judge->slots);
	free(judge);
}

/* What the ban says at an instant, and under it the rule's own word: as the kernel's ban_action(). */
static enum debar_action action_of(const struct debar_ban *ban, const struct debar_match *match,
				   bool network, int64_t utc)
{
	enum debar_action own = network ? match->network : match->exec, said = DEBAR_OFF;

	for (size_t i = 0; i < ban->phase_count && i < DEBAR_PHASES_MAX; i++)
		if (ban->phases[i].from <= utc)
			said = network ? ban->phases[i].network : ban->phases[i].exec;
	return own == DEBAR_INHERIT || said == DEBAR_OFF ? said : own;
}

/* How much a match explains: what is denied over what is audited, excepted, off; then the first. */
static bool weighs_more(const struct verdict *a, const struct verdict *b)
{
	if (!b->matched)
		return true;
	if (a->action != b->action)
		return a->action > b->action;
	if (a->excepted != b->excepted)
		return a->excepted;
	return a->rule < b->rule;
}

static void weigh(const struct judge *judge, struct verdict *verdict,
		  const struct debar_match *match, const struct debar_key *key, bool network,
		  bool excepted, int64_t utc)
{
	struct verdict v = { .matched = true, .rule = match->rule, .ban = match->ban };

	if (match->ban >= judge->tables->ban_count)
		return;
	v.action = action_of(&judge->tables->bans[match->ban], match, network, utc);
	v.excepted = excepted && v.action >= DEBAR_AUDIT;
	if (v.excepted || v.action < DEBAR_AUDIT)
		v.action = DEBAR_OFF;
	if (key)
		v.key = *key;
	if (weighs_more(&v, verdict))
		*verdict = v;
}

/* ---- files -------------------------------------------------------------------------------- */

static bool file_excepted(const struct policy_tables *t, const struct debar_key *keys, size_t count,
			  uint8_t ban, int64_t utc)
{
	for (size_t i = 0; i < t->except_count; i++) {
		if (t->except_keys[i].nth != ban || t->excepts[i].until <= utc)
			continue;
		for (size_t k = 0; k < count; k++)
			if (key_same(&t->except_keys[i], &keys[k]))
				return true;
	}
	return false;
}

struct verdict judge_file(const struct judge *judge, const struct debar_key *keys, size_t count,
			  int64_t utc)
{
	const struct policy_tables *t = judge->tables;
	struct verdict verdict = { .action = DEBAR_OFF };

	for (size_t k = 0; k < count; k++) {
		size_t at = key_hash(&keys[k]) & judge->mask;

		for (; judge->slots[at]; at = (at + 1) & judge->mask) {
			size_t i = judge->slots[at] - 1;

			if (!key_same(&t->keys[i], &keys[k]))
				continue;
			weigh(judge, &verdict, &t->matches[i], &keys[k], false,
			      file_excepted(t, keys, count, t->matches[i].ban, utc), utc);
		}
	}
	return verdict;
}

/* Whether a ban speaks about what could not be looked at: as the kernel's ban_minds(). */
static bool ban_minds(const struct debar_ban *ban, enum debar_because because)
{
	if (!(ban->flags & DEBAR_BAN_FILES))
		return false;
	if (because == DEBAR_BECAUSE_OVERSIZE)
		return ban->flags & DEBAR_BAN_OVERSIZE_DENY;
	if (because == DEBAR_BECAUSE_OVERFLOW)
		return ban->flags & DEBAR_BAN_DERIVED;
	/* The digest, too, is not known then: in the kernel, only what a controller finds is not. */
	if (because == DEBAR_BECAUSE_UNCLASSIFIED)
		return ban->flags & DEBAR_BAN_UNCLASSIFIED_DENY;
	return true;
}

struct verdict judge_without(const struct judge *judge, enum debar_because because,
			     const struct debar_key *keys, size_t count, int64_t utc)
{
	static const struct debar_match any = { .exec = DEBAR_INHERIT };
	const struct policy_tables *t = judge->tables;
	struct verdict verdict = { .action = DEBAR_OFF };

	for (size_t i = 0; i < t->ban_count; i++) {
		struct debar_match match = any;

		match.ban = (uint8_t)i;
		if (ban_minds(&t->bans[i], because))
			weigh(judge, &verdict, &match, NULL, false,
			      file_excepted(t, keys, count, match.ban, utc), utc);
	}
	return verdict;
}

/* ---- names -------------------------------------------------------------------------------- */

/* The rule's name itself, or on a label's border below it. */
static bool name_meets(const char *name, const char *rule, bool exact)
{
	size_t len = strlen(name), rule_len = strlen(rule);

	if (len == rule_len)
		return memcmp(name, rule, len) == 0;
	return !exact && len > rule_len && name[len - rule_len - 1] == '.' &&
	       memcmp(name + len - rule_len, rule, rule_len) == 0;
}

static bool name_excepted(const struct policy_tables *t, const char *name, uint8_t ban, int64_t utc)
{
	for (size_t i = 0; i < t->name_except_count; i++) {
		const struct policy_name_except *e = &t->name_excepts[i];

		if (e->ban == ban && utc < e->until && name_meets(name, e->name, e->exact))
			return true;
	}
	return false;
}

struct verdict judge_name(const struct judge *judge, const char *name, int64_t utc)
{
	const struct policy_tables *t = judge->tables;
	struct verdict verdict = { .action = DEBAR_OFF };

	for (size_t i = 0; i < t->name_count; i++)
		if (name_meets(name, t->names[i].name, t->names[i].exact))
			weigh(judge, &verdict, &t->names[i].match, NULL, true,
			      name_excepted(t, name, t->names[i].match.ban, utc), utc);
	return verdict;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static bool address_in(const uint8_t address[16], const uint8_t network[16], unsigned int prefix)
{
	unsigned int bytes = prefix / 8, bits = prefix % 8;

	if (bytes > 16 || memcmp(address, network, bytes) != 0)
		return false;
	return !bits || !((address[bytes] ^ network[bytes]) >> (8 - bits));
}

static bool address_excepted(const struct policy_tables *t, uint8_t family,
			     const uint8_t address[16], uint8_t ban, int64_t utc)
{
	for (size_t i = 0; i < t->network_except_count; i++) {
		const struct policy_network_except *e = &t->network_excepts[i];

		if (e->ban == ban && utc < e->until && e->family == family &&
		    address_in(address, e->address, e->prefix))
			return true;
	}
	return false;
}

struct verdict judge_address(const struct judge *judge, uint8_t family, const uint8_t address[16],
			     int64_t utc)
{
	const struct policy_tables *t = judge->tables;
	struct verdict verdict = { .action = DEBAR_OFF };

	for (size_t i = 0; i < t->network_count; i++) {
		const struct policy_network *n = &t->networks[i];

		if (n->family == family && address_in(address, n->address, n->prefix))
			weigh(judge, &verdict, &n->match, NULL, true,
			      address_excepted(t, family, address, n->match.ban, utc), utc);
	}
	return verdict;
}
