// SPDX-License-Identifier: MIT
/*
 * The start: which way does debar work on this machine? Kernel mode where BPF LSM can be used, gate
 * mode where it cannot and nobody asked for the other. What cannot be had is found by trying, never
 * by a version.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/cgroups.h"
#include "loader/enforce.h"
#include "loader/guard.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "policy/cleanup.h"

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

/* What must hold before programs about files are loaded, each with its remedy. */
static int check_lsm(const struct enforce_options *options, const struct kernel_offer *offer,
		     struct kernel_error *reterr)
{
	if (offer->lsm_known && !offer->lsm_bpf) {
		snprintf(reterr->text, sizeof(reterr->text),
			 "bpf is not among this kernel's security modules (%.180s)", offer->lsm);
		snprintf(reterr->hint, sizeof(reterr->hint),
			 "add lsm=%s,bpf to the kernel command line (GRUB_CMDLINE_LINUX in "
			 "/etc/default/grub, then update-grub) and reboot",
			 offer->lsm);
		return -ENOTSUP;
	}
	if (offer->ima && !options->force) {
		*reterr = (struct kernel_error){
			"an IMA policy is loaded: the kernel may then answer with the digest of "
			"content that has changed since",
			"boot without ima_policy=, or use --force to take that risk"
		};
		return -ENOTSUP;
	}
	return 0;
}

/* What must hold before anything is loaded. */
static int check_offer(const struct enforce_options *options, unsigned int parts,
		       struct kernel_error *reterr)
{
	struct kernel_offer offer;

	kernel_probe(&offer);
	if (!offer.btf && parts != KERNEL_GATE) {
		*reterr = (struct kernel_error){
			"this kernel has no BTF (/sys/kernel/btf/vmlinux)",
			"boot a kernel built with CONFIG_DEBUG_INFO_BTF, as Debian's are"
		};
		return -ENOTSUP;
	}
	if (!offer.bpffs) {
		*reterr = (struct kernel_error){ "/sys/fs/bpf is no bpf file system",
						 "mount -t bpf bpf /sys/fs/bpf" };
		return -ENOTSUP;
	}
	return parts & KERNEL_FILES ? check_lsm(options, &offer, reterr) : 0;
}

static int open_cgroup(const struct enforce_options *options)
{
	char root[PATH_MAX];
	const char *path = options->cgroup ? options->cgroup : root;
	int fd;

	cgroups_root(root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? message_error(errno, "cannot open cgroup %s: %m", path) : fd;
}

/* Programs about files want more than to be loaded: whoever classifies, and under the guard a start. */
int enforce_add(struct kernel *kernel, const struct enforce_options *options, unsigned int missing)
{
	struct kernel_error error = {};
	cleanup(cleanup_fd) int cgroup = -1;
	int ret;

	if (missing != KERNEL_NETWORK || kernel_guarded(kernel, NULL)) {
		message_error(ENOTSUP,
			      "the policy has rules about %s now, and what they need is not "
			      "loaded; the policy in force stays",
			      missing & KERNEL_NETWORK ? "names and networks" : "files");
		message_hint(
			"stop the controller, if there is one, and start it again; or debar load");
		return -ENOTSUP;
	}
	cgroup = open_cgroup(options);
	if (cgroup < 0)
		return cgroup;
	ret = check_offer(options, missing, &error);
	if (!ret)
		ret = kernel_add(kernel, missing, cgroup, &error);
	return ret ? message_kernel(ret, &error) : 0;
}

/*
 * From nothing: published before attached, so that no hook ever sees half a policy. What the kernel
 * cannot do is told in @reterr and not printed; other messages have been, and leave it empty.
 */
static int start_fresh(const struct enforce_options *options, const struct policy *policy,
		       unsigned int parts, struct kernel **ret_kernel, struct kernel_error *reterr)
{
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	cleanup(cleanup_fd) int cgroup = -1;
	int ret = check_offer(options, parts, reterr);

	if (ret)
		return ret;
	cgroup = open_cgroup(options);
	if (cgroup < 0)
		return cgroup;
	if (parts & KERNEL_FILES)
		load_overlay_module();
	ret = kernel_load(&kernel, parts, reterr);
	if (ret)
		return ret;
	ret = enforce_swap(kernel, options, policy, NULL);
	if (ret)
		return ret;
	ret = kernel_attach(kernel, cgroup, reterr);
	if (!ret && !(parts & KERNEL_GATE))
		ret = kernel_canary(kernel, reterr);
	if (!ret)
		ret = kernel_pin(kernel, reterr);
	if (!ret && parts & KERNEL_GUARD)
		ret = guard_arm(kernel, options, reterr);
	if (ret)
		return ret;
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

/* What is in force goes on with another policy. */
static int take_over(struct enforce_options *options, const struct policy *policy,
		     struct kernel **kernel, struct kernel **ret_kernel,
		     struct kernel_error *reterr)
{
	int ret = enforce_swap(*kernel, options, policy, NULL);

	if (!ret && !(kernel_parts(*kernel) & KERNEL_GATE))
		ret = kernel_canary(*kernel, reterr);
	if (ret)
		return ret;
	*ret_kernel = take(*kernel);
	return 0;
}

/* With @parts, on what is pinned or from nothing; failures as of start_fresh(). */
static int start_parts(struct enforce_options *options, const struct policy *policy,
		       unsigned int parts, struct kernel **ret_kernel, struct kernel_error *reterr)
{
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	int ret = kernel_open(&kernel, reterr);

	if (ret == -ENOENT || ret == -EPROTO) {
		*reterr = (struct kernel_error){};
		return start_fresh(options, policy, parts, ret_kernel, reterr);
	}
	if (ret)
		return ret;
	keep_until(options, kernel);
	if (parts & KERNEL_GATE && kernel_parts(kernel) & KERNEL_FILES) {
		*reterr = (struct kernel_error){ "kernel mode is in force",
						 "debar unload takes it off first" };
		return -EBUSY;
	}
	/* With a guard that could not be armed when it was loaded, one begins anew as well. */
	if (parts & ~kernel_parts(kernel) ||
	    (parts & KERNEL_GUARD && !kernel_guarded(kernel, NULL)))
		return start_fresh(options, policy, parts, ret_kernel, reterr);
	return take_over(options, policy, &kernel, ret_kernel, reterr);
}

/*
 * Gate mode. Names and networks need programs all the same, which need no BPF LSM but are refused
 * before 5.17; then they are left aside only by who says so.
 */
static int start_gate(struct enforce_options *options, const struct policy *policy,
		      unsigned int parts, struct kernel **ret_kernel, struct kernel_error *reterr)
{
	int ret = start_parts(options, policy, parts, ret_kernel, reterr);

	if (!ret || !(parts & KERNEL_NETWORK) || !reterr->text[0] || ret == -EBUSY)
		return ret;
	if (!options->partial) {
		snprintf(reterr->hint, sizeof(reterr->hint),
			 "these are the programs for names and networks; --partial enforces the "
			 "other rules without");
		return ret;
	}
	message_warning("names and networks are not enforced: %s", reterr->text);
	*reterr = (struct kernel_error){};
	return start_parts(options, policy, parts & ~KERNEL_NETWORK, ret_kernel, reterr);
}

/* Kernel mode; gate mode where that cannot be, unless it was asked for. */
static int start_mode(struct enforce_options *options, const struct policy *policy,
		      unsigned int parts, struct kernel **ret_kernel, struct kernel_error *reterr)
{
	bool may_gate = options->resident && !options->guard && parts & KERNEL_FILES;
	unsigned int gated = (parts & ~KERNEL_FILES) | KERNEL_GATE;
	int ret;

	if (may_gate && options->run_mode == ENFORCE_GATE)
		return start_gate(options, policy, gated, ret_kernel, reterr);
	ret = start_parts(options, policy, parts, ret_kernel, reterr);
	if (!ret || !reterr->text[0] || !may_gate || options->run_mode != ENFORCE_AUTO)
		return ret;
	message_info("BPF LSM cannot be used: %s", reterr->text);
	if (reterr->hint[0])
		message_hint("%s", reterr->hint);
	*reterr = (struct kernel_error){};
	return start_gate(options, policy, gated, ret_kernel, reterr);
}

int enforce_start(struct enforce_options *options, const struct policy *policy,
		  struct kernel **ret_kernel)
{
	unsigned int parts = enforce_parts(policy) | (options->guard ? KERNEL_ALL : 0);
	cleanup(cleanup_fd) int change = -1;
	struct kernel_error error = {};
	int ret;

	if (geteuid())
		return message_error(EPERM, "only root may load programs into the kernel");
	ret = guard_check(options);
	if (ret)
		return ret;
	change = lock_change();
	if (change < 0)
		return message_error(change, "cannot lock %s: %s", RUN_DIR, strerror(-change));
	ret = start_mode(options, policy, parts, ret_kernel, &error);
	return ret && error.text[0] ? message_kernel(ret, &error) : ret;
}
