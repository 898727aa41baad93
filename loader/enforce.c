// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/cgroups.h"
#include "loader/enforce.h"
#include "loader/guard.h"
#include "loader/kernel.h"
#include "loader/last.h"
#include "loader/latest.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/never.h"
#include "loader/recorder.h"
#include "loader/spared.h"
#include "loader/store.h"
#include "loader/trust.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

/* Exceptions by cgroup become exceptions by the id that the path has now. */
static int resolve_cgroups(struct policy_tables *tables, bool quiet)
{
	size_t i, all = tables->except_count + tables->cgroup_count;
	struct debar_except *excepts = realloc(tables->excepts, (all + 1) * sizeof(*excepts));
	struct debar_key *keys;
	__u64 id = 0;

	if (!excepts)
		return -ENOMEM;
	tables->excepts = excepts;
	keys = realloc(tables->except_keys, (all + 1) * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	tables->except_keys = keys;
	for (i = 0; i < tables->cgroup_count; i++) {
		const struct policy_cgroup_except *from = &tables->cgroups[i];
		struct debar_key key = { .kind = DEBAR_KEY_CGROUP, .nth = from->ban };

		if (cgroups_id_below(from->path, &id)) {
			if (!quiet)
				message_warning("exception for cgroup %s: there is none of that "
						"name now",
						from->path);
			continue;
		}
		memcpy(key.value, &id, sizeof(id));
		keys[tables->except_count] = key;
		excepts[tables->except_count++].until = from->until;
	}
	return 0;
}

/* `unclassified: deny` speaks only while somebody classifies, and after what runs is known. */
static void defer_unclassified(struct policy_tables *tables)
{
	size_t i;

	tables->head.flags &= ~DEBAR_POLICY_UNCLASSIFIED_DENY;
	for (i = 0; i < tables->ban_count; i++)
		tables->bans[i].flags &= ~(DEBAR_BAN_UNCLASSIFIED_DENY | DEBAR_BAN_LOSS_DENY);
}

static int compile(const struct policy *policy, const struct policy_facts *facts, bool ready,
		   struct policy_tables **ret_tables)
{
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	struct policy_error error = {};
	int ret = policy_compile(policy, facts, &tables, &error);

	if (ret) {
		message_policy(&error);
		return ret;
	}
	ret = resolve_cgroups(tables, false);
	if (ret)
		return message_error(ret, "out of memory");
	if (!ready && enforce_needs_hold(policy))
		defer_unclassified(tables);
	*ret_tables = take(tables);
	return 0;
}

int enforce_compile(const struct policy *policy, const struct policy_facts *facts,
		    struct policy_tables **ret_tables)
{
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	struct policy_error error = {};
	int ret = policy_compile(policy, facts, &tables, &error);

	if (!ret)
		ret = resolve_cgroups(tables, true);
	if (!ret)
		*ret_tables = take(tables);
	return ret;
}

static int publish(struct kernel *kernel, const struct enforce_options *options,
		   struct policy_tables *tables)
{
	struct kernel_policy publish = { .tables = tables,
					 .mode = options->audit ? DEBAR_MODE_AUDIT :
								  DEBAR_MODE_ENFORCE,
					 .ports = options->dns_ports,
					 .port_count = options->dns_port_count };
	struct kernel_error error = {};
	struct timespec boot;
	int ret;

	if (options->cgroup) {
		ret = cgroups_id(options->cgroup, &publish.scope);
		if (ret)
			return message_error(ret, "cannot read cgroup %s: %s", options->cgroup,
					     strerror(-ret));
	}
	if (options->deny_until) {
		publish.deny_until = options->deny_until;
	} else if (options->deny_for) {
		clock_gettime(CLOCK_BOOTTIME, &boot);
		publish.deny_until = boot.tv_sec * 1000000000LL + boot.tv_nsec + options->deny_for;
	}
	if (!options->force)
		latest_enter(kernel, tables);
	ret = kernel_publish(kernel, &publish, &error);
	latest_note();
	return ret ? message_kernel(ret, &error) : 0;
}

/* A policy that lost most of itself is more often a broken file than a decision. */
int enforce_refuse_shrunk(const struct enforce_options *options, const struct policy *policy,
			  uint32_t generation)
{
	cleanup(policy_book_freep) struct policy_book *before = NULL;
	struct policy_error error = {};
	int ret;

	if (options->force || store_book(generation, &before))
		return 0;
	ret = policy_shrunk(before, policy, &error);
	if (!ret)
		return 0;
	message_error(ret, "%s; the policy in force stays", error.text);
	message_hint("debar reload --force, if that is meant");
	return ret;
}

/* A policy of names and networks alone needs no LSM, and works where the kernel has none. */
unsigned int enforce_parts(const struct policy *policy)
{
	const unsigned int network = 1u << POLICY_DOMAIN | 1u << POLICY_NETWORK;
	const unsigned int actors = 1u << POLICY_UID | 1u << POLICY_CGROUP;
	unsigned int matchers = policy_matchers(policy);

	if (!(matchers & network))
		return KERNEL_FILES;
	return KERNEL_NETWORK | (matchers & ~(network | actors) ? KERNEL_FILES : 0);
}

/* In gate mode the controller is what files need. */
static unsigned int parts_gated(unsigned int parts)
{
	return parts & KERNEL_FILES ? (parts & ~KERNEL_FILES) | KERNEL_GATE : parts;
}

/* What @policy needs and @kernel has not; what --partial leaves aside is not missed. */
static unsigned int parts_missing(const struct enforce_options *options,
				  const struct policy *policy, struct kernel *kernel)
{
	unsigned int have = kernel_parts(kernel), need = enforce_parts(policy);

	if (have & KERNEL_GATE) {
		need = parts_gated(need);
		if (options->partial)
			need &= ~KERNEL_NETWORK;
	}
	return need & ~have;
}

/*
 * Books are kept of two generations: what waits in the ring is told while its rules still have a
 * name. Where somebody reads the ring already, it is up to them.
 */
static void record_waiting(struct kernel *kernel)
{
	struct recorder *recorder;

	if (recorder_new(&recorder, kernel, NULL, NULL))
		return;
	recorder_read(recorder, 0);
	recorder_free(recorder);
}

int enforce_swap(struct kernel *kernel, const struct enforce_options *options,
		 const struct policy *policy, const struct policy_facts *facts)
{
	const struct debar_state *state = kernel_state(kernel);
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	unsigned int missing = parts_missing(options, policy, kernel);
	int ret = guard_refuse_looser(kernel, options);

	if (!ret)
		ret = enforce_refuse_shrunk(options, policy, state->generation);
	if (state->generation)
		record_waiting(kernel);
	if (!ret)
		ret = compile(policy, facts ? facts : options->facts, options->ready, &tables);
	/* Its file is root's to write: what the guard was armed with stays. */
	if (!ret && kernel_parts(kernel) & (KERNEL_FILES | KERNEL_GATE) &&
	    !kernel_guarded(kernel, NULL))
		never_update(kernel, options->vouch);
	if (!ret && missing)
		ret = enforce_add(kernel, options, missing);
	if (!ret)
		ret = publish(kernel, options, tables);
	if (ret)
		return ret;
	ret = kernel_parts(kernel) & KERNEL_NETWORK ? spared_refresh(kernel) : 0;
	if (ret)
		message_warning("cannot say which addresses must not be learnt: %s",
				strerror(-ret));
	guard_refresh(kernel, options);
	ret = store_save(options, policy, state->generation);
	if (ret)
		message_warning("cannot store what is in force in %s: %s", RUN_DIR, strerror(-ret));
	ret = options->policies.count ? 0 : last_save(policy);
	if (ret)
		message_warning("cannot keep a copy of the policy in %s: %s", LAST_DIR,
				strerror(-ret));
	ret = trust_remember(policy);
	if (ret)
		message_warning("cannot remember serials in %s: %s", TRUST_SERIALS, strerror(-ret));
	return 0;
}

const char *enforce_line(struct kernel *kernel, char buf[ENFORCE_LINE_MAX])
{
	const struct debar_state *state = kernel_state(kernel);
	struct debar_head head = {};

	kernel_head(kernel, &head);
	snprintf(buf, ENFORCE_LINE_MAX, "%u ban%s, %u rule%s, generation %u, %s", head.ban_count,
		 head.ban_count == 1 ? "" : "s", head.rule_count, head.rule_count == 1 ? "" : "s",
		 head.generation, state->mode == DEBAR_MODE_ENFORCE ? "enforcing" : "audit only");
	return buf;
}

void enforce_tell(struct kernel *kernel, const char *verb, bool json)
{
	static const char *const modes[] = { "off", "audit", "enforce" };
	const struct debar_state *state = kernel_state(kernel);
	struct debar_head head = {};
	char line[ENFORCE_LINE_MAX];

	if (!json) {
		printf("%s: %s\n", verb, enforce_line(kernel, line));
		return;
	}
	kernel_head(kernel, &head);
	printf("{\"verb\":\"%s\",\"mode\":\"%s\",\"generation\":%u,\"bans\":%u,\"rules\":%u}\n",
	       verb, modes[state->mode % DEBAR_MODE_MAX], head.generation, head.ban_count,
	       head.rule_count);
}
