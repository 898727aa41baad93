/* SPDX-License-Identifier: MIT */
/*
 * One thing banned or excepted twice in one ban, and rules that an exception without an end leaves without
 * effect. Both are hash look-ups, for there may be millions of rules.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check.h"
#include "policy/cleanup.h"
#include "policy/digest.h"
#include "policy/value.h"

/* What two rules of one ban have in common when they ban the same. */
struct identity {
	const void *bytes;
	size_t len;
	uint8_t ban;
	uint8_t matcher;
	uint8_t flags;
};

/* From identity to the number of a rule or an exception. */
struct set {
	uint32_t *slots; /* number plus one; 0: free */
	size_t mask;
};

static void set_release(struct set *set)
{
	free(set->slots);
}

static int set_new(struct set *set, size_t count)
{
	size_t size = 64;

	while (size < count * 2)
		size *= 2;
	set->slots = calloc(size, sizeof(*set->slots));
	set->mask = size - 1;
	return set->slots ? 0 : -ENOMEM;
}

static uint64_t mix(const struct identity *id)
{
	uint64_t sum = (uint64_t)id->ban << 16 | (uint64_t)id->matcher << 8 | id->flags;
	const uint8_t *at = id->bytes;

	for (size_t left = id->len; left;) {
		uint64_t word = 0;
		size_t step = left < sizeof(word) ? left : sizeof(word);

		memcpy(&word, at, step);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
		at += step;
		left -= step;
	}
	return sum;
}

static struct identity identify(const struct policy *policy, const struct rule_value *value,
				uint8_t ban)
{
	return (struct identity){
		.bytes = model_bytes(policy, value),
		.len = value->len,
		.ban = ban,
		.matcher = value->matcher,
		.flags = value->flags,
	};
}

static bool same(const struct identity *a, const struct identity *b)
{
	return a->ban == b->ban && a->matcher == b->matcher && a->flags == b->flags &&
	       a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static uint32_t *find_rule(const struct check *check, const struct set *set,
			   const struct identity *id)
{
	size_t at = mix(id) & set->mask;

	for (; set->slots[at]; at = (at + 1) & set->mask) {
		const struct rule *rule = &check->policy->rules[set->slots[at] - 1];
		struct identity have = identify(check->policy, &rule->value, rule->ban);

		if (same(&have, id))
			break;
	}
	return &set->slots[at];
}

static uint32_t *find_exception(const struct check *check, const struct set *set,
				const struct identity *id)
{
	size_t at = mix(id) & set->mask;

	for (; set->slots[at]; at = (at + 1) & set->mask) {
		const struct policy_exception *have =
			&check->policy->exceptions[set->slots[at] - 1];
		struct rule_value value = model_exception_value(have);
		struct identity known = identify(check->policy, &value, have->ban);

		if (same(&known, id))
			break;
	}
	return &set->slots[at];
}

static int twice(const struct check *check, const struct rule *rule, const struct rule *first)
{
	struct policy_place place = check_place(check->policy, rule);
	struct policy_place before = check_place(check->policy, first);
	char shown[128];

	return check_soft(check, &place, "%s is banned already, at %s:%u",
			  check_show(check->policy, &rule->value, shown, sizeof(shown)),
			  before.file, before.line);
}

static int check_rules(const struct check *check, const struct set *set)
{
	const struct policy *policy = check->policy;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		struct identity id = identify(policy, &rule->value, rule->ban);
		uint32_t *slot = find_rule(check, set, &id);
		int err = 0;

		if (*slot)
			err = twice(check, rule, &policy->rules[*slot - 1]);
		else
			*slot = (uint32_t)i + 1;
		if (err)
			return err;
	}
	return 0;
}

/* Certificates are few and their criteria long: compared as text, one with each. */
static int check_certificates(const struct check *check)
{
	const struct policy *policy = check->policy;
	char text[POLICY_VALUE_MAX], other[POLICY_VALUE_MAX];

	for (size_t i = 0; i < policy->range_count && policy->cert_count < 1000; i++) {
		const struct range *range = &policy->ranges[i];

		if (range->matcher != POLICY_CERTIFICATE || range->list)
			continue;
		model_value_format(policy, &policy->rules[range->first].value, text, sizeof(text));
		for (size_t j = 0; j < i; j++) {
			const struct range *first = &policy->ranges[j];
			int err;

			if (first->matcher != POLICY_CERTIFICATE || first->list ||
			    first->ban != range->ban)
				continue;
			model_value_format(policy, &policy->rules[first->first].value, other,
					   sizeof(other));
			if (strlen(text) == sizeof(text) - 1 || strcmp(text, other) != 0)
				continue;
			err = twice(check, &policy->rules[range->first],
				    &policy->rules[first->first]);
			if (err)
				return err;
		}
	}
	return 0;
}

/* Of two the one that lasts longer wins: who reads the other is misled about when it ends. */
static int check_exceptions(const struct check *check)
{
	const struct policy *policy = check->policy;
	cleanup(set_release) struct set set = {};
	int err = set_new(&set, policy->exception_count);

	for (size_t i = 0; !err && i < policy->exception_count; i++) {
		const struct policy_exception *exception = &policy->exceptions[i], *first;
		struct rule_value value = model_exception_value(exception);
		struct identity id = identify(policy, &value, exception->ban);
		uint32_t *slot = find_exception(check, &set, &id);
		char shown[128];

		if (!*slot) {
			*slot = (uint32_t)i + 1;
			continue;
		}
		first = &policy->exceptions[*slot - 1];
		err = check_soft(check, &exception->place, "%s is excepted already, at %s:%u",
				 check_show(policy, &value, shown, sizeof(shown)),
				 first->place.file, first->place.line);
	}
	return err;
}

/* ---- exceptions that cover a rule --------------------------------------------------------- */

struct shadows {
	const struct check *check;
	struct set set;
	bool any[POLICY_MATCHER_MAX];
	bool prefixes[2][129]; /* lengths that excepted networks have, of IPv4 and IPv6 */
};

static const struct policy_exception *excepted(const struct shadows *s, const struct identity *id)
{
	uint32_t number = *find_exception(s->check, &s->set, id);

	return number ? &s->check->policy->exceptions[number - 1] : NULL;
}

/* The name itself, and each name above it that is not excepted alone. */
static const struct policy_exception *domain_shadow(const struct shadows *s, struct identity id)
{
	const struct policy_exception *found = excepted(s, &id);
	const char *at = id.bytes;

	id.flags = 0;
	while (!found && at) {
		id.bytes = at;
		id.len = strlen(at) + 1;
		found = excepted(s, &id);
		at = strchr(at, '.');
		at = at ? at + 1 : NULL;
	}
	return found;
}

static const struct policy_exception *network_shadow(const struct shadows *s, struct identity id)
{
	struct network_value network;
	const struct policy_exception *found = NULL;

	memcpy(&network, id.bytes, sizeof(network));
	id.bytes = &network;
	for (unsigned int bits = network.prefix + 1; !found && bits-- > 0;) {
		network.prefix = (uint8_t)bits;
		for (unsigned int bit = bits; bit < 128; bit++)
			network.address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		if (s->prefixes[network.family == 6][bits])
			found = excepted(s, &id);
	}
	return found;
}

static const struct policy_exception *shadow_of(const struct shadows *s, const struct rule *rule)
{
	struct identity id = identify(s->check->policy, &rule->value, rule->ban);

	switch (rule->value.matcher) {
	case POLICY_DOMAIN:
		return domain_shadow(s, id);
	case POLICY_NETWORK:
		return network_shadow(s, id);
	default:
		return excepted(s, &id);
	}
}

/* One with an end is a permission for a time; only one without leaves the rule no effect. */
static int learn_exceptions(struct shadows *s)
{
	const struct policy *policy = s->check->policy;
	int err = set_new(&s->set, policy->exception_count);

	for (size_t i = 0; !err && i < policy->exception_count; i++) {
		const struct policy_exception *exception = &policy->exceptions[i];
		struct rule_value value = model_exception_value(exception);
		struct identity id = identify(policy, &value, exception->ban);

		if (exception->until != DEBAR_FOREVER)
			continue;
		*find_exception(s->check, &s->set, &id) = (uint32_t)i + 1;
		s->any[value.matcher] = true;
		if (value.matcher == POLICY_NETWORK) {
			struct network_value network = value_network(policy, &value);

			s->prefixes[network.family == 6][network.prefix] = true;
		}
	}
	return err;
}

static int check_shadows(const struct check *check)
{
	const struct policy *policy = check->policy;
	struct shadows s = { .check = check };
	cleanup(set_release) struct set set = {};
	int err = learn_exceptions(&s);

	set = s.set;
	for (size_t i = 0; !err && i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct policy_exception *shadow;
		struct policy_place place;
		char shown[128];

		if (!s.any[rule->value.matcher])
			continue;
		shadow = shadow_of(&s, rule);
		if (!shadow)
			continue;
		place = check_place(policy, rule);
		err = check_soft(check, &place,
				 "the rule %s has no effect: the exception at %s:%u covers it",
				 check_show(policy, &rule->value, shown, sizeof(shown)),
				 shadow->place.file, shadow->place.line);
	}
	return err;
}

int check_doubles(const struct check *check)
{
	cleanup(set_release) struct set set = {};
	int err = set_new(&set, check->policy->rule_count);

	if (!err)
		err = check_rules(check, &set);
	if (!err)
		err = check_certificates(check);
	if (!err)
		err = check_exceptions(check);
	if (!err && check->policy->exception_count)
		err = check_shadows(check);
	return err;
}
