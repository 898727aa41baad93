// SPDX-License-Identifier: MIT
#include <errno.h>

#include "loader/beforehand.h"
#include "loader/commands.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

static int scan(struct enforce_options *options, struct beforehand *beforehand)
{
	size_t i;
	int ret = beforehand_tree(beforehand, options->scan);

	for (i = 0; !ret && i < options->scan_count; i++)
		ret = beforehand_tree(beforehand, options->scan_more[i]);
	return ret ? ret : beforehand_mapped(beforehand);
}

int cmd_load(int argc, char **argv)
{
	cleanup(enforce_options_free) struct enforce_options options = {};
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	cleanup(beforehand_freep) struct beforehand *beforehand = NULL;
	struct policy_facts facts;
	pid_t controller;

	if (enforce_options_read(&options, "pagcdtfxjs", argc, argv))
		return EXIT_ERROR;
	if (enforce_off_at_boot(&options))
		return EXIT_DONE;
	controller = lock_controller_pid();
	if (controller) {
		message_error(EBUSY, "a controller runs as pid %d", controller);
		message_hint("debar reload gives it the policy again");
		return EXIT_ERROR;
	}
	if (enforce_read_start(&options, &policy))
		return EXIT_ERROR;
	if (options.scan) {
		if (beforehand_new(&beforehand) || scan(&options, beforehand))
			return EXIT_ERROR;
		facts = beforehand_facts(beforehand);
		options.facts = &facts;
	}
	if (enforce_start(&options, policy, &kernel))
		return EXIT_ERROR;
	if (beforehand && beforehand_put(beforehand, kernel))
		return EXIT_ERROR;
	kernel_state(kernel)->heartbeat = 0; /* it is meant to go on without one */
	enforce_tell(kernel, "loaded", options.json);
	return EXIT_DONE;
}
