/* SPDX-License-Identifier: MIT */
/* What is attached to the network, what was left out, why it only reports, what ran before. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "loader/bootline.h"
#include "loader/boots.h"
#include "loader/clock.h"
#include "loader/enforce.h"
#include "loader/health.h"
#include "loader/store.h"
#include "loader/sweep.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	const char *words;
} counters[] = {
	[DEBAR_NET_QUERY] = { "query", "DNS questions looked up" },
	[DEBAR_NET_ANSWER] = { "answer", "DNS answers read" },
	[DEBAR_NET_TLS] = { "tls", "TLS server names looked up" },
	[DEBAR_NET_HTTP] = { "http", "HTTP names looked up" },
	[DEBAR_NET_ADDRESS] = { "address", "addresses looked up" },
	[DEBAR_NET_DENY] = { "deny", "network acts refused" },
	[DEBAR_NET_AUDIT] = { "audit", "network acts only reported" },
	[DEBAR_NET_EXCEPTED] = { "excepted", "network acts that an exception let pass" },
	[DEBAR_NET_LOST] = { "lost", "network events lost: the ring was full" },
	[DEBAR_NET_RETRY] = { "retry", "decisions taken again: a policy came in between" },
	[DEBAR_NET_LEARNED] = { "learned", "addresses learnt from answers" },
	[DEBAR_NET_UNLEARNED] = { "unlearned", "addresses that may not be learnt" },
	[DEBAR_NET_ECH] = { "ech", "encrypted hellos: the address alone decided" },
	[DEBAR_NET_FACT_MALFORMED] = { "malformed", "DNS that cannot be parsed" },
	[DEBAR_NET_FACT_GAP] = { "gap", "segments ahead of their stream, dropped" },
	[DEBAR_NET_FACT_STORAGE] = { "storage", "no memory for a socket's state" },
	[DEBAR_NET_FACT_SCRATCH] = { "scratch", "no buffer to parse in, dropped" },
	[DEBAR_NET_FACT_FRAGMENT] = { "fragment", "later fragments made by hand, passed" },
	[DEBAR_NET_FACT_HEADERS] = { "headers", "IP headers that cannot be walked, passed" },
};
_Static_assert(COUNT(counters) == DEBAR_NET_COUNTER_MAX, "a network counter has no words");

const char *health_net_name(enum debar_net_counter counter)
{
	return counter < COUNT(counters) ? counters[counter].name : NULL;
}

const char *health_net_words(enum debar_net_counter counter)
{
	return counter < COUNT(counters) ? counters[counter].words : NULL;
}

/* ---- the network's canary ------------------------------------------------------------------ */

/*
 * To connect a datagram socket sends nothing; a
 * policy may refuse it or not: the question is whether a program was asked.
 */
static int connect_nowhere(void)
{
	struct sockaddr_in nowhere = { .sin_family = AF_INET,
				       .sin_port = htons(9),
				       .sin_addr.s_addr = htonl(DEBAR_NET_CANARY) };
	cleanup(cleanup_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)connect(fd, (struct sockaddr *)&nowhere, sizeof(nowhere));
	return 0;
}

static enum health_network try_network(struct health *health)
{
	uint64_t before = health->net_counters[DEBAR_NET_ADDRESS];

	if (health->state.scope) /* the programs hang at another cgroup than ours */
		return HEALTH_NETWORK_NOT_TRIED;
	if (connect_nowhere() || kernel_net_counters(health->kernel, health->net_counters))
		return HEALTH_NETWORK_NOT_TRIED;
	return health->net_counters[DEBAR_NET_ADDRESS] > before ? HEALTH_NETWORK_ASKED :
								  HEALTH_NETWORK_PASSED_BY;
}

static void network_read(struct health *health)
{
	uint64_t lost;

	if (!(kernel_parts(health->kernel) & KERNEL_NETWORK) ||
	    kernel_net_counters(health->kernel, health->net_counters))
		return;
	health->network = try_network(health);
	if (health->network == HEALTH_NETWORK_PASSED_BY)
		health_reason(health, "the network programs are loaded, but the kernel does not "
				      "call them");
	lost = health->net_counters[DEBAR_NET_LOST];
	if (lost)
		health_note(health,
			    "%llu network events found the ring full: acts were decided, but are "
			    "not told",
			    (unsigned long long)lost);
}

/* ---- what was left out ---------------------------------------------------------------------- */

static void leave_out(struct health *health, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void leave_out(struct health *health, const char *format, ...)
{
	va_list args;

	if (health->left_out_count == HEALTH_REASONS_MAX)
		return;
	va_start(args, format);
	vsnprintf(health->left_out[health->left_out_count++], sizeof(health->left_out[0]), format,
		  args);
	va_end(args);
}

static void rules_left_out(struct health *health, const struct policy_ban *ban)
{
	unsigned int held = enforce_matchers_held();

	for (int m = 0; !health->controller && m < POLICY_MATCHER_MAX; m++)
		if (held & 1u << m && ban->rules[m])
			leave_out(health, "%s: %u %s rule%s, which take%s a controller: debar run",
				  ban->id, ban->rules[m], policy_matcher_name(m),
				  ban->rules[m] == 1 ? "" : "s", ban->rules[m] == 1 ? "s" : "");
}

/* --partial says that it is known; here it is said what. */
static void left_out_read(struct health *health)
{
	cleanup(enforce_options_free) struct enforce_options options = {};
	const char *word;

	if (!health->policy || store_options(&options) || !options.partial)
		return;
	options.resident = health->controller != 0;
	for (size_t i = 0; i < policy_ban_count(health->policy); i++) {
		const struct policy_ban *ban = policy_ban_get(health->policy, i);

		rules_left_out(health, ban);
		word = enforce_unkept(&options, health->policy, ban);
		if (word)
			leave_out(health, "%s: %s", ban->id, word);
	}
}

/* ---- why it only reports -------------------------------------------------------------------- */

static bool failed_boots(void)
{
	cleanup(cleanup_file) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct boots boots;
	char id[40];

	if (!file || fscanf(file, "%39s", id) != 1)
		return false;
	boots_read(BOOTS_FILE, &boots);
	return boots.audit && strcmp(boots.id, id) == 0;
}

static void audit_read(struct health *health)
{
	char unknown[32];

	if (health->state.deny_until && clock_ns(CLOCK_BOOTTIME) >= health->state.deny_until)
		health->audit = "the time of --for is over";
	if (health->state.mode != DEBAR_MODE_AUDIT)
		return;
	if (bootline_read(unknown, sizeof(unknown)) == BOOTLINE_AUDIT)
		health->audit = "debar=audit on the kernel command line";
	else if (failed_boots())
		health->audit = "boots under enforcement were not found good";
	else
		health->audit = "--audit";
}

/* ---- what ran before ------------------------------------------------------------------------ */

static void sweep_read(struct health *health)
{
	health->sweep = json_load_file(SWEEP_FILE, 0, NULL);
	if (json_integer_value(json_object_get(health->sweep, "generation")) !=
	    (json_int_t)health->state.generation) {
		json_decref(health->sweep);
		health->sweep = NULL;
	}
}

static void loss_judge(struct health *health)
{
	const __u32 minds = DEBAR_BAN_UNCLASSIFIED_DENY | DEBAR_BAN_LOSS_DENY;
	int64_t gone = clock_ns(CLOCK_BOOTTIME) - health->state.heartbeat;

	if (health->controller || !health->state.heartbeat || gone <= DEBAR_GRACE)
		return;
	for (size_t i = 0; i < health->head.ban_count; i++) {
		__u32 flags = health->bans[i].flags;

		if (!(flags & DEBAR_BAN_DERIVED) || !(flags & minds))
			continue;
		if (flags & DEBAR_BAN_LOSS_DENY)
			health_note(health,
				    "the controller has been gone for more than %lld s: "
				    "new content is refused until it is back",
				    DEBAR_GRACE / 1000000000);
		else
			health_reason(health,
				      "the controller has been gone for more than %lld s: what is "
				      "not classified passes",
				      DEBAR_GRACE / 1000000000);
		return;
	}
}

void health_parts_read(struct health *health)
{
	network_read(health);
	left_out_read(health);
	audit_read(health);
	sweep_read(health);
	loss_judge(health);
	health->never = kernel_never_count(health->kernel);
	health->guarded = kernel_guarded(health->kernel, &health->guard_switches);
	health->guard_owned = kernel_guard_owned(health->kernel);
}

void health_parts_release(struct health *health)
{
	json_decref(health->sweep);
	health->sweep = NULL;
}
