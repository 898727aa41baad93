/* SPDX-License-Identifier: MIT */
/* Rules and exceptions: one matcher each, and what is said beside it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/text.h"
#include "policy/value.h"

#define NOTE_MAX 1024
#define EXCEPTIONS_MAX 4096

/* A rule or an exception while its keys are read. */
struct draft {
	bool has_matcher;
	bool is_list;
	struct rule_value value;
	struct policy_place place; /* of the matcher's value */
	const char *list;	   /* as seen from the policy */
	const char *list_file;	   /* as it will be read */
	struct policy_place kind_place;
	uint8_t kind; /* enum policy_matcher */
	uint8_t action, exec, network;
	const char *note, *reason, *owner;
	int64_t until;
};

/* A second matcher, or room for the first? */
static int one_matcher(struct parse *p, struct draft *draft, const char *name)
{
	if (draft->has_matcher)
		return yaml_fail(p->yaml,
				 "\"%s\" is a second matcher; a rule has one, write two rules",
				 name);
	draft->has_matcher = true;
	draft->place = parse_place(p);
	return 0;
}

static int draft_matcher(struct parse *p, const char *name, void *object)
{
	struct draft *draft = object;
	int matcher = words_find(&words_matchers, name);
	char words[VALUE_WORDS];
	int err = one_matcher(p, draft, name);

	if (err)
		return err;
	if (matcher == POLICY_CERTIFICATE)
		return parse_certificate(p, name, &draft->value);
	err = parse_scalar(p, name);
	if (err)
		return err;
	err = value_parse(p->policy, (enum policy_matcher)matcher, yaml_text(p->yaml),
			  yaml_len(p->yaml), &draft->value, words);
	return err == -EINVAL ? yaml_fail(p->yaml, "%s: %s", name, words) : err;
}

/* The one word with two meanings: an action is the verdict on names, anything else an address. */
static int draft_network(struct parse *p, const char *name, void *object)
{
	struct draft *draft = object;

	if (yaml_is(p->yaml, YAML_SCALAR_EVENT) &&
	    words_find(&words_actions, yaml_text(p->yaml)) >= 0)
		return parse_action(p, name, &draft->network);
	return draft_matcher(p, name, object);
}

/* A list's path seen from the policy itself, wherever the include that names it lies. */
static const char *beside_policy(const struct parse *p, const char *path)
{
	const char *slash;

	while (p->outer)
		p = p->outer;
	slash = strrchr(p->file, '/');
	return slash ? path + (slash + 1 - p->file) : path;
}

static int draft_list(struct parse *p, const char *name, void *object)
{
	struct draft *draft = object;
	int err = one_matcher(p, draft, name);

	if (!err)
		err = parse_beside(p, name, &draft->list_file);
	if (err)
		return err;
	draft->is_list = true;
	draft->list = beside_policy(p, draft->list_file);
	return 0;
}

static int draft_kind(struct parse *p, const char *name, void *object)
{
	struct draft *draft = object;
	int word = 0, err = parse_word(p, name, &words_kinds, &word);

	if (err)
		return err;
	draft->kind = (uint8_t)word;
	draft->kind_place = parse_place(p);
	return 0;
}

static int draft_exec(struct parse *p, const char *name, void *object)
{
	return parse_action(p, name, &((struct draft *)object)->exec);
}

static int draft_action(struct parse *p, const char *name, void *object)
{
	return parse_action(p, name, &((struct draft *)object)->action);
}

static int draft_note(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, NOTE_MAX, &((struct draft *)object)->note);
}

static int draft_reason(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, NOTE_MAX, &((struct draft *)object)->reason);
}

static int draft_owner(struct parse *p, const char *name, void *object)
{
	return parse_prose(p, name, 256, &((struct draft *)object)->owner);
}

static int draft_until(struct parse *p, const char *name, void *object)
{
	return parse_instant(p, name, &((struct draft *)object)->until);
}

static int refuse_task(struct parse *p, const char *name, void *object)
{
	(void)object;
	return yaml_fail(p->yaml,
			 "\"%s\" is for exceptions only; a ban is about software, not users", name);
}

/*
 * What else names a file can be given to another: a signature or a build-id is not verified (a ban only
 * refuses too much by it), and a path is whoever may write there. What is let pass is known byte by byte.
 */
static int refuse_forgeable(struct parse *p, const char *name, void *object)
{
	(void)object;
	return yaml_fail(p->yaml,
			 "\"%s\" cannot except a file, for another can be given it; use its sha256",
			 name);
}

/* clang-format off */
static const struct parse_key rule_keys[] = {
	{ "sha256", draft_matcher },	{ "authenticode", draft_matcher },
	{ "certificate", draft_matcher }, { "package", draft_matcher },
	{ "buildid", draft_matcher },	{ "fsverity", draft_matcher },
	{ "path", draft_matcher },	{ "domain", draft_matcher },
	{ "network", draft_network },	{ "list", draft_list },
	{ "kind", draft_kind },		{ "note", draft_note },
	{ "exec", draft_exec },		{ "action", draft_action },
	{ "uid", refuse_task },		{ "cgroup", refuse_task },
};

static const struct parse_key except_keys[] = {
	{ "sha256", draft_matcher },	{ "authenticode", refuse_forgeable },
	{ "certificate", refuse_forgeable }, { "package", refuse_forgeable },
	{ "buildid", refuse_forgeable },	{ "fsverity", refuse_forgeable },
	{ "path", refuse_forgeable },	{ "domain", draft_matcher },
	{ "network", draft_matcher },	{ "uid", draft_matcher },
	{ "cgroup", draft_matcher },	{ "reason", draft_reason },
	{ "owner", draft_owner },	{ "until", draft_until },
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int fail_at(struct parse *p, const struct policy_place *at, const char *text)
{
	return policy_fail(p->error, at->file, at->line, at->column, "%s", text);
}

/* Where the key of this name stood, for errors about how keys go together. */
static const struct policy_place *seen_key(const struct parse_seen *seen, const char *name)
{
	for (size_t i = 0; i < COUNT(rule_keys); i++)
		if (strcmp(rule_keys[i].name, name) == 0)
			return &seen->keys[i];
	return &seen->at;
}

static int check_rule(struct parse *p, struct draft *draft, const struct parse_seen *seen)
{
	bool has_kind = draft->kind_place.line != 0, net;
	uint8_t matcher = draft->is_list ? draft->kind : draft->value.matcher;

	if (!draft->has_matcher)
		return fail_at(p, &seen->at,
			       "the rule has no matcher; give it sha256, certificate, "
			       "package, domain, ... or list");
	if (draft->is_list && !has_kind)
		return fail_at(p, &draft->place, "a list needs its kind, such as \"kind: sha256\"");
	if (!draft->is_list && has_kind)
		return fail_at(p, &draft->kind_place, "\"kind\" belongs to a list");
	if (draft->action && (draft->exec || draft->network))
		return fail_at(p, seen_key(seen, "action"),
			       "\"action\" already says what exec and network are");
	net = matcher == POLICY_DOMAIN || matcher == POLICY_NETWORK;
	if (net && draft->exec)
		return fail_at(p, seen_key(seen, "exec"),
			       matcher == POLICY_NETWORK && !draft->is_list ?
				       "\"exec\" says nothing about an address; use \"action\"" :
				       "\"exec\" says nothing about a name or an address; use "
				       "\"network\"");
	if (!net && draft->network)
		return fail_at(p, seen_key(seen, "network"),
			       "\"network\" says nothing about a file; use \"exec\"");
	return 0;
}

/* A list is read here, so that its entries follow the rules above it. */
static int add_rule(struct parse *p, const struct draft *draft, const struct policy_place *at)
{
	struct policy *policy = p->policy;
	struct range range = {
		.base = policy->ordinals,
		.count = 1,
		.first = (uint32_t)policy->rule_count,
		.entries = 1,
		.place = *at,
		.note = draft->note,
		.list = draft->list,
		.file = draft->list_file,
		.ban = p->ban,
		.matcher = draft->is_list ? draft->kind : draft->value.matcher,
		.exec = draft->action ? draft->action : draft->exec,
		.network = draft->action ? draft->action : draft->network,
	};
	int err = model_grow(&policy->ranges, &policy->range_room, policy->range_count,
			     sizeof(*policy->ranges));

	if (err)
		return err;
	if (draft->is_list) {
		err = parse_list(p, &range, &draft->place);
	} else {
		err = model_grow(&policy->rules, &policy->rule_room, policy->rule_count,
				 sizeof(*policy->rules));
		if (!err)
			policy->rules[policy->rule_count++] = (struct rule){
				.ordinal = range.base,
				.value = draft->value,
				.ban = p->ban,
				.exec = range.exec,
				.network = range.network,
			};
	}
	if (err)
		return err;
	if (policy->ordinals + range.count > POLICY_RULES_MAX)
		return policy_fail(p->error, at->file, at->line, at->column,
				   "more than %u rules in one policy", POLICY_RULES_MAX);
	policy->ordinals += range.count;
	p->draft->rules[range.matcher] += range.entries;
	policy->ranges[policy->range_count++] = range;
	return 0;
}

static int parse_rule(struct parse *p, const char *name, void *object)
{
	struct draft draft = { .until = DEBAR_FOREVER };
	struct parse_seen seen;
	int err = parse_mapping(p, "a rule", rule_keys, COUNT(rule_keys), &draft, &seen);

	(void)name;
	(void)object;
	if (!err)
		err = check_rule(p, &draft, &seen);
	if (!err)
		err = add_rule(p, &draft, &seen.at);
	return err;
}

int parse_rules(struct parse *p, const char *name, void *object)
{
	p->has_rules = true;
	return parse_sequence(p, name, parse_rule, object);
}

static int parse_exception(struct parse *p, const char *name, void *object)
{
	struct draft draft = { .until = DEBAR_FOREVER };
	struct policy *policy = p->policy;
	struct parse_seen seen;
	int err = parse_mapping(p, "an exception", except_keys, COUNT(except_keys), &draft, &seen);

	(void)name;
	(void)object;
	if (err)
		return err;
	if (!draft.has_matcher)
		return fail_at(p, &seen.at,
			       "the exception has no matcher; give it sha256, domain, "
			       "cgroup, uid, ...");
	if (!draft.reason)
		return fail_at(p, &seen.at, "the exception has no reason; say why it is made");
	if (policy->exception_count == EXCEPTIONS_MAX)
		return fail_at(p, &seen.at, "more than 4096 exceptions in one policy");
	err = model_grow(&policy->exceptions, &policy->exception_room, policy->exception_count,
			 sizeof(*policy->exceptions));
	if (err)
		return err;
	policy->exceptions[policy->exception_count++] = (struct policy_exception){
		.ban = p->ban,
		.matcher = draft.value.matcher,
		.flags = draft.value.flags,
		.len = draft.value.len,
		.value = draft.value.offset,
		.until = draft.until,
		.reason = draft.reason,
		.owner = draft.owner,
		.place = seen.at,
	};
	return 0;
}

int parse_exceptions(struct parse *p, const char *name, void *object)
{
	return parse_sequence(p, name, parse_exception, object);
}
