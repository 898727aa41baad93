/* SPDX-License-Identifier: MIT */
/* A policy file: one ban, and the files of rules it includes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/parse.h"
#include "policy/text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int ban_title(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, 512, &((struct policy_ban *)object)->title);
}

static int parse_boolean(struct parse *p, const char *name, bool *ret_value)
{
	int word = 0, err = parse_word(p, name, &words_boolean, &word);

	if (err)
		return err;
	if (!yaml_plain(p->yaml))
		return yaml_fail(p->yaml, "\"%s\" is true or false, without quotes", name);
	*ret_value = word;
	return 0;
}

/* A key that says one of two words: which of them is the stricter? */
static int parse_switch(struct parse *p, const char *name, const struct words *words,
			bool *ret_strict)
{
	int word = 0, err = parse_word(p, name, words, &word);

	if (!err)
		*ret_strict = word;
	return err;
}

static int ban_unclassified(struct parse *p, const char *name, void *object)
{
	return parse_switch(p, name, &words_allow_deny,
			    &((struct policy_ban *)object)->unclassified_deny);
}

static int ban_oversize(struct parse *p, const char *name, void *object)
{
	return parse_switch(p, name, &words_allow_deny,
			    &((struct policy_ban *)object)->oversize_deny);
}

static int ban_running(struct parse *p, const char *name, void *object)
{
	return parse_switch(p, name, &words_running, &((struct policy_ban *)object)->kill);
}

static int ban_loss(struct parse *p, const char *name, void *object)
{
	return parse_switch(p, name, &words_allow_deny, &((struct policy_ban *)object)->loss_deny);
}

static int ban_malformed(struct parse *p, const char *name, void *object)
{
	return parse_switch(p, name, &words_allow_deny,
			    &((struct policy_ban *)object)->malformed_deny);
}

static int ban_learn(struct parse *p, const char *name, void *object)
{
	return parse_boolean(p, name, &((struct policy_ban *)object)->learn);
}

static int ban_serial(struct parse *p, const char *name, void *object)
{
	struct policy_ban *ban = object;
	uint64_t serial = 0;
	const char *text;
	int err = parse_string(p, name, 64, &text);

	if (err)
		return err;
	if (text[strspn(text, "0123456789")] || text[0] == '0' || strlen(text) > 18)
		return yaml_fail(p->yaml, "\"%s\" is a whole number from 1, of at most 18 digits",
				 name);
	for (; *text; text++)
		serial = serial * 10 + (uint64_t)(*text - '0');
	ban->serial = serial;
	return 0;
}

static int ban_expires(struct parse *p, const char *name, void *object)
{
	return parse_instant(p, name, &((struct policy_ban *)object)->expires);
}

static int parse_one_include(struct parse *p, const char *name, void *object)
{
	struct parse_include include = { .place = parse_place(p) };
	int err = parse_beside(p, name, &include.path);

	(void)object;
	if (err)
		return err;
	for (const struct parse *at = p; at; at = at->outer)
		if (strcmp(at->file, include.path) == 0)
			return yaml_fail(p->yaml, "\"%s\" includes itself%s", include.path,
					 at == p ? "" : " through other files");
	for (size_t i = 0; i < p->include_count; i++)
		if (strcmp(p->includes[i].path, include.path) == 0)
			return yaml_fail(p->yaml, "\"%s\" is included twice", include.path);
	err = model_grow(&p->includes, &p->include_room, p->include_count, sizeof(*p->includes));
	if (!err)
		p->includes[p->include_count++] = include;
	return err;
}

/* Read when this file is done, so that its own rules come first. */
static int ban_include(struct parse *p, const char *name, void *object)
{
	if (yaml_is(p->yaml, YAML_SEQUENCE_START_EVENT))
		return parse_sequence(p, name, parse_one_include, object);
	return parse_one_include(p, name, object);
}

/* clang-format off */
static const struct parse_key ban_keys[] = {
	{ "ban", parse_ban_id },	{ "title", ban_title },
	{ "authorities", parse_authorities }, { "phases", parse_phases },
	{ "unclassified", ban_unclassified }, { "oversize", ban_oversize },
	{ "rules", parse_rules },	{ "include", ban_include },
	{ "on_running", ban_running },	{ "on_controller_loss", ban_loss },
	{ "learn", ban_learn },		{ "malformed", ban_malformed },
	{ "serial", ban_serial },	{ "expires", ban_expires },
	{ "except", parse_exceptions },
};

static const struct parse_key include_keys[] = {
	{ "rules", parse_rules },	{ "include", ban_include },
};
/* clang-format on */

/* The one document of the current stream. */
static int parse_document(struct parse *p, struct parse_seen *ret_seen)
{
	bool included = p->outer != NULL;
	int err = yaml_next(p->yaml);

	if (!err)
		err = yaml_next(p->yaml);
	if (err)
		return err;
	if (yaml_is(p->yaml, YAML_STREAM_END_EVENT))
		return policy_fail(p->error, p->file, 1, 1, "the file is empty");
	err = yaml_next(p->yaml);
	if (!err && yaml_is(p->yaml, YAML_SCALAR_EVENT) && !yaml_len(p->yaml))
		return policy_fail(p->error, p->file, 1, 1, "the file is empty");
	if (!err && included)
		err = parse_mapping(p, "a file of rules", include_keys, COUNT(include_keys),
				    p->draft, ret_seen);
	else if (!err)
		err = parse_mapping(p, "a policy", ban_keys, COUNT(ban_keys), p->draft, ret_seen);
	if (!err)
		err = yaml_next(p->yaml);
	if (!err)
		err = yaml_next(p->yaml);
	if (!err && !yaml_is(p->yaml, YAML_STREAM_END_EVENT))
		return yaml_fail(p->yaml, "a second document; a file holds one ban");
	return err;
}

static int parse_text(struct parse *p, const char *text, size_t len, struct parse_seen *ret_seen)
{
	cleanup(yaml_close) struct yaml yaml = {};
	int err = text_check(text, len, p->file, p->error);

	if (!err)
		err = yaml_open(&yaml, text, len, p->file, p->error);
	if (err)
		return err;
	p->yaml = &yaml;
	err = parse_document(p, ret_seen);
	p->yaml = NULL;
	if (err)
		return err;
	if (!p->has_rules && !p->include_count)
		return policy_fail(
			p->error, p->file, ret_seen->at.line, ret_seen->at.column,
			"the policy has no \"rules\" and no \"include\": it bans nothing");
	return 0;
}

static void parse_release(struct parse *p)
{
	free(p->includes);
}

static int read_include(const struct parse *outer, const struct parse_include *include);

static int read_includes(const struct parse *p)
{
	for (size_t i = 0; i < p->include_count; i++) {
		int err = read_include(p, &p->includes[i]);

		if (err)
			return err;
	}
	return 0;
}

/* Recursion is bounded: POLICY_INCLUDE_DEPTH, and no file includes itself. */
static int read_include(const struct parse *outer, const struct parse_include *include)
{
	cleanup(parse_release) struct parse p = *outer;
	cleanup(cleanup_free) char *text = NULL;
	const struct policy_place *at = &include->place;
	struct parse_seen seen;
	size_t len = 0;
	int err;

	p.outer = outer;
	p.file = include->path;
	p.depth = outer->depth + 1;
	p.includes = NULL;
	p.include_count = p.include_room = 0;
	p.has_rules = false;
	if (p.depth > POLICY_INCLUDE_DEPTH)
		return policy_fail(p.error, at->file, at->line, at->column,
				   "files include one another more than %d deep",
				   POLICY_INCLUDE_DEPTH);
	err = p.reader->read(p.reader->ctx, p.file, POLICY_FILE_MAX, &text, &len, p.error);
	if (err) {
		char why[sizeof(p.error->text)];

		memcpy(why, p.error->text, sizeof(why));
		(void)policy_fail(p.error, at->file, at->line, at->column, "include \"%s\": %s",
				  p.file, why);
		return err;
	}
	err = parse_text(&p, text, len, &seen);
	return err ? err : read_includes(&p);
}

/* What only the whole of a ban can say. */
static int finish(struct parse *p, const struct parse_seen *seen)
{
	struct policy *policy = p->policy;
	int err;

	if (!p->draft->id)
		return policy_fail(p->error, p->file, seen->at.line, seen->at.column,
				   "the policy has no \"ban\", the id it is known by");
	err = model_grow(&policy->bans, &policy->ban_room, policy->ban_count,
			 sizeof(*policy->bans));
	if (err)
		return err;
	p->draft->place = seen->keys[0];
	policy->bans[policy->ban_count++] = *p->draft;
	return 0;
}

int policy_add(struct policy *policy, const struct policy_reader *reader, const char *path,
	       struct policy_error *reterr)
{
	struct policy_ban draft = { .expires = DEBAR_FOREVER };
	struct policy_error error = {};
	cleanup(cleanup_free) char *text = NULL;
	cleanup(parse_release) struct parse p = {
		.policy = policy,
		.reader = reader,
		.error = &error,
		.ban = (uint8_t)policy->ban_count,
		.draft = &draft,
	};
	struct parse_seen seen;
	size_t len = 0;
	int err;

	p.file = model_string(policy, path, strlen(path));
	if (!p.file)
		return -ENOMEM;
	if (policy->ban_count == DEBAR_BANS_MAX)
		err = policy_fail(&error, p.file, 1, 1, "more than %d bans in one policy",
				  DEBAR_BANS_MAX);
	else
		err = reader->read(reader->ctx, path, POLICY_FILE_MAX, &text, &len, &error);
	if (err && !error.file[0])
		(void)snprintf(error.file, sizeof(error.file), "%s", path);
	if (!err)
		err = parse_text(&p, text, len, &seen);
	if (!err)
		err = read_includes(&p);
	if (!err)
		err = finish(&p, &seen);
	if (err == -ENOMEM)
		(void)policy_fail(&error, path, 0, 0, "not enough memory");
	if (err == -E2BIG)
		(void)policy_fail(&error, path, 0, 0, "more than 4 GiB of values");
	if (err && reterr)
		*reterr = error;
	return err;
}
