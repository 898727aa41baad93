/* SPDX-License-Identifier: MIT */
/* Authorities and phases: by whose word, and since when. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

#define AUTHORITIES_MAX 64
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Lower-case letters, digits and what joins them: the id of a ban or of an authority. */
static int parse_id(struct parse *p, const char *name, const char *joints, const char **ret_id)
{
	const char *alnum = "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *id;
	int err = parse_string(p, name, 64, &id);

	if (err)
		return err;
	for (size_t i = 0, len = strlen(id); i < len; i++) {
		bool inner = i && i + 1 < len;

		if (!strchr(alnum, id[i]) && !(inner && strchr(joints, id[i])))
			return yaml_fail(p->yaml,
					 "\"%s\" is not an id: lower-case letters, digits and "
					 "hyphens between them",
					 id);
	}
	*ret_id = id;
	return 0;
}

int parse_ban_id(struct parse *p, const char *name, void *ban)
{
	return parse_id(p, name, "-", &((struct policy_ban *)ban)->id);
}

static int authority_id(struct parse *p, const char *name, void *object)
{
	return parse_id(p, name, "-.", &((struct policy_authority *)object)->id);
}

static int authority_title(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, 512, &((struct policy_authority *)object)->title);
}

static int authority_citation(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, 512, &((struct policy_authority *)object)->citation);
}

static int authority_binds(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, 1024, &((struct policy_authority *)object)->binds);
}

static int authority_note(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, 2048, &((struct policy_authority *)object)->note);
}

static int authority_url(struct parse *p, const char *name, void *object)
{
	struct policy_authority *authority = object;
	const char *url;
	int err = parse_string(p, name, 1024, &url);

	if (err)
		return err;
	if ((strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) ||
	    strpbrk(url, " <>\"\\"))
		return yaml_fail(p->yaml, "\"%s\" is not an http or https address", url);
	authority->url = url;
	return 0;
}

static int parse_act(struct parse *p, const char *name, void *object)
{
	struct policy_authority *authority = object;
	int word = 0, err = parse_word(p, name, &words_acts, &word);

	if (err)
		return err;
	if (authority->acts & 1u << word)
		return yaml_fail(p->yaml, "\"%s\" is given twice", words_acts.names[word]);
	authority->acts |= 1u << word;
	return 0;
}

static int authority_acts(struct parse *p, const char *name, void *object)
{
	return parse_sequence(p, name, parse_act, object);
}

static const struct parse_key authority_keys[] = {
	{ "id", authority_id },
	{ "title", authority_title },
	{ "citation", authority_citation },
	{ "url", authority_url },
	{ "acts", authority_acts },
	{ "binds", authority_binds },
	{ "note", authority_note },
};

/* Authorities while they are counted. */
struct authorities {
	size_t count;
	struct policy_authority list[AUTHORITIES_MAX];
};

static int parse_authority(struct parse *p, const char *name, void *object)
{
	struct authorities *all = object;
	struct policy_authority *now;
	struct parse_seen seen;
	int err;

	(void)name;
	if (all->count == AUTHORITIES_MAX)
		return yaml_fail(p->yaml, "a ban has at most %d authorities", AUTHORITIES_MAX);
	now = &all->list[all->count];
	err = parse_mapping(p, "an authority", authority_keys, COUNT(authority_keys), now, &seen);
	if (err)
		return err;
	if (!now->id || !now->title)
		return policy_fail(p->error, seen.at.file, seen.at.line, seen.at.column,
				   "the authority has no \"%s\"", now->id ? "title" : "id");
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->list[i].id, now->id) == 0)
			return policy_fail(p->error, seen.keys[0].file, seen.keys[0].line,
					   seen.keys[0].column,
					   "the authority \"%s\" is given twice", now->id);
	all->count++;
	return 0;
}

int parse_authorities(struct parse *p, const char *name, void *object)
{
	struct authorities all = {};
	struct policy_ban *ban = object;
	int err = parse_sequence(p, name, parse_authority, &all);

	if (err)
		return err;
	ban->authorities = model_alloc(p->policy, all.count * sizeof(all.list[0]));
	if (!ban->authorities)
		return -ENOMEM;
	memcpy(ban->authorities, all.list, all.count * sizeof(all.list[0]));
	ban->authority_count = all.count;
	return 0;
}

static int phase_from(struct parse *p, const char *name, void *object)
{
	return parse_instant(p, name, (int64_t *)&((struct debar_phase *)object)->from);
}

static int phase_exec(struct parse *p, const char *name, void *object)
{
	return parse_action(p, name, &((struct debar_phase *)object)->exec);
}

static int phase_network(struct parse *p, const char *name, void *object)
{
	return parse_action(p, name, &((struct debar_phase *)object)->network);
}

static const struct parse_key phase_keys[] = {
	{ "from", phase_from },
	{ "exec", phase_exec },
	{ "network", phase_network },
};

static int parse_phase(struct parse *p, const char *name, void *object)
{
	struct policy_ban *ban = object;
	struct debar_phase phase = {};
	struct parse_seen seen;
	int err;

	(void)name;
	if (ban->phase_count == DEBAR_PHASES_MAX)
		return yaml_fail(p->yaml, "a ban has at most %d phases", DEBAR_PHASES_MAX);
	err = parse_mapping(p, "a phase", phase_keys, COUNT(phase_keys), &phase, &seen);
	if (err)
		return err;
	for (size_t i = 0; i < COUNT(phase_keys); i++)
		if (!seen.keys[i].line)
			return policy_fail(p->error, seen.at.file, seen.at.line, seen.at.column,
					   "the phase has no \"%s\"", phase_keys[i].name);
	if (ban->phase_count && ban->phases[ban->phase_count - 1].from >= phase.from)
		return policy_fail(p->error, seen.keys[0].file, seen.keys[0].line,
				   seen.keys[0].column,
				   "the phase does not begin after the one above it; put phases in "
				   "the order of time");
	ban->phases[ban->phase_count++] = phase;
	return 0;
}

int parse_phases(struct parse *p, const char *name, void *ban)
{
	return parse_sequence(p, name, parse_phase, ban);
}
