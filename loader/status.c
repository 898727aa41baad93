/* SPDX-License-Identifier: MIT */
/* debar status: is it enforced, and if not, why; then everything that is known about it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "loader/colour.h"
#include "loader/commands.h"
#include "loader/container.h"
#include "loader/health.h"
#include "loader/message.h"
#include "loader/status_parts.h"
#include "policy/cleanup.h"
#include "policy/digest.h"
#include "policy/policy.h"

static const char *const modes[] = {
	[DEBAR_MODE_OFF] = "off",
	[DEBAR_MODE_AUDIT] = "audit",
	[DEBAR_MODE_ENFORCE] = "enforce",
};
_Static_assert(sizeof(modes) / sizeof(modes[0]) == DEBAR_MODE_MAX, "a mode has no word");

static const char *const canaries[] = {
	[HEALTH_CANARY_NOT_TRIED] = "not tried",
	[HEALTH_CANARY_REFUSED] = "refused",
	[HEALTH_CANARY_RAN] = "ran",
	[HEALTH_CANARY_FAILED] = "failed",
};
_Static_assert(sizeof(canaries) / sizeof(canaries[0]) == HEALTH_CANARY_MAX, "a canary has no word");

static const char *mode_word(const struct health *health)
{
	if (!health->loaded || health->state.mode >= DEBAR_MODE_MAX)
		return modes[DEBAR_MODE_OFF];
	return modes[health->state.mode];
}

/* Seconds until --for ends, 0 when it has, -1 when it was not given. */
static int64_t seconds_left(const struct health *health)
{
	struct timespec now;
	int64_t left;

	if (!health->state.deny_until)
		return -1;
	clock_gettime(CLOCK_BOOTTIME, &now);
	left = health->state.deny_until / 1000000000 - now.tv_sec;
	return left > 0 ? left : 0;
}

static const char *ban_id(const struct health *health, size_t i)
{
	return health->book && i < policy_book_ban_count(health->book) ?
		       policy_book_ban(health->book, i)->id :
		       "(unknown)";
}

/* The cgroup that --cgroup limits to, as a path while it exists. */
static const char *scope_path(const struct health *health, char *buf, size_t size)
{
	static const char *const dirs[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL };
	cleanup(cleanup_fd) int cgroups = container_open_cgroups(dirs);

	if (!health->state.scope)
		return NULL;
	if (cgroups < 0 || container_cgroup_path(cgroups, health->state.scope, buf, size))
		snprintf(buf, size, "cgroup %llu, which is gone", health->state.scope);
	return buf;
}

/* ---- for programs ------------------------------------------------------------------------- */

static json_t *strings_json(const char *texts, size_t count, size_t size)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(texts + i * size));
	return array;
}

static json_t *ban_json(const struct health *health, size_t i)
{
	const struct debar_phase *next = health_phase_next(health, i);
	struct debar_phase now = health_phase(health, i);
	json_t *json_next = json_null();
	char from[32];

	if (next)
		json_next = json_pack("{s:s, s:s, s:s}", "from",
				      policy_instant_format(next->from, from, sizeof(from)), "exec",
				      policy_action_name(next->exec), "network",
				      policy_action_name(next->network));
	return json_pack("{s:s, s:s, s:s, s:o}", "ban", ban_id(health, i), "exec",
			 policy_action_name(now.exec), "network", policy_action_name(now.network),
			 "next", json_next);
}

static json_t *machine_json(const struct health *health)
{
	const struct kernel_offer *offer = &health->offer;

	return json_pack("{s:b, s:b, s:o, s:b, s:b, s:o}", "btf", offer->btf, "bpffs", offer->bpffs,
			 "lsm", offer->lsm_known ? json_string(offer->lsm) : json_null(), "lsm_bpf",
			 offer->lsm_bpf, "ima_policy", offer->ima, "ftrace_enabled",
			 health->ftrace < 0 ? json_null() : json_boolean(health->ftrace));
}

static void policy_json(json_t *json, const struct health *health)
{
	const struct debar_head *head = &health->head;
	char hex[2 * sizeof(head->digest) + 1], loaded[32];
	json_t *bans = json_array();

	for (size_t i = 0; i < head->ban_count; i++)
		json_array_append_new(bans, ban_json(health, i));
	json_object_set_new(json, "generation", json_integer(health->state.generation));
	json_object_set_new(json, "digest",
			    json_string(digest_encode(head->digest, sizeof(head->digest), hex)));
	json_object_set_new(
		json, "since",
		json_string(policy_instant_format(head->loaded, loaded, sizeof(loaded))));
	json_object_set_new(json, "rules", json_integer(head->rule_count));
	json_object_set_new(json, "keys", json_integer(head->key_count));
	json_object_set_new(json, "bans", bans);
	json_object_set_new(json, "files_changed", json_boolean(health->changed));
}

static const char *run_mode(const struct health *health)
{
	return health_gated(health) ? "gate" : "kernel";
}

static json_t *gaps_json(const struct health *health)
{
	json_t *array = json_array();

	for (size_t i = 0; i < health->gap_count; i++)
		json_array_append_new(array, json_string(health->gaps[i]));
	return array;
}

static void loaded_json(json_t *json, const struct health *health)
{
	json_t *hooks = json_array(), *counts = json_object();
	int64_t left = seconds_left(health);
	char scope[4096];

	policy_json(json, health);
	status_parts_json(json, health);
	for (size_t i = 0; kernel_hook(health->kernel, i); i++)
		json_array_append_new(hooks, json_string(kernel_hook(health->kernel, i)));
	for (unsigned int i = 0; i < DEBAR_COUNTER_MAX; i++)
		json_object_set_new(counts, health_counter_name(i),
				    json_integer((json_int_t)health->counters[i]));
	json_object_set_new(json, "run_mode", json_string(run_mode(health)));
	json_object_set_new(json, "not_covered", gaps_json(health));
	json_object_set_new(json, "hooks", hooks);
	json_object_set_new(json, "controller",
			    health->controller ? json_integer(health->controller) : json_null());
	json_object_set_new(json, "deny_seconds", left < 0 ? json_null() : json_integer(left));
	json_object_set_new(json, "cgroup",
			    scope_path(health, scope, sizeof(scope)) ? json_string(scope) :
								       json_null());
	json_object_set_new(json, "lost",
			    json_integer((json_int_t)(health->counters[DEBAR_COUNT_LOST] +
						      health->net_counters[DEBAR_NET_LOST])));
	json_object_set_new(json, "counters", counts);
	json_object_set_new(json, "memory",
			    json_pack("{s:I, s:I}", "all", (json_int_t)health->memory, "keys",
				      (json_int_t)health->key_memory));
}

static int print_json(const struct health *health)
{
	cleanup(json_decrefp) json_t *json = json_pack(
		"{s:b, s:b, s:s, s:s, s:o, s:o, s:o}", "enforcing", !health->reason_count, "loaded",
		health->loaded, "mode", mode_word(health), "canary", canaries[health->canary],
		"reasons",
		strings_json(health->reasons[0], health->reason_count, sizeof(health->reasons[0])),
		"notes",
		strings_json(health->notes[0], health->note_count, sizeof(health->notes[0])),
		"kernel", machine_json(health));

	if (json && health->loaded)
		loaded_json(json, health);
	if (!json || json_dumpf(json, stdout, JSON_COMPACT))
		return message_error(ENOMEM, "cannot print the status");
	putchar('\n');
	return 0;
}

/* ---- for people --------------------------------------------------------------------------- */

struct look {
	const char *good, *fair, *bad, *strong, *plain;
};

static const struct look coloured = { "\033[32m", "\033[33m", "\033[31m", "\033[1m", "\033[0m" };
static const struct look bare = { "", "", "", "", "" };

/* "1,234,567": long numbers are read in threes. */
static const char *number(uint64_t n, char buf[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), out = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[out++] = ',';
		buf[out++] = digits[i];
	}
	buf[out] = '\0';
	return buf;
}

static void print_head(const struct health *health, const struct look *look)
{
	bool audit = health->loaded &&
		     (health->state.mode == DEBAR_MODE_AUDIT || seconds_left(health) == 0);

	if (health->reason_count)
		printf("debar: %s%sNOT ENFORCING%s\n", look->bad, look->strong, look->plain);
	else if (audit)
		printf("debar: %s%saudit only%s: acts are reported, none is refused\n", look->fair,
		       look->strong, look->plain);
	else
		printf("debar: %s%senforcing%s\n", look->good, look->strong, look->plain);
	for (size_t i = 0; i < health->reason_count; i++)
		printf("  %swhy%s           %s\n", look->bad, look->plain, health->reasons[i]);
	for (size_t i = 0; i < health->note_count; i++)
		printf("  %snote%s          %s\n", look->fair, look->plain, health->notes[i]);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void print_policy(const struct health *health)
{
	const struct debar_head *head = &health->head;
	char rules[32], since[32], scope[4096];
	int64_t left = seconds_left(health);

	printf("  policy        generation %u since %s: %u ban%s, %s rule%s\n",
	       health->state.generation,
	       policy_instant_format(head->loaded - head->loaded % 1000000000, since,
				     sizeof(since)),
	       head->ban_count, plural(head->ban_count), number(head->rule_count, rules),
	       plural(head->rule_count));
	printf("  mode          %s%s%s\n", mode_word(health),
	       health->state.scope ? ", in " : ", everywhere",
	       health->state.scope ? scope_path(health, scope, sizeof(scope)) : "");
	if (left > 0)
		printf("  until         in %lld s acts are only reported (--for)\n",
		       (long long)left);
	else if (left == 0)
		printf("  until         the time of --for is over: acts are only reported\n");
	printf("  canary        %s\n", canaries[health->canary]);
	if (health->controller)
		printf("  controller    pid %d\n", health->controller);
	else if (!health_gated(health))
		printf("  controller    none: what is loaded works without\n");
	if (health_gated(health))
		printf("  works by      fanotify, while the controller runs (gate mode)\n");
	for (size_t i = 0; i < health->gap_count; i++)
		printf("  not covered   %s\n", health->gaps[i]);
}

/* As many names a line as fit. */
static void print_hooks(const struct health *health)
{
	const char *hook;
	int column = 0;

	if (!kernel_hook(health->kernel, 0))
		return;

	printf("  hooks        ");
	for (size_t i = 0; (hook = kernel_hook(health->kernel, i)); i++) {
		int len = (int)strlen(hook) + 1;

		if (column && column + len > 64) {
			printf("\n               ");
			column = 0;
		}
		printf(" %s", hook);
		column += len;
	}
	putchar('\n');
}

static void print_memory(const struct health *health)
{
	printf("  memory        %.1f MiB of the kernel's, %.1f MiB of it for %u key%s\n",
	       (double)health->memory / (1 << 20), (double)health->key_memory / (1 << 20),
	       health->head.key_count, plural(health->head.key_count));
}

static const char *tint(const struct look *look, __u8 action)
{
	return action == DEBAR_DENY ? look->bad : action == DEBAR_AUDIT ? look->fair : look->plain;
}

static void print_bans(const struct health *health, const struct look *look)
{
	int width = 12;
	char from[32];

	for (size_t i = 0; i < health->head.ban_count; i++)
		if ((int)strlen(ban_id(health, i)) > width)
			width = (int)strlen(ban_id(health, i));
	printf("\n%s  %-*s  exec   network  next%s\n", look->strong, width, "ban", look->plain);
	for (size_t i = 0; i < health->head.ban_count; i++) {
		const struct debar_phase *next = health_phase_next(health, i);
		struct debar_phase now = health_phase(health, i);

		printf("  %-*s  %s%-5s%s  %s%-7s%s  ", width, ban_id(health, i),
		       tint(look, now.exec), policy_action_name(now.exec), look->plain,
		       tint(look, now.network), policy_action_name(now.network), look->plain);
		if (next)
			printf("%s: exec %s, network %s\n",
			       policy_instant_format(next->from, from, sizeof(from)),
			       policy_action_name(next->exec), policy_action_name(next->network));
		else
			printf("-\n");
	}
}

static void print_counters(const struct health *health, const struct look *look)
{
	char text[32];

	printf("\n%s  %-12s  since it was loaded%s\n", look->strong, "count", look->plain);
	for (unsigned int i = 0; i < DEBAR_COUNTER_MAX; i++) {
		bool fact = i >= DEBAR_COUNT_FACT_NOHASH;
		bool always = i == DEBAR_COUNT_DENY || i == DEBAR_COUNT_AUDIT ||
			      i == DEBAR_COUNT_HIT || i == DEBAR_COUNT_HASH;

		if (!always && !health->counters[i])
			continue;
		printf("  %12s  %s%s%s%s\n", number(health->counters[i], text),
		       fact ? look->fair : "", fact ? "fact not obtained: " : "",
		       health_counter_words(i), fact ? look->plain : "");
	}
}

static void print_net_counters(const struct health *health, const struct look *look)
{
	char text[32];

	for (unsigned int i = 0; i < DEBAR_NET_COUNTER_MAX; i++) {
		bool fact = i >= DEBAR_NET_FACT_MALFORMED;

		if (health->net_counters[i])
			printf("  %12s  %s%s%s%s\n", number(health->net_counters[i], text),
			       fact ? look->fair : "", fact ? "fact not obtained: " : "",
			       health_net_words(i), fact ? look->plain : "");
	}
}

static void print_text(const struct health *health)
{
	const struct look *look = colour_wanted(stdout) ? &coloured : &bare;

	print_head(health, look);
	if (!health->loaded)
		return;
	print_policy(health);
	status_parts_text(health);
	print_hooks(health);
	print_memory(health);
	print_bans(health, look);
	print_counters(health, look);
	print_net_counters(health, look);
}

/* ---- the verb ----------------------------------------------------------------------------- */

static int options_read(bool *ret_json, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, {} };
	bool json = false;
	int option;

	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option != 'j')
			return message_error(EINVAL, "debar status does not take %s",
					     argv[optind - 1]);
		if (json)
			return message_error(EINVAL, "--json is given twice");
		json = true;
	}
	if (optind < argc)
		return message_error(EINVAL, "debar status does not take %s", argv[optind]);
	*ret_json = json;
	return 0;
}

int cmd_status(int argc, char **argv)
{
	cleanup(health_release) struct health health = {};
	bool json = false;

	if (options_read(&json, argc, argv))
		return EXIT_ERROR;
	if (geteuid()) {
		message_error(EPERM, "only root may read what is loaded");
		return EXIT_ERROR;
	}
	if (health_read(&health))
		return EXIT_ERROR;
	if (json && print_json(&health))
		return EXIT_ERROR;
	if (!json)
		print_text(&health);
	return health.reason_count ? EXIT_BANNED : EXIT_DONE;
}
