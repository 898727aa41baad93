// SPDX-License-Identifier: MIT
#include <errno.h>

#include "loader/commands.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

int cmd_load(int argc, char **argv)
{
	cleanup(enforce_options_free) struct enforce_options options = {};
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	pid_t controller;

	if (enforce_options_read(&options, "pagctfxj", argc, argv))
		return EXIT_ERROR;
	if (enforce_off_at_boot(&options))
		return EXIT_DONE;
	controller = lock_controller_pid();
	if (controller) {
		message_error(EBUSY, "a controller runs as pid %d", controller);
		message_hint("debar reload gives it the policy again");
		return EXIT_ERROR;
	}
	if (enforce_read_start(&options, &policy) || enforce_start(&options, policy, &kernel))
		return EXIT_ERROR;
	enforce_tell(kernel, "loaded", options.json);
	return EXIT_DONE;
}
