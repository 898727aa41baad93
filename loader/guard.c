// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/bootline.h"
#include "loader/guard.h"
#include "loader/kernel.h"
#include "loader/message.h"
#include "loader/trust.h"
#include "policy/cleanup.h"
#include "policy/digest.h"

#define ADMIT_MAX 65536

static const struct {
	const char *word;
	enum debar_guard_switch is;
} switches[] = {
	{ "modules", DEBAR_GUARD_MODULES },
	{ "kexec", DEBAR_GUARD_KEXEC },
	{ "mem", DEBAR_GUARD_MEM },
	{ "lockdown", DEBAR_GUARD_LOCKDOWN },
};

#define SWITCHES (sizeof(switches) / sizeof(switches[0]))

int guard_read_switches(const char *list, unsigned int *ret_switches)
{
	unsigned int found = 0;
	size_t i, len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		for (i = 0; i < SWITCHES; i++)
			if (len == strlen(switches[i].word) &&
			    !strncmp(list, switches[i].word, len))
				break;
		if (i == SWITCHES)
			return message_error(EINVAL,
					     "--guard= takes modules, kexec, mem and lockdown, "
					     "not \"%.*s\"",
					     (int)len, list);
		found |= switches[i].is;
		if (!list[len])
			break;
	}
	*ret_switches = found;
	return 0;
}

const char *guard_switch_name(unsigned int set, size_t nth)
{
	for (size_t i = 0; i < SWITCHES; i++)
		if (set & switches[i].is && !nth--)
			return switches[i].word;
	return NULL;
}

/* ---- armed -------------------------------------------------------------------------------- */

int guard_check(const struct enforce_options *options)
{
	if (!options->guard)
		return 0;
	if (options->run_mode == ENFORCE_GATE)
		return message_error(EINVAL, "--guard needs kernel mode: gate mode has no programs "
					     "that could guard anything");
	if (options->cgroup)
		return message_error(EINVAL, "--guard and --cgroup do not go together: a trial in "
					     "one cgroup has to be ended some time");
	if (!access(BOOTLINE_SEEN, F_OK))
		return 0;
	message_error(EPERM, "--guard: this machine was never booted with debar=off, which is the "
			     "only way off it");
	message_hint("boot it once with debar=off on the kernel command line and start debar, "
		     "which will note that it works");
	return -EPERM;
}

int guard_arm(struct kernel *kernel, const struct enforce_options *options,
	      struct kernel_error *reterr)
{
	struct debar_digest anchors[TRUST_ANCHORS_MAX];
	struct kernel_guard with = { .switches = options->switches, .anchors = anchors };
	struct policy_error refused = {};
	int ret = trust_anchors(anchors, &refused);

	if (ret < 0) {
		message_policy(&refused);
		return ret;
	}
	with.anchor_count = (size_t)ret;
	if (!ret) {
		message_warning("the guard is armed with no certificate in %s: who may write to "
				"/etc/debar may change the policy",
				TRUST_DIR);
	}
	return kernel_guard(kernel, &with, reterr);
}

/* Also who could not open what is loaded goes on: what needs it will say so. */
int guard_follow(void)
{
	struct debar_digest anchors[TRUST_ANCHORS_MAX];
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	struct kernel_error error = {};
	int count;

	if (geteuid() || kernel_open(&kernel, &error) || !kernel_guarded(kernel, NULL))
		return 0;
	count = kernel_guard_anchors(kernel, anchors, TRUST_ANCHORS_MAX);
	if (count < 0)
		return message_error(count, "cannot read whom the guard trusts: %s",
				     strerror(-count));
	if (count)
		trust_only(anchors, (size_t)count);
	return 0;
}

/*
 * What the guard is for would be lost if one could ask debar itself to look on. Whoever runs debar
 * chooses what it sees under a path, so a policy counts only if the guard was seen when it was read.
 */
int guard_refuse_looser(struct kernel *kernel, const struct enforce_options *options)
{
	const struct debar_state *state = kernel_state(kernel);
	bool audit = options->audit && state->mode == DEBAR_MODE_ENFORCE;
	struct debar_digest anchors[TRUST_ANCHORS_MAX];

	if (!kernel_guarded(kernel, NULL))
		return 0;
	if (audit || options->force || options->cgroup || (options->deny_for && !state->deny_until))
		return message_error(EPERM, "the guard is armed: it takes a reboot to loosen what "
					    "is in force");
	if (kernel_guard_anchors(kernel, anchors, TRUST_ANCHORS_MAX) && !trust_is_only())
		return message_error(EPERM, "the policy was read while the guard could not be "
					    "seen; try again");
	return 0;
}

/* ---- whom it admits ----------------------------------------------------------------------- */

/* "sha256  path": a program where the path ends in /debar, else one of its libraries. */
static int admit_line(struct kernel *kernel, char *line)
{
	struct debar_digest digest;
	size_t len = strcspn(line, "\n");
	const char *path = line + 66;
	int ret;

	line[len] = '\0';
	if (!len || line[0] == '#')
		return 0;
	if (len < 67 || line[64] != ' ' || path[0] != '/' || !digest_decode(line, 64, digest.bytes))
		return message_error(EINVAL,
				     "%s: \"%s\" is no line of sha256sum with an absolute "
				     "path",
				     GUARD_ADMIT, line);
	ret = kernel_guard_admit(kernel, &digest, path,
				 len >= 6 && !strcmp(line + len - 6, "/debar"));
	return ret ? message_error(ret, "cannot admit %s: %s", path, strerror(-ret)) : 0;
}

/* The bytes that are verified are the bytes that are used. */
static int admit(struct kernel *kernel)
{
	cleanup(trust_manifest_release) struct trust_manifest manifest = {};
	cleanup(cleanup_file) FILE *file = fopen(GUARD_ADMIT, "re");
	cleanup(cleanup_free) char *text = malloc(ADMIT_MAX + 1);
	struct policy_error error = {};
	char *line, *rest = text;
	size_t len;
	int ret;

	if (!file || !text)
		return file ? -ENOMEM : 0;
	if (!trust_is_only())
		return message_error(EPERM,
				     "%s admits nobody: the guard was armed with no "
				     "certificate in %s",
				     GUARD_ADMIT, TRUST_DIR);
	len = fread(text, 1, ADMIT_MAX, file);
	text[len] = '\0';
	ret = trust_manifest_add(&manifest, GUARD_ADMIT, text, len);
	if (!ret)
		ret = trust_verify(&manifest, &error);
	if (ret) {
		message_policy(&error);
		return ret;
	}
	while (!ret && (line = strsep(&rest, "\n")))
		ret = admit_line(kernel, line);
	return ret;
}

void guard_refresh(struct kernel *kernel, const struct enforce_options *options)
{
	int ret;

	if (!kernel_guarded(kernel, NULL))
		return;
	ret = kernel_guard_switch(kernel, options->switches);
	if (ret)
		message_warning("cannot add to what the guard refuses: %s", strerror(-ret));
	(void)admit(kernel);
	kernel_guard_forget(kernel);
}
