/* SPDX-License-Identifier: MIT */
/* debar policy show --json: the model with the keys of the policy text, one ban a line. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "loader/commands.h"
#include "loader/policy.h"

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
}

static void set_instant(json_t *object, const char *key, int64_t utc)
{
	char text[40];

	if (utc != DEBAR_FOREVER)
		set_text(object, key, policy_instant_format(utc, text, sizeof(text)));
}

static json_t *authority_json(const struct policy_authority *authority)
{
	json_t *object = json_object(), *acts = json_array();

	set_text(object, "id", authority->id);
	set_text(object, "title", authority->title);
	set_text(object, "citation", authority->citation);
	set_text(object, "url", authority->url);
	for (int act = 0; act < POLICY_ACT_MAX; act++)
		if (authority->acts & 1u << act)
			json_array_append_new(acts, json_string(policy_act_name(act)));
	json_object_set_new(object, "acts", acts);
	set_text(object, "binds", authority->binds);
	set_text(object, "note", authority->note);
	return object;
}

static json_t *phase_json(const struct debar_phase *phase)
{
	json_t *object = json_object();

	set_instant(object, "from", phase->from);
	set_text(object, "exec", policy_action_name(phase->exec));
	set_text(object, "network", policy_action_name(phase->network));
	return object;
}

static json_t *rule_json(const struct policy_rule_info *rule)
{
	json_t *object = json_object();

	json_object_set_new(object, "rule", json_integer(rule->ordinal));
	set_text(object, "kind", policy_matcher_name(rule->matcher));
	set_text(object, "value", rule->value);
	set_text(object, "exec", policy_action_name(rule->exec));
	set_text(object, "network", policy_action_name(rule->network));
	set_text(object, "note", rule->note);
	if (rule->matcher == POLICY_SHA256)
		json_object_set_new(object, "archive", json_boolean(policy_rule_archive(rule)));
	set_text(object, "file", rule->place.file);
	json_object_set_new(object, "line", json_integer(rule->place.line));
	return object;
}

static json_t *exception_json(const struct policy *policy, const struct policy_exception *exception)
{
	json_t *object = json_object();
	char value[POLICY_VALUE_MAX];

	set_text(object, "kind", policy_matcher_name(exception->matcher));
	set_text(object, "value", policy_exception_value(policy, exception, value, sizeof(value)));
	set_text(object, "reason", exception->reason);
	set_text(object, "owner", exception->owner);
	set_instant(object, "until", exception->until);
	return object;
}

static void set_switches(json_t *object, const struct policy_ban *ban)
{
	set_text(object, "unclassified", ban->unclassified_deny ? "deny" : "allow");
	set_text(object, "oversize", ban->oversize_deny ? "deny" : "allow");
	set_text(object, "on_running", ban->kill ? "kill" : "report");
	set_text(object, "on_controller_loss", ban->loss_deny ? "deny" : "allow");
	json_object_set_new(object, "learn", json_boolean(ban->learn));
	set_text(object, "malformed", ban->malformed_deny ? "deny" : "allow");
	if (ban->serial)
		json_object_set_new(object, "serial", json_integer((json_int_t)ban->serial));
	set_instant(object, "expires", ban->expires);
}

static json_t *ban_json(const struct policy *policy, size_t index)
{
	const struct policy_ban *ban = policy_ban_get(policy, index);
	json_t *object = json_object(), *list;
	struct policy_rule_info rule;

	set_text(object, "ban", ban->id);
	set_text(object, "title", ban->title);
	list = json_array();
	for (size_t i = 0; i < ban->authority_count; i++)
		json_array_append_new(list, authority_json(&ban->authorities[i]));
	json_object_set_new(object, "authorities", list);
	list = json_array();
	for (size_t i = 0; i < ban->phase_count; i++)
		json_array_append_new(list, phase_json(&ban->phases[i]));
	json_object_set_new(object, "phases", list);
	set_switches(object, ban);
	list = json_array();
	for (uint32_t i = 0; i < policy_ordinals(policy); i++)
		if (!policy_rule(policy, i, &rule) && !strcmp(rule.ban, ban->id))
			json_array_append_new(list, rule_json(&rule));
	json_object_set_new(object, "rules", list);
	list = json_array();
	for (size_t i = 0; i < policy_exception_count(policy); i++)
		if (policy_exception_get(policy, i)->ban == index)
			json_array_append_new(
				list, exception_json(policy, policy_exception_get(policy, i)));
	json_object_set_new(object, "except", list);
	return object;
}

int policy_show_json(const struct policy *policy)
{
	for (size_t i = 0; i < policy_ban_count(policy); i++) {
		json_t *object = ban_json(policy, i);

		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	}
	return EXIT_DONE;
}
