// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "loader/bootline.h"
#include "loader/clock.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/last.h"
#include "loader/latest.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/recorder.h"
#include "loader/spared.h"
#include "loader/store.h"
#include "loader/system.h"
#include "loader/trust.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

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
	{ "policy", required_argument, NULL, 'p' }, { "audit", no_argument, NULL, 'a' },
	{ "mode", required_argument, NULL, 'm' },   { "cgroup", required_argument, NULL, 'c' },
	{ "for", required_argument, NULL, 't' },    { "force", no_argument, NULL, 'f' },
	{ "guard", no_argument, NULL, 'g' },	    { "partial", no_argument, NULL, 'x' },
	{ "json", no_argument, NULL, 'j' },	    {},
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
		if (i == ENFORCE_GATE)
			return message_error(EOPNOTSUPP, "--mode gate is not supported yet");
		*ret_mode = i;
		return 0;
	}
	return message_error(EINVAL, "--mode is auto, kernel or gate, not %s", word);
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
		if (seen[c] && c != 'p')
			return message_error(EINVAL, "%s is given twice", argv[optind - 1]);
		seen[c] = 1;
		ret = read_option(&options, c, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return message_error(EINVAL, "debar %s does not take %s", argv[0], argv[optind]);
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

/* What a ban may ask for and this version does not do: its word, or NULL. */
static const char *unkept_word(const struct policy_ban *ban)
{
	if (ban->kill)
		return "on_running: kill";
	return ban->loss_deny ? "on_controller_loss: deny" : NULL;
}

static int check_words(const struct policy *policy)
{
	const struct policy_ban *ban;
	size_t i;

	for (i = 0; i < policy_ban_count(policy); i++) {
		ban = policy_ban_get(policy, i);
		if (!unkept_word(ban))
			continue;
		message_error(EOPNOTSUPP, "%s:%u: %s is not supported yet", ban->place.file,
			      ban->place.line, unkept_word(ban));
		message_hint("--partial enforces the rules without it");
		return -EOPNOTSUPP;
	}
	return 0;
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
	ret = check_words(policy);
	if (ret)
		return ret;
	if (options->resident || !enforce_needs_hold(policy))
		return 0;
	(void)policy_unsupported(policy, SUPPORTED, &error);
	message_error(EOPNOTSUPP,
		      "%s:%u: a rule of this kind needs a controller that reads the file",
		      error.file, error.line);
	message_hint("debar run enforces it; debar load --partial enforces the other rules");
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

static int cgroup_id(const char *path, __u64 *ret_id)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	*ret_id = st.st_ino; /* of a cgroup v2 directory: the cgroup's id */
	return 0;
}

/* Exceptions by cgroup become exceptions by the id that the path has now. */
static int resolve_cgroups(struct policy_tables *tables)
{
	size_t i, all = tables->except_count + tables->cgroup_count;
	struct debar_except *excepts = realloc(tables->excepts, (all + 1) * sizeof(*excepts));
	struct debar_key *keys;
	char path[4096];
	__u64 id = 0;

	if (!excepts)
		return message_error(ENOMEM, "out of memory");
	tables->excepts = excepts;
	keys = realloc(tables->except_keys, (all + 1) * sizeof(*keys));
	if (!keys)
		return message_error(ENOMEM, "out of memory");
	tables->except_keys = keys;
	for (i = 0; i < tables->cgroup_count; i++) {
		const struct policy_cgroup_except *from = &tables->cgroups[i];
		struct debar_key key = { .kind = DEBAR_KEY_CGROUP, .nth = from->ban };

		snprintf(path, sizeof(path), "%s%s", CGROUP_ROOT, from->path);
		if (cgroup_id(path, &id)) {
			message_warning("exception for cgroup %s: there is none of that name now",
					from->path);
			continue;
		}
		memcpy(key.value, &id, sizeof(id));
		keys[tables->except_count] = key;
		excepts[tables->except_count++].until = from->until;
	}
	return 0;
}

static int compile(const struct policy *policy, const struct policy_facts *facts,
		   struct policy_tables **ret_tables)
{
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	struct policy_error error = {};
	int ret = policy_compile(policy, facts, &tables, &error);

	if (ret) {
		message_policy(&error);
		return ret;
	}
	ret = resolve_cgroups(tables);
	if (ret)
		return ret;
	*ret_tables = take(tables);
	return 0;
}

static int publish(struct kernel *kernel, const struct enforce_options *options,
		   struct policy_tables *tables)
{
	struct kernel_policy publish = { .tables = tables,
					 .mode = options->audit ? DEBAR_MODE_AUDIT :
								  DEBAR_MODE_ENFORCE };
	struct kernel_error error = {};
	struct timespec boot;
	int ret;

	if (options->cgroup) {
		ret = cgroup_id(options->cgroup, &publish.scope);
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
static unsigned int parts_needed(const struct policy *policy)
{
	const unsigned int network = 1u << POLICY_DOMAIN | 1u << POLICY_NETWORK;
	const unsigned int actors = 1u << POLICY_UID | 1u << POLICY_CGROUP;
	unsigned int matchers = policy_matchers(policy);

	if (!(matchers & network))
		return KERNEL_FILES;
	return KERNEL_NETWORK | (matchers & ~(network | actors) ? KERNEL_FILES : 0);
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
	int ret = refuse_looser(kernel, options);

	if (!ret)
		ret = enforce_refuse_shrunk(options, policy, state->generation);
	if (!ret && parts_needed(policy) & ~kernel_parts(kernel)) {
		message_error(ENOTSUP, "the policy has names or networks now, and the programs for "
				       "them are not loaded; the policy in force stays");
		message_hint(
			"stop the controller, if there is one, and start it again; or debar load");
		return -ENOTSUP;
	}
	if (state->generation)
		record_waiting(kernel);
	if (!ret)
		ret = compile(policy, facts, &tables);
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

/* The overlay module's types are known to the programs only if it is there before them. */
static void load_overlay_module(void)
{
	static char *const argv[] = { (char *)"modprobe", (char *)"-q", (char *)"overlay", NULL };
	static char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	static const char *const paths[] = { "/usr/sbin/modprobe", "/sbin/modprobe" };
	pid_t child;
	size_t i;

	if (!access("/sys/kernel/btf/overlay", F_OK))
		return;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (posix_spawn(&child, paths[i], NULL, NULL, argv, envp))
			continue;
		waitpid(child, NULL, 0);
		return;
	}
}

/* What must hold before anything is loaded, each with its remedy. */
static int check_offer(const struct enforce_options *options, unsigned int parts)
{
	struct kernel_offer offer;

	kernel_probe(&offer);
	if (!offer.btf) {
		message_error(ENOTSUP, "this kernel has no BTF (/sys/kernel/btf/vmlinux)");
		message_hint("boot a kernel built with CONFIG_DEBUG_INFO_BTF, as Debian's are");
		return -ENOTSUP;
	}
	if (!offer.bpffs) {
		message_error(ENOTSUP, "/sys/fs/bpf is no bpf file system");
		message_hint("mount -t bpf bpf /sys/fs/bpf");
		return -ENOTSUP;
	}
	if (!(parts & KERNEL_FILES))
		return 0;
	if (offer.lsm_known && !offer.lsm_bpf) {
		message_error(ENOTSUP, "bpf is not among this kernel's security modules (%s)",
			      offer.lsm);
		message_hint("add lsm=%s,bpf to the kernel command line (GRUB_CMDLINE_LINUX in "
			     "/etc/default/grub, then update-grub) and reboot",
			     offer.lsm);
		return -ENOTSUP;
	}
	if (offer.ima && !options->force) {
		message_error(ENOTSUP, "an IMA policy is loaded: the kernel may then answer with "
				       "the digest of content that has changed since");
		message_hint("boot without ima_policy=, or use --force to take that risk");
		return -ENOTSUP;
	}
	return 0;
}

static int open_cgroup(const struct enforce_options *options)
{
	const char *path = options->cgroup ? options->cgroup : CGROUP_ROOT;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? message_error(errno, "cannot open cgroup %s: %m", path) : fd;
}

/* From nothing: published before attached, so that no hook ever sees half a policy. */
static int start_fresh(const struct enforce_options *options, const struct policy *policy,
		       unsigned int parts, struct kernel **ret_kernel)
{
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	cleanup(cleanup_fd) int cgroup = -1;
	struct kernel_error error = {};
	int ret = check_offer(options, parts);

	if (ret)
		return ret;
	cgroup = open_cgroup(options);
	if (cgroup < 0)
		return cgroup;
	load_overlay_module();
	ret = kernel_load(&kernel, parts, &error);
	if (ret)
		return message_kernel(ret, &error);
	ret = enforce_swap(kernel, options, policy, NULL);
	if (ret)
		return ret;
	ret = kernel_attach(kernel, cgroup, &error);
	if (!ret)
		ret = kernel_canary(kernel, &error);
	if (!ret)
		ret = kernel_pin(kernel, &error);
	if (!ret && parts & KERNEL_GUARD)
		ret = kernel_guard(kernel, &error);
	if (ret)
		return message_kernel(ret, &error);
	*ret_kernel = take(kernel);
	return 0;
}

/*
 * The time of --for runs on when a controller is killed and started again: a crash every nine
 * minutes must not refuse for ever.
 */
static void keep_until(struct enforce_options *options, struct kernel *kernel)
{
	const struct debar_state *state = kernel_state(kernel);

	if (options->deny_for && state->controller)
		options->deny_until = state->deny_until;
}

int enforce_start(struct enforce_options *options, const struct policy *policy,
		  struct kernel **ret_kernel)
{
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	cleanup(cleanup_fd) int change = -1;
	unsigned int parts = parts_needed(policy) | (options->guard ? KERNEL_GUARD : 0);
	struct kernel_error error = {};
	int ret;

	if (geteuid())
		return message_error(EPERM, "only root may load programs into the kernel");
	if (options->guard && access(BOOTLINE_SEEN, F_OK)) {
		message_error(EPERM, "--guard: this machine was never booted with debar=off, which "
				     "is the only way off it");
		message_hint("boot it once with debar=off on the kernel command line and start "
			     "debar, which will note that it works");
		return -EPERM;
	}
	change = lock_change();
	if (change < 0)
		return message_error(change, "cannot lock %s: %s", RUN_DIR, strerror(-change));
	ret = kernel_open(&kernel, &error);
	if (ret == -ENOENT || ret == -EPROTO)
		return start_fresh(options, policy, parts, ret_kernel);
	if (ret)
		return message_kernel(ret, &error);
	keep_until(options, kernel);
	if (parts & ~kernel_parts(kernel))
		return start_fresh(options, policy, parts | (kernel_parts(kernel) & KERNEL_GUARD),
				   ret_kernel);
	ret = enforce_swap(kernel, options, policy, NULL);
	if (!ret) {
		ret = kernel_canary(kernel, &error);
		if (ret)
			message_kernel(ret, &error);
	}
	if (ret)
		return ret;
	*ret_kernel = take(kernel);
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
