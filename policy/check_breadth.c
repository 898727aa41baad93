/* SPDX-License-Identifier: MIT */
/* Rules that ban more than anybody means to. */
#include <errno.h>
#include <string.h>

#include <libpsl.h>

#include "policy/check.h"
#include "policy/digest.h"
#include "policy/key.h"
#include "policy/value.h"

/* A rule, or an exception, under the check. */
struct subject {
	const struct check *check;
	const struct rule_value *value;
	const struct rule *rule;		  /* or NULL */
	const struct policy_exception *exception; /* or NULL */
};

static struct policy_place place_of(const struct subject *s)
{
	return s->rule ? check_place(s->check->policy, s->rule) : s->exception->place;
}

static int check_domain(const struct subject *s)
{
	const char *name = model_bytes(s->check->policy, s->value);
	struct policy_place place;

	if (s->value->flags & RULE_EXACT || !psl_is_public_suffix(psl_builtin(), name))
		return 0;
	place = place_of(s);
	return check_soft(
		s->check, &place,
		"%s is a public suffix, below which anybody can have a name; did you mean "
		"\"=%s\", the name alone?",
		name, name);
}

static bool has_loopback(const struct network_value *n)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (n->family == 4)
		return n->address[0] == 127 || (n->prefix < 8 && n->address[0] <= 127 &&
						127 - n->address[0] < 256 >> n->prefix);
	for (unsigned int bit = 0; bit < n->prefix; bit++)
		if ((n->address[bit / 8] ^ loopback[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static int check_network(const struct subject *s)
{
	struct network_value network = value_network(s->check->policy, s->value);
	struct policy_place place;
	char shown[80];

	if (s->exception) {
		place = s->exception->place;
		return network.prefix ? 0 :
					check_soft(s->check, &place, "/0 excepts every address");
	}
	if (network.prefix && !has_loopback(&network))
		return 0;
	place = place_of(s);
	if (!network.prefix)
		return check_soft(s->check, &place, "/0 is every address there is");
	return check_soft(s->check, &place,
			  "%s holds the loopback address: it would refuse the running system",
			  value_network_format(&network, shown, sizeof(shown)));
}

/* Attributes that many companies share: a country is not a vendor. */
static bool only_where(const struct policy_certificate *c)
{
	static const char *const where[] = { "C",
					     "ST",
					     "L",
					     "street",
					     "postalCode",
					     "jurisdictionC",
					     "jurisdictionL",
					     "jurisdictionST",
					     "businessCategory" };

	if (c->serial || c->has_sha256 || c->has_sha1 || c->has_spki_sha256)
		return false;
	for (size_t i = 0; i < c->subject_count; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof(where) / sizeof(where[0]); j++)
			found |= strcmp(c->subject[i].name, where[j]) == 0;
		if (!found)
			return false;
	}
	return true;
}

static int check_certificate(const struct subject *s)
{
	const struct policy_certificate *c = model_certificate(s->check->policy, s->value);
	struct policy_place place;

	if (!c || !only_where(c))
		return 0;
	place = place_of(s);
	if (!c->subject_count)
		return check_soft(s->check, &place,
				  "the rule names an issuer only: every customer of that issuer is "
				  "banned");
	return check_soft(s->check, &place,
			  "the rule names only a place or a kind of company: every company there "
			  "is banned");
}

static int check_empty(const struct subject *s)
{
	struct policy_place place;
	uint8_t empty[32];

	if (digest_sha256("", 0, empty) ||
	    memcmp(empty, model_bytes(s->check->policy, s->value), sizeof(empty)) != 0)
		return 0;
	place = place_of(s);
	return check_soft(s->check, &place, "this is the sha256 of an empty file");
}

static int check_value(const struct subject *s)
{
	switch ((enum policy_matcher)s->value->matcher) {
	case POLICY_DOMAIN:
		return check_domain(s);
	case POLICY_NETWORK:
		return check_network(s);
	case POLICY_CERTIFICATE:
		return check_certificate(s);
	default:
		return 0;
	}
}

/* Does a rule of a path, or of a package, mean this one of the system's? */
static bool text_bans(const struct subject *s, const char *text)
{
	const char *have = model_bytes(s->check->policy, s->value);
	size_t len = s->value->len;

	if (!text)
		return false;
	if (s->value->flags & RULE_PREFIX)
		return strncmp(text, have, len) == 0;
	return strlen(text) == len && memcmp(text, have, len) == 0;
}

/* One file of the system: compared with each key of the rule. */
struct system_match {
	const struct policy_system_file *file;
	bool found;
};

static int system_key(void *ctx, const struct debar_key *key)
{
	struct system_match *match = ctx;

	match->found |= key->kind == match->file->key.kind &&
			memcmp(key->value, match->file->key.value, sizeof(key->value)) == 0;
	return 0;
}

static int check_system(const struct subject *s)
{
	const struct policy_checks *options = s->check->options;

	for (size_t i = 0; i < options->system_count; i++) {
		struct system_match match = { .file = &options->system[i] };
		const struct key_sink sink = { &match, system_key };
		struct policy_place place;
		int err = 0;

		if (s->value->matcher == POLICY_PATH)
			match.found = text_bans(s, match.file->path);
		else if (s->value->matcher == POLICY_PACKAGE)
			match.found = text_bans(s, match.file->package);
		else
			err = key_each(s->check->policy, s->value, NULL, &sink);
		if (err)
			return err;
		if (!match.found)
			continue;
		place = place_of(s);
		return check_soft(s->check, &place,
				  "this would refuse the running system: it bans %s",
				  match.file->path);
	}
	return 0;
}

/* The first four bytes are enough to pass by nearly every digest of a long list. */
static bool may_be_system(const struct check *check, const struct rule_value *value)
{
	const struct policy_checks *options = check->options;

	if (value->matcher == POLICY_DOMAIN || value->matcher == POLICY_NETWORK)
		return false;
	if (value->matcher != POLICY_SHA256)
		return true;
	for (size_t i = 0; i < options->system_count; i++)
		if (memcmp(options->system[i].key.value, model_bytes(check->policy, value), 4) == 0)
			return true;
	return false;
}

int check_breadth(const struct check *check)
{
	const struct policy_checks *options = check->options;
	const struct policy *policy = check->policy;
	uint8_t empty[32];
	int err = digest_sha256("", 0, empty);

	if (options->find_packages && policy_matchers(policy) & 1u << POLICY_PACKAGE)
		options->find_packages(options->ctx);
	for (size_t i = 0; !err && i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct subject s = { check, &rule->value, rule, NULL };

		if (rule->value.matcher == POLICY_SHA256 &&
		    memcmp(empty, model_bytes(policy, &rule->value), 4) == 0)
			err = check_empty(&s);
		else
			err = check_value(&s);
		if (!err && may_be_system(check, &rule->value))
			err = check_system(&s);
	}
	for (size_t i = 0; !err && i < policy->exception_count; i++) {
		struct rule_value value = model_exception_value(&policy->exceptions[i]);
		const struct subject s = { check, &value, NULL, &policy->exceptions[i] };

		err = check_value(&s);
	}
	return err;
}
