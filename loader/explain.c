/* SPDX-License-Identifier: MIT */
/*
 * debar policy explain: why, since when, by whose authority, until when. It says what an authority
 * prohibits and whom it binds, and where it does not ask for what debar does, it says whose
 * decision that is: claiming more than the law says would be worse than no tool.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "loader/commands.h"
#include "loader/message.h"
#include "loader/policy.h"
#include "policy/cleanup.h"

#define RULES_MAX 64
#define PROSE_INDENT 14
#define PROSE_WIDTH 100

/* Acts that ask the holder of a machine, where prohibited, to keep files or names from use. */
#define ACTS_EXEC (1u << POLICY_ACT_USE | 1u << POLICY_ACT_INSTALL)
#define ACTS_NETWORK (1u << POLICY_ACT_USE | 1u << POLICY_ACT_CONNECT)

static const char *done_word(enum debar_action action)
{
	return action == DEBAR_DENY ? "denied" : action == DEBAR_AUDIT ? "audited" : "let be";
}

/* Does some authority of the ban ask for this? */
static bool demanded(const struct policy_ban *ban, unsigned int acts)
{
	for (size_t i = 0; i < ban->authority_count; i++)
		if (ban->authorities[i].acts & acts)
			return true;
	return false;
}

/* A paragraph, in lines that a screen holds. */
static void tell_prose(const char *label, const char *text)
{
	int column = printf("%*s%s", PROSE_INDENT, "", label);

	for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
		int len = (int)strcspn(text, " \n");

		if (column > PROSE_INDENT && column + 1 + len > PROSE_WIDTH)
			column = printf("\n%*s", PROSE_INDENT - 1, "");
		column += printf(" %.*s", len, text);
		text += len;
	}
	putchar('\n');
}

static void tell_authority(const struct policy_authority *authority)
{
	const char *comma = "";

	printf("  authority   %s: %s\n", authority->id, authority->title);
	if (authority->citation)
		printf("              %s\n", authority->citation);
	if (authority->url)
		printf("              %s\n", authority->url);
	printf("              prohibits ");
	for (int act = 0; act < POLICY_ACT_MAX; act++) {
		if (!(authority->acts & 1u << act))
			continue;
		printf("%s%s", comma, policy_act_name(act));
		comma = ", ";
	}
	printf("%s\n", authority->acts ? "" : "nothing that this policy names");
	if (authority->binds)
		tell_prose("binds", authority->binds);
	if (authority->note)
		tell_prose("note:", authority->note);
}

static void tell_phases(const struct policy_ban *ban, int64_t at)
{
	const struct debar_phase *next = policy_phase_next(ban, at);
	struct debar_phase phase = policy_phase_at(ban, at);
	char instant[40];

	if (!ban->phase_count)
		printf("  since       the policy is in force: it has no phases\n");
	for (size_t i = 0; i < ban->phase_count; i++)
		printf("  %-11s %s exec %s, network %s%s\n", i ? "" : "since",
		       policy_instant_format(ban->phases[i].from, instant, sizeof(instant)),
		       policy_action_name(ban->phases[i].exec),
		       policy_action_name(ban->phases[i].network),
		       ban->phases[i].from == phase.from ? "  <- in force" : "");
	if (next)
		printf("  until       %s, when the %s phase begins\n",
		       policy_instant_format(next->from, instant, sizeof(instant)),
		       next == ban->phases ? "first" : "next");
	else if (ban->expires != DEBAR_FOREVER)
		printf("  until       %s, when the policy expires\n",
		       policy_instant_format(ban->expires, instant, sizeof(instant)));
	else
		printf("  until       no end is set\n");
}

/* Whose decision a refusal is. To watch, or to do nothing, needs nobody's word. */
static const char *decision(const struct policy_ban *ban, unsigned int acts)
{
	if (demanded(ban, acts))
		return "An authority above asks for it of those it binds; for others it is their "
		       "own decision.";
	if (ban->authority_count)
		return "No authority above asks for it: it is the organisation's own decision.";
	return "The policy names no authority: it is the organisation's own decision.";
}

static void tell_action(const struct policy *policy, size_t index, bool network, int64_t at)
{
	const struct policy_ban *ban = policy_ban_get(policy, index);
	const char *what = network ? "network" : "files", *comma = ", but ";
	unsigned int own = policy_own_actions(policy, index, network);
	struct debar_phase phase = policy_phase_at(ban, at);
	enum debar_action action = network ? phase.network : phase.exec;

	if (!own) {
		printf("  %-11s no rule is about %s\n", what,
		       network ? "names or addresses" : "files");
		return;
	}
	if (action == DEBAR_OFF)
		own = 0;
	printf("  %-11s %s", what, done_word(action));
	for (enum debar_action said = DEBAR_DENY; said > DEBAR_INHERIT; said--) {
		if (said == action || !(own & 1u << said))
			continue;
		printf("%s%s", comma, done_word(said));
		comma = " or ";
	}
	printf("%s.", *comma == ',' ? "" : " where a rule says so");
	if (action == DEBAR_DENY || own & 1u << DEBAR_DENY)
		printf(" %s", decision(ban, network ? ACTS_NETWORK : ACTS_EXEC));
	putchar('\n');
}

static void tell_exceptions(const struct policy *policy, size_t ban, int64_t at)
{
	char value[POLICY_VALUE_MAX], until[40];

	for (size_t i = 0; i < policy_exception_count(policy); i++) {
		const struct policy_exception *e = policy_exception_get(policy, i);

		if (e->ban != ban)
			continue;
		printf("  except      %s %s: %s", policy_matcher_name(e->matcher),
		       policy_exception_value(policy, e, value, sizeof(value)), e->reason);
		if (e->owner)
			printf(" (%s)", e->owner);
		if (e->until != DEBAR_FOREVER)
			printf(", %s %s", e->until <= at ? "ended" : "until",
			       policy_instant_format(e->until, until, sizeof(until)));
		putchar('\n');
	}
}

static void tell_ban(const struct policy *policy, size_t index, int64_t at)
{
	const struct policy_ban *ban = policy_ban_get(policy, index);
	char instant[40];

	printf("%s%s%s\n", ban->id, ban->title ? ": " : "", ban->title ? ban->title : "");
	printf("  at          %s\n", policy_instant_format(at, instant, sizeof(instant)));
	for (size_t i = 0; i < ban->authority_count; i++)
		tell_authority(&ban->authorities[i]);
	tell_phases(ban, at);
	tell_action(policy, index, false, at);
	tell_action(policy, index, true, at);
	tell_exceptions(policy, index, at);
}

static bool is_network(enum policy_matcher matcher)
{
	return matcher == POLICY_DOMAIN || matcher == POLICY_NETWORK;
}

/* What the rule does at an instant: its own word where the ban is not off, or the phase's. */
static enum debar_action action_at(const struct policy_ban *ban,
				   const struct policy_rule_info *rule, int64_t at)
{
	struct debar_phase phase = policy_phase_at(ban, at);
	bool network = is_network(rule->matcher);

	return policy_phase_action(&phase, network, network ? rule->network : rule->exec);
}

/* Since when, and until when: a rule's own word outlasts the phases that are told of below. */
static void tell_span(const struct policy_ban *ban, const struct policy_rule_info *rule, int64_t at)
{
	bool network = is_network(rule->matcher);
	char instant[40];
	int64_t since, until;

	policy_phase_span(ban, network, network ? rule->network : rule->exec, at, &since, &until);
	printf("  this rule   %s", done_word(action_at(ban, rule, at)));
	if (since != INT64_MIN)
		printf(" since %s", policy_instant_format(since, instant, sizeof(instant)));
	if (until != DEBAR_FOREVER)
		printf(" until %s\n", policy_instant_format(until, instant, sizeof(instant)));
	else
		printf("; no phase of the ban changes that\n");
}

static size_t ban_index(const struct policy *policy, const char *id)
{
	size_t i = 0;

	while (strcmp(policy_ban_get(policy, i)->id, id) != 0)
		i++;
	return i;
}

static void tell_rule(const struct policy *policy, const char *asked, uint32_t ordinal, int64_t at)
{
	const struct policy_exception *exception;
	struct policy_rule_info rule;
	size_t ban;

	if (policy_rule(policy, ordinal, &rule))
		return;
	ban = ban_index(policy, rule.ban);
	exception = policy_find_exception(policy, rule.ban, asked, at);
	printf("%s: %s %s %s:%u (%s %s) of ban %s%s%s\n", asked,
	       exception ? "excepted" :
			   done_word(action_at(policy_ban_get(policy, ban), &rule, at)),
	       exception ? "from" : "by", rule.place.file, rule.place.line,
	       policy_matcher_name(rule.matcher), rule.value, rule.ban, rule.note ? ": " : "",
	       rule.note ? rule.note : "");
	if (exception)
		printf("  exception at %s:%u: %s\n", exception->place.file, exception->place.line,
		       exception->reason);
	else
		tell_span(policy_ban_get(policy, ban), &rule, at);
}

/* Each rule in one line, then each of their bans once. */
static void tell_rules(const struct policy *policy, const char *asked, const uint32_t *ordinals,
		       size_t count, int64_t at)
{
	bool told[DEBAR_BANS_MAX] = {};
	struct policy_rule_info rule;

	for (size_t i = 0; i < count; i++)
		tell_rule(policy, asked, ordinals[i], at);
	for (size_t i = 0; i < count; i++) {
		size_t ban;

		if (policy_rule(policy, ordinals[i], &rule))
			continue;
		ban = ban_index(policy, rule.ban);
		if (!told[ban])
			tell_ban(policy, ban, at);
		told[ban] = true;
	}
}

static json_t *authority_json(const struct policy_authority *authority)
{
	json_t *acts = json_array();

	for (int act = 0; act < POLICY_ACT_MAX; act++)
		if (authority->acts & 1u << act)
			json_array_append_new(acts, json_string(policy_act_name(act)));
	return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:s*, s:s?}", "id", authority->id, "title",
			 authority->title, "citation", authority->citation, "url", authority->url,
			 "acts", acts, "binds", authority->binds, "note", authority->note);
}

static json_t *phase_json(const struct debar_phase *phase)
{
	char from[40];

	if (!phase)
		return json_null();
	return json_pack("{s:s?, s:s, s:s}", "from",
			 phase->from == INT64_MIN ?
				 NULL :
				 policy_instant_format(phase->from, from, sizeof(from)),
			 "exec", policy_action_name(phase->exec), "network",
			 policy_action_name(phase->network));
}

static json_t *ban_json(const struct policy *policy, size_t index, int64_t at)
{
	const struct policy_ban *ban = policy_ban_get(policy, index);
	struct debar_phase phase = policy_phase_at(ban, at);
	json_t *authorities = json_array();
	char instant[40];

	for (size_t i = 0; i < ban->authority_count; i++)
		json_array_append_new(authorities, authority_json(&ban->authorities[i]));
	return json_pack("{s:s, s:s?, s:s, s:o, s:o, s:o, s:{s:b, s:b}}", "ban", ban->id, "title",
			 ban->title, "at", policy_instant_format(at, instant, sizeof(instant)),
			 "authorities", authorities, "phase", phase_json(&phase), "next",
			 phase_json(policy_phase_next(ban, at)), "demanded", "exec",
			 demanded(ban, ACTS_EXEC), "network", demanded(ban, ACTS_NETWORK));
}

static void print_json(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static json_t *instant_json(int64_t utc)
{
	char instant[40];

	return json_string(policy_instant_format(utc, instant, sizeof(instant)));
}

static json_t *rule_json(const struct policy *policy, const char *asked, uint32_t ordinal,
			 int64_t at)
{
	const struct policy_exception *exception;
	struct policy_rule_info rule;
	int64_t since, until;
	json_t *line;
	bool network;
	size_t ban;

	if (policy_rule(policy, ordinal, &rule))
		return NULL;
	ban = ban_index(policy, rule.ban);
	exception = policy_find_exception(policy, rule.ban, asked, at);
	line = ban_json(policy, ban, at);
	network = is_network(rule.matcher);
	policy_phase_span(policy_ban_get(policy, ban), network, network ? rule.network : rule.exec,
			  at, &since, &until);
	json_object_set_new(line, "since", since == INT64_MIN ? json_null() : instant_json(since));
	json_object_set_new(line, "until",
			    until == DEBAR_FOREVER ? json_null() : instant_json(until));
	json_object_set_new(line, "asked", json_string(asked));
	json_object_set_new(
		line, "verdict",
		json_string(exception ? "allow" :
					policy_action_name(action_at(policy_ban_get(policy, ban),
								     &rule, at))));
	json_object_set_new(line, "rule",
			    json_pack("{s:i, s:s, s:s, s:s, s:i, s:s?}", "id", (int)rule.ordinal,
				      "kind", policy_matcher_name(rule.matcher), "value",
				      rule.value, "file", rule.place.file, "line",
				      (int)rule.place.line, "note", rule.note));
	json_object_set_new(line, "exception",
			    exception ? json_string(exception->reason) : json_null());
	return line;
}

static int explain_value(const struct policy *policy, const struct policy_options *options,
			 const char *asked)
{
	uint32_t ordinals[RULES_MAX];
	size_t count = 0;
	int err = policy_find(policy, asked, ordinals, RULES_MAX, &count);

	if (err)
		return message_error(err, "cannot look up %s: %s", asked, strerror(-err));
	if (!count && options->json)
		print_json(json_pack("{s:s, s:s}", "asked", asked, "verdict", "allow"));
	else if (!count)
		printf("%s: no rule speaks of it\n", asked);
	if (count > RULES_MAX)
		count = RULES_MAX;
	for (size_t i = 0; options->json && i < count; i++)
		print_json(rule_json(policy, asked, ordinals[i], options->at));
	if (!options->json)
		tell_rules(policy, asked, ordinals, count, options->at);
	return 0;
}

int policy_explain_verb(struct policy_options *options)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	int err;

	if (policy_options_open(options, &policy))
		return EXIT_ERROR;
	for (size_t i = 0; !options->argument_count && i < policy_ban_count(policy); i++) {
		if (options->json) {
			print_json(ban_json(policy, i, options->at));
			continue;
		}
		fputs(i ? "\n" : "", stdout);
		tell_ban(policy, i, options->at);
	}
	for (int i = 0; i < options->argument_count; i++) {
		err = explain_value(policy, options, options->arguments[i]);
		if (err)
			return EXIT_ERROR;
	}
	return EXIT_DONE;
}
