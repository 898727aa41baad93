// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "loader/bootline.h"
#include "loader/cgroups.h"
#include "loader/clock.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/last.h"
#include "loader/latest.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/never.h"
#include "loader/recorder.h"
#include "loader/spared.h"
#include "loader/store.h"
#include "loader/system.h"
#include "loader/trust.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

/* Matchers that the kernel enforces alone; those for which somebody has to look at the file. */
#define SUPPORTED                                                                                  \
	(1u << POLICY_SHA256 | 1u << POLICY_UID | 1u << POLICY_CGROUP | 1u << POLICY_DOMAIN |      \
	 1u << POLICY_NETWORK)
#define PLACES (1u << POLICY_PACKAGE | 1u << POLICY_PATH)
#define HELD                                                                                       \
	(1u << POLICY_CERTIFICATE | 1u << POLICY_AUTHENTICODE | 1u << POLICY_BUILDID |             \
	 1u << POLICY_FSVERITY | PLACES)

/* ---- options ------------------------------------------------------------------------------ */

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, 'p' },   { "audit", no_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'm' },     { "cgroup", required_argument, NULL, 'c' },
	{ "dns-port", required_argument, NULL, 'd' }, { "for", required_argument, NULL, 't' },
	{ "force", no_argument, NULL, 'f' },	      { "guard", no_argument, NULL, 'g' },
	{ "partial", no_argument, NULL, 'x' },	      { "json", no_argument, NULL, 'j' },
	{ "scan", required_argument, NULL, 's' },     {},
};

void enforce_options_free(struct enforce_options *options)
{
	size_t i;

	for (i = 0; i < options->policies.count; i++)
		free(options->policies.names[i]);
	free(options->cgroup);
	*options = (struct enforce_options){};
}

/* "10m" -> nanoseconds; 0 when it is none. */
static int64_t duration(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	int64_t unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;

	if (end == text || n <= 0 || n > 1000000 || !unit || end[1])
		return 0;
	return n * unit * 1000000000LL;
}

static int add_policy(struct read_names *policies, const char *name)
{
	if (policies->count == DEBAR_BANS_MAX)
		return message_error(EINVAL, "more than %d policies", DEBAR_BANS_MAX);
	policies->names[policies->count] = read_resolve(name);
	if (!policies->names[policies->count])
		return message_error(ENOMEM, "out of memory");
	policies->count++;
	return 0;
}

static int read_mode(const char *word, enum enforce_run_mode *ret_mode)
{
	static const char *const words[] = {
		[ENFORCE_AUTO] = "auto", [ENFORCE_KERNEL] = "kernel", [ENFORCE_GATE] = "gate"
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]))
			continue;
		*ret_mode = i;
		return 0;
	}
	return message_error(EINVAL, "--mode is auto, kernel or gate, not %s", word);
}

/* Where else programs ask, besides 53 and 5353. */
static int add_dns_port(struct enforce_options *options, const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (end == text || *end || port < 1 || port > 65535)
		return message_error(EINVAL, "--dns-port is a number from 1 to 65535, not %s",
				     text);
	if (options->dns_port_count == DEBAR_DNS_PORTS_EXTRA)
		return message_error(EINVAL, "more than %d of --dns-port", DEBAR_DNS_PORTS_EXTRA);
	options->dns_ports[options->dns_port_count++] = port;
	return 0;
}

static int read_option(struct enforce_options *options, int c, const char *value)
{
	switch (c) {
	case 'p':
		return add_policy(&options->policies, value);
	case 'a':
		options->audit = true;
		return 0;
	case 'f':
		options->force = true;
		return 0;
	case 'x':
		options->partial = true;
		return 0;
	case 'g':
		options->guard = true;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 's':
		options->scan = value;
		return 0;
	case 'd':
		return add_dns_port(options, value);
	case 'm':
		return read_mode(value, &options->run_mode);
	case 'c':
		options->cgroup = realpath(value, NULL);
		if (!options->cgroup)
			return message_error(errno, "cannot read cgroup %s: %m", value);
		return 0;
	default:
		options->deny_for = duration(value);
		if (!options->deny_for)
			return message_error(EINVAL, "--for takes a time such as 10m, not %s",
					     value);
		return 0;
	}
}

int enforce_options_read(struct enforce_options *ret_options, const char *takes, int argc,
			 char **argv)
{
	cleanup(enforce_options_free) struct enforce_options options = {};
	char seen[256] = "";
	int c, ret;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":p:", long_options, NULL)) != -1) {
		if (c == ':')
			return message_error(EINVAL, "%s needs a value", argv[optind - 1]);
		if (c == '?' || !strchr(takes, c))
			return message_error(EINVAL, "debar %s does not take %s", argv[0],
					     argv[optind - 1]);
		if (seen[c] && c != 'p' && c != 'd')
			return message_error(EINVAL, "%s is given twice", argv[optind - 1]);
		seen[c] = 1;
		ret = read_option(&options, c, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc && !options.scan)
		return message_error(EINVAL, "debar %s does not take %s", argv[0], argv[optind]);
	options.scan_count = (size_t)(argc - optind);
	options.scan_more = argv + optind;
	*ret_options = options;
	options = (struct enforce_options){};
	return 0;
}

bool enforce_off_at_boot(struct enforce_options *options)
{
	char unknown[32];
	enum bootline asked = bootline_read(unknown, sizeof(unknown));

	if (unknown[0])
		message_warning("debar=%s on the kernel command line is neither off nor audit",
				unknown);
	if (asked == BOOTLINE_AUDIT && !options->audit) {
		options->audit = true;
		message_info("debar=audit on the kernel command line: acts are only reported");
	}
	if (asked == BOOTLINE_OFF) {
		(void)bootline_note();
		message_info("debar=off on the kernel command line: nothing is enforced");
	}
	return asked == BOOTLINE_OFF;
}

/* ---- the policy --------------------------------------------------------------------------- */

static void warn(void *ctx, const struct policy_error *warning)
{
	(void)ctx;
	message_policy_warning(warning);
}

bool enforce_needs_hold(const struct policy *policy)
{
	return policy_matchers(policy) & HELD;
}

bool enforce_needs_places(const struct policy *policy)
{
	return policy_matchers(policy) & PLACES;
}

bool enforce_needs_certificates(const struct policy *policy)
{
	return policy_matchers(policy) & 1u << POLICY_CERTIFICATE;
}

bool enforce_refuses_unknown(const struct policy *policy)
{
	const struct policy_ban *ban;
	size_t i;

	for (i = 0; i < policy_ban_count(policy); i++) {
		ban = policy_ban_get(policy, i);
		if (ban->unclassified_deny || ban->loss_deny)
			return true;
	}
	return false;
}

unsigned int enforce_matchers_held(void)
{
	return HELD;
}

/* Where no rule has to read files `unclassified` is about modules from memory, which needs nobody. */
const char *enforce_unkept(const struct enforce_options *options, const struct policy *policy,
			   const struct policy_ban *ban)
{
	bool leaves = !options->resident && enforce_needs_hold(policy);

	if (leaves && ban->unclassified_deny)
		return "unclassified: deny needs a controller that classifies: debar run";
	if (leaves && ban->loss_deny)
		return "on_controller_loss: deny needs a controller: debar run";
	if (ban->kill && !options->resident)
		return "on_running: kill takes a controller: debar run";
	return NULL;
}

static int check_words(const struct enforce_options *options, const struct policy *policy)
{
	const struct policy_ban *ban;
	const char *words;
	size_t i;

	for (i = 0; i < policy_ban_count(policy); i++) {
		ban = policy_ban_get(policy, i);
		words = enforce_unkept(options, policy, ban);
		if (!words)
			continue;
		message_error(EOPNOTSUPP, "%s:%u: %s", ban->place.file, ban->place.line, words);
		message_hint("--partial enforces the rules without it");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* What the kernel knows for good without a controller: keys of contents, not places of files. */
static unsigned int kept_alone(const struct enforce_options *options)
{
	return options->scan ? SUPPORTED | (HELD & ~PLACES) : SUPPORTED;
}

/* A rule that would not be enforced is refused, not ignored; --partial says that it is known. */
static int check_supported(const struct enforce_options *options, const struct policy *policy)
{
	struct policy_error error = {};
	int ret;

	if (options->partial)
		return 0;
	ret = policy_unsupported(policy, SUPPORTED | HELD, &error);
	if (ret) {
		message_policy(&error);
		message_hint("--partial enforces the other rules");
		return ret;
	}
	ret = check_words(options, policy);
	if (ret)
		return ret;
	if (options->resident || !policy_unsupported(policy, kept_alone(options), &error))
		return 0;
	message_error(EOPNOTSUPP,
		      "%s:%u: a rule of this kind needs a controller that reads the file",
		      error.file, error.line);
	message_hint(options->scan ?
			     "debar run enforces it; --partial enforces the other rules" :
			     "debar run enforces it; debar load --scan PATH classifies trees now "
			     "for what is not about places; --partial enforces the other rules");
	return -EOPNOTSUPP;
}

int enforce_read(const struct enforce_options *options, struct policy **ret_policy)
{
	struct policy_checks checks = { .now = clock_ns(CLOCK_REALTIME),
					.force = options->force,
					.expired_passes = true,
					.warn = warn };
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(system_release) struct system_files files = {};
	struct read_names names = options->policies;
	int ret;

	system_read(&files);
	checks.system_count = files.count;
	checks.system = files.files;
	checks.find_packages = system_find_packages;
	checks.ctx = &files;
	names.trusted = true;
	ret = read_policy(&names, &checks, &policy);

	if (ret == -ENODATA && !options->policies.count) {
		message_error(ret, "no policy: nothing was named and %s has none", READ_POLICY_DIR);
		message_hint("ln -s %s/kaspersky.yaml %s/ enables that shipped ban",
			     read_bans_dir(), READ_POLICY_DIR);
		return ret;
	}
	if (ret)
		return ret;
	ret = check_supported(options, policy);
	if (ret)
		return ret;
	*ret_policy = take(policy);
	return 0;
}

/* A host whose configured policy was broken by an edit must not come up with none. */
int enforce_read_start(const struct enforce_options *options, struct policy **ret_policy)
{
	struct policy_checks checks = {
		.now = clock_ns(CLOCK_REALTIME), .force = true, .expired_passes = true, .warn = warn
	};
	int ret = enforce_read(options, ret_policy);

	if (!ret || ret == -ENODATA || options->policies.count)
		return ret;
	if (last_read(&checks, ret_policy))
		return ret;
	message_warning("%s cannot be used, see above: the last good policy is", read_policy_dir());
	return 0;
}

/* ---- into force --------------------------------------------------------------------------- */

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

/* What the guard is for would be lost if one could ask debar itself to look on. */
static int refuse_looser(struct kernel *kernel, const struct enforce_options *options)
{
	const struct debar_state *state = kernel_state(kernel);
	bool audit = options->audit && state->mode == DEBAR_MODE_ENFORCE;

	if (!kernel_guarded(kernel) ||
	    !(audit || options->force || (options->deny_for && !state->deny_until)))
		return 0;
	message_error(EPERM, "the guard is armed: it takes a reboot to loosen what is in force");
	return -EPERM;
}

int enforce_swap(struct kernel *kernel, const struct enforce_options *options,
		 const struct policy *policy, const struct policy_facts *facts)
{
	const struct debar_state *state = kernel_state(kernel);
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	unsigned int missing = parts_missing(options, policy, kernel);
	int ret = refuse_looser(kernel, options);

	if (!ret)
		ret = enforce_refuse_shrunk(options, policy, state->generation);
	if (state->generation)
		record_waiting(kernel);
	if (!ret)
		ret = compile(policy, facts ? facts : options->facts, options->ready, &tables);
	if (!ret && kernel_parts(kernel) & (KERNEL_FILES | KERNEL_GATE))
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
