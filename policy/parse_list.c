/* SPDX-License-Identifier: MIT */
/*
 * Lists: one value a line, # comments. They may have millions of lines, so a line costs no
 * allocation, and its ordinal is the list's first ordinal plus its line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/digest.h"
#include "policy/parse.h"
#include "policy/text.h"
#include "policy/value.h"

/* Shortest line of a kind: how many rules and bytes a list of a size has at most, about. */
static int reserve(struct policy *policy, uint8_t matcher, size_t len)
{
	size_t line = matcher == POLICY_SHA256 || matcher == POLICY_CERTIFICATE ? 65 : 24;
	size_t rules = len / line + 1;

	return model_reserve(policy, rules, line == 65 ? rules * 32 : len + rules);
}

/* The value on a line: without the comment, the spaces around it and a carriage return. */
static void trim(const char **at, const char **end)
{
	const char *comment = memchr(*at, '#', (size_t)(*end - *at));

	/* A # inside a value (a path) is part of it; one that begins a word starts a comment. */
	while (comment && comment > *at && comment[-1] != ' ' && comment[-1] != '\t')
		comment = memchr(comment + 1, '#', (size_t)(*end - comment - 1));
	if (comment)
		*end = comment;
	while (*at < *end && (**at == ' ' || **at == '\t'))
		(*at)++;
	while (*at < *end && ((*end)[-1] == ' ' || (*end)[-1] == '\t' || (*end)[-1] == '\r'))
		(*end)--;
}

static int list_entry(struct parse *p, struct range *range, uint32_t line, const char *start,
		      const char *at, const char *end)
{
	struct policy *policy = p->policy;
	char words[VALUE_WORDS];
	struct rule_value value;
	int err = value_parse(policy, range->matcher, at, (size_t)(end - at), &value, words);

	if (err == -EINVAL)
		return policy_fail(p->error, range->file, line + 1, (unsigned int)(at - start) + 1,
				   "%s: %s", policy_matcher_name(range->matcher), words);
	if (!err)
		err = model_grow(&policy->rules, &policy->rule_room, policy->rule_count,
				 sizeof(*policy->rules));
	if (err)
		return err;
	policy->rules[policy->rule_count++] = (struct rule){
		.ordinal = range->base + line,
		.value = value,
		.ban = range->ban,
		.exec = range->exec,
		.network = range->network,
	};
	return 0;
}

static int list_entries(struct parse *p, struct range *range, const char *text, size_t len)
{
	const char *at = text, *stop = text + len;
	uint32_t line = 0;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (; at < stop; line++) {
		const char *newline = memchr(at, '\n', (size_t)(stop - at));
		const char *start = at, *end = newline ? newline : stop,
			   *next = newline ? end + 1 : stop;
		int err;

		if (line >= POLICY_RULES_MAX)
			return policy_fail(p->error, range->file, line + 1, 1,
					   "more than %u lines in one list", POLICY_RULES_MAX);
		trim(&at, &end);
		err = at < end ? list_entry(p, range, line, start, at, end) : 0;
		if (err)
			return err;
		at = next;
	}
	range->count = line;
	range->entries = (uint32_t)p->policy->rule_count - range->first;
	return 0;
}

/* Is the list one of the files being read just now? */
static bool reads_itself(const struct parse *p, const char *path)
{
	for (; p; p = p->outer)
		if (strcmp(p->file, path) == 0)
			return true;
	return false;
}

int parse_list(struct parse *p, struct range *range, const struct policy_place *place)
{
	cleanup(cleanup_free) char *text = NULL;
	size_t len = 0;
	int err;

	if (reads_itself(p, range->file))
		return policy_fail(p->error, place->file, place->line, place->column,
				   "\"%s\" is this policy itself, not a list", range->list);
	err = p->reader->read(p->reader->ctx, range->file, POLICY_LIST_MAX, &text, &len, p->error);
	if (err) {
		char why[sizeof(p->error->text)];

		memcpy(why, p->error->text, sizeof(why));
		(void)policy_fail(p->error, place->file, place->line, place->column,
				  "list \"%s\": %s", range->list, why);
		return err;
	}
	err = text_check(text, len, range->file, p->error);
	if (!err)
		err = digest_sha256(text, len, range->digest);
	if (!err)
		err = reserve(p->policy, range->matcher, len);
	if (!err)
		err = list_entries(p, range, text, len);
	if (!err && !range->entries)
		return policy_fail(p->error, range->file, 1, 1, "the list has no values");
	return err;
}
