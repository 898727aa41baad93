/* SPDX-License-Identifier: MIT */
/* From a thing somebody asks about to the rules and exceptions that speak of it. */
#include <errno.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/value.h"

/* What a text can mean: one value of each matcher that it can be a value of. */
struct question {
	struct policy *scratch; /* holds the values */
	bool can_be[POLICY_MATCHER_MAX];
	struct rule_value values[POLICY_MATCHER_MAX];
};

static void question_release(struct question *question)
{
	policy_free(question->scratch);
}

/* A rule has no dot at its end, but resolvers and their logs print one. */
static size_t asked_len(enum policy_matcher matcher, const char *text)
{
	size_t len = strlen(text);

	return matcher == POLICY_DOMAIN && len > 1 && text[len - 1] == '.' ? len - 1 : len;
}

static int question_ask(struct question *q, const char *text)
{
	char words[VALUE_WORDS];
	int err = policy_new(&q->scratch);

	for (int m = 0; !err && m < POLICY_MATCHER_MAX; m++) {
		err = value_parse(q->scratch, (enum policy_matcher)m, text,
				  asked_len((enum policy_matcher)m, text), &q->values[m], words);
		q->can_be[m] = !err;
		err = err == -EINVAL ? 0 : err;
	}
	return err;
}

/* @name is @rule, or ends in "." and @rule. */
static bool below(const char *name, const char *rule, bool exact)
{
	size_t len = strlen(name), rule_len = strlen(rule);

	if (len == rule_len)
		return strcmp(name, rule) == 0;
	return !exact && len > rule_len && name[len - rule_len - 1] == '.' &&
	       strcmp(name + len - rule_len, rule) == 0;
}

static bool inside(struct network_value asked, const struct network_value *rule)
{
	if (asked.family != rule->family || asked.prefix < rule->prefix)
		return false;
	for (unsigned int bit = 0; bit < rule->prefix; bit++)
		if ((asked.address[bit / 8] ^ rule->address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool meets(const struct question *q, const struct policy *policy,
		  const struct rule_value *rule)
{
	const struct rule_value *asked = &q->values[rule->matcher];
	const void *have = model_bytes(policy, rule), *want;
	struct network_value network;

	if (!q->can_be[rule->matcher])
		return false;
	want = model_bytes(q->scratch, asked);
	switch ((enum policy_matcher)rule->matcher) {
	case POLICY_DOMAIN:
		return below(want, have, rule->flags & RULE_EXACT);
	case POLICY_NETWORK:
		network = value_network(policy, rule);
		return inside(value_network(q->scratch, asked), &network);
	case POLICY_PATH:
	case POLICY_PACKAGE:
		if (rule->flags & RULE_PREFIX)
			return asked->len >= rule->len && memcmp(want, have, rule->len) == 0;
		break;
	case POLICY_CERTIFICATE: {
		const struct policy_certificate *c = model_certificate(policy, rule);

		if (c)
			return c->has_sha256 && memcmp(c->sha256, want, 32) == 0;
		break;
	}
	default:
		break;
	}
	return asked->len == rule->len && memcmp(want, have, rule->len) == 0;
}

/* Somebody who read a certificate asks by a name that stands in it. */
static bool names_certificate(const struct policy *policy, const struct rule_value *value,
			      const char *text)
{
	const struct policy_certificate *c = model_certificate(policy, value);

	return c && certificate_asks(c, text);
}

int policy_find(const struct policy *policy, const char *text, uint32_t *ret_ordinals, size_t max,
		size_t *ret_count)
{
	cleanup(question_release) struct question q = {};
	size_t count = 0;
	int err = question_ask(&q, text);

	if (err)
		return err;
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule_value *value = &policy->rules[i].value;

		if (!meets(&q, policy, value) && !names_certificate(policy, value, text))
			continue;
		if (count < max)
			ret_ordinals[count] = policy->rules[i].ordinal;
		count++;
	}
	*ret_count = count;
	return 0;
}

const struct policy_exception *policy_find_exception(const struct policy *policy, const char *ban,
						     const char *text, int64_t utc)
{
	cleanup(question_release) struct question q = {};

	if (question_ask(&q, text))
		return NULL;
	for (size_t i = 0; i < policy->exception_count; i++) {
		const struct policy_exception *exception = &policy->exceptions[i];
		struct rule_value value = model_exception_value(exception);

		if (strcmp(policy->bans[exception->ban].id, ban) == 0 && exception->until > utc &&
		    meets(&q, policy, &value))
			return exception;
	}
	return NULL;
}
