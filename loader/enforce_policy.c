// SPDX-License-Identifier: MIT
/* The policy that options name, and what of it can be enforced. */
#include <errno.h>
#include <time.h>

#include "loader/clock.h"
#include "loader/enforce.h"
#include "loader/guard.h"
#include "loader/last.h"
#include "loader/message.h"
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
	int ret = guard_follow();

	if (ret)
		return ret;
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

	if (!ret || ret == -ENODATA || options->policies.count || trust_is_only())
		return ret;
	if (last_read(&checks, ret_policy))
		return ret;
	message_warning("%s cannot be used, see above: the last good policy is", read_policy_dir());
	return 0;
}
