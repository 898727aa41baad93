/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "loader/guard.h"
#include "loader/health.h"
#include "loader/status_parts.h"
#include "policy/policy.h"

static const char *const networks[] = {
	[HEALTH_NETWORK_NONE] = "none",
	[HEALTH_NETWORK_NOT_TRIED] = "not tried",
	[HEALTH_NETWORK_ASKED] = "asked",
	[HEALTH_NETWORK_PASSED_BY] = "not asked",
};
_Static_assert(sizeof(networks) / sizeof(networks[0]) == HEALTH_NETWORK_MAX, "no word");

static long long swept(const struct health *health, const char *what)
{
	return json_integer_value(json_object_get(health->sweep, what));
}

static json_t *network_json(const struct health *health)
{
	json_t *counts;

	if (health->network == HEALTH_NETWORK_NONE)
		return json_null();
	counts = json_object();
	for (unsigned int i = 0; i < DEBAR_NET_COUNTER_MAX; i++)
		json_object_set_new(counts, health_net_name(i),
				    json_integer((json_int_t)health->net_counters[i]));
	return json_pack("{s:s, s:o}", "canary", networks[health->network], "counters", counts);
}

static json_t *sweep_json(const struct health *health)
{
	char at[32];

	if (!health->sweep)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "at",
			 policy_instant_format(swept(health, "at"), at, sizeof(at)), "found",
			 (json_int_t)swept(health, "found"), "killed",
			 (json_int_t)swept(health, "killed"), "spared",
			 (json_int_t)swept(health, "spared"), "over",
			 (json_int_t)swept(health, "over"));
}

static json_t *guard_json(const struct health *health)
{
	json_t *words = json_array();
	const char *word;

	if (!health->guarded) {
		json_decref(words);
		return json_null();
	}
	for (size_t i = 0; (word = guard_switch_name(health->guard_switches, i)); i++)
		json_array_append_new(words, json_string(word));
	return json_pack("{s:o, s:I}", "switches", words, "objects",
			 (json_int_t)health->guard_owned);
}

void status_parts_json(json_t *json, const struct health *health)
{
	json_t *left_out = json_array();

	for (size_t i = 0; i < health->left_out_count; i++)
		json_array_append_new(left_out, json_string(health->left_out[i]));
	json_object_set_new(json, "left_out", left_out);
	json_object_set_new(json, "audit_because",
			    health->audit ? json_string(health->audit) : json_null());
	json_object_set_new(json, "network", network_json(health));
	json_object_set_new(json, "running", sweep_json(health));
	json_object_set_new(json, "guard", guard_json(health));
	json_object_set_new(json, "never_denied", json_integer((json_int_t)health->never));
}

static void guard_text(const struct health *health)
{
	const char *word;

	if (!health->guarded)
		return;
	printf("  guard         armed, until the next boot; keeps %zu objects",
	       health->guard_owned);
	for (size_t i = 0; (word = guard_switch_name(health->guard_switches, i)); i++)
		printf("%s %s", i ? "," : ", refuses", word);
	putchar('\n');
}

void status_parts_text(const struct health *health)
{
	char at[32];

	if (health->audit)
		printf("  only audit    %s\n", health->audit);
	for (size_t i = 0; i < health->left_out_count; i++)
		printf("  left out      %s\n", health->left_out[i]);
	if (health->network != HEALTH_NETWORK_NONE)
		printf("  network       %s by connections\n", networks[health->network]);
	if (health->sweep)
		printf("  running       %lld banned of %lld processes, %lld ended, %lld not to be "
		       "ended, %lld too many; %s\n",
		       swept(health, "found"), swept(health, "processes"), swept(health, "killed"),
		       swept(health, "spared"), swept(health, "over"),
		       policy_instant_format(swept(health, "at") - swept(health, "at") % 1000000000,
					     at, sizeof(at)));
	guard_text(health);
	printf("  never denied  %zu contents, but by a rule of their sha256\n", health->never);
}
