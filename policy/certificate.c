/* SPDX-License-Identifier: MIT */
/*
 * Does a certificate meet a rule? Names are compared as X.520 compares them, without regard to
 * case and to runs of spaces: a renewed certificate may differ in both. Nothing here is a check of
 * trust: a ban looks at what a signature claims, and a forged claim only bans more.
 */
#include <string.h>

#include "policy/model.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The next character of a folded string: lower case, one space for a run, none at the ends. */
static char folded(const char **at, bool *begun)
{
	bool space = false;

	while (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r') {
		space = true;
		(*at)++;
	}
	if (space && *begun && **at)
		return ' ';
	*begun = true;
	return **at ? lower(*(*at)++) : '\0';
}

static bool same_text(const char *a, const char *b)
{
	bool a_begun = false, b_begun = false;

	for (;;) {
		char x = folded(&a, &a_begun), y = folded(&b, &b_begun);

		if (x != y)
			return false;
		if (!x)
			return true;
	}
}

/* Some value of the attribute is one of those the rule lists. */
static bool attribute_matches(const struct policy_attribute_rule *rule,
			      const struct policy_attribute *attributes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(attributes[i].name, rule->name) != 0)
			continue;
		for (size_t j = 0; j < rule->value_count; j++)
			if (same_text(attributes[i].value, rule->values[j]))
				return true;
	}
	return false;
}

static bool attribute_asks(const struct policy_attribute_rule *rules, size_t count,
			   const char *text)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < rules[i].value_count; j++)
			if (same_text(text, rules[i].values[j]))
				return true;
	return false;
}

bool certificate_asks(const struct policy_certificate *rule, const char *text)
{
	return attribute_asks(rule->subject, rule->subject_count, text) ||
	       attribute_asks(rule->issuer, rule->issuer_count, text) ||
	       (rule->serial && same_text(text, rule->serial));
}

static bool name_matches(const struct policy_attribute_rule *rules, size_t rule_count,
			 const struct policy_attribute *attributes, size_t count)
{
	for (size_t i = 0; i < rule_count; i++)
		if (!attribute_matches(&rules[i], attributes, count))
			return false;
	return true;
}

static bool serial_matches(const char *rule, const char *serial)
{
	if (!serial)
		return false;
	while (serial[0] == '0' && serial[1])
		serial++;
	while (*rule && lower(*serial) == *rule) {
		rule++;
		serial++;
	}
	return !*rule && !*serial;
}

static bool digest_matches(bool asked, const uint8_t *want, const uint8_t *have, size_t len)
{
	return !asked || (have && memcmp(want, have, len) == 0);
}

bool policy_certificate_matches(const struct policy_certificate *rule,
				const struct policy_cert_facts *facts)
{
	return name_matches(rule->subject, rule->subject_count, facts->subject,
			    facts->subject_count) &&
	       name_matches(rule->issuer, rule->issuer_count, facts->issuer, facts->issuer_count) &&
	       (!rule->serial || serial_matches(rule->serial, facts->serial)) &&
	       digest_matches(rule->has_sha256, rule->sha256, facts->sha256, 32) &&
	       digest_matches(rule->has_sha1, rule->sha1, facts->sha1, 20) &&
	       digest_matches(rule->has_spki_sha256, rule->spki_sha256, facts->spki_sha256, 32);
}

/* An entry of a list of certificates is nothing but a sha256. */
static bool rule_matches(const struct policy *policy, const struct rule_value *value,
			 const struct policy_cert_facts *facts)
{
	const struct policy_certificate *certificate = model_certificate(policy, value);

	if (certificate)
		return policy_certificate_matches(certificate, facts);
	return digest_matches(true, model_bytes(policy, value), facts->sha256, 32);
}

bool policy_cert_banned(const struct policy *policy, const struct policy_cert_facts *facts,
			uint32_t *ret_rule)
{
	for (size_t i = 0; i < policy->range_count; i++) {
		const struct range *range = &policy->ranges[i];

		if (range->matcher != POLICY_CERTIFICATE)
			continue;
		for (uint32_t j = range->first; j < range->first + range->entries; j++) {
			if (!rule_matches(policy, &policy->rules[j].value, facts))
				continue;
			*ret_rule = policy->rules[j].ordinal;
			return true;
		}
	}
	return false;
}
