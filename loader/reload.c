// SPDX-License-Identifier: MIT
/*
 * Reads the policies in force again and swaps them in: by the running controller, or alone where
 * there is none. What is wrong with a policy is told here, where the user is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/commands.h"
#include "loader/control.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/store.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

static int ask_controller(const struct control_request *request)
{
	int ret = control_ask(request);

	if (ret)
		message_error(ret, "the controller did not reload: %s", strerror(-ret));
	return ret;
}

static int swap(struct kernel *kernel, struct enforce_options *options, struct policy *policy)
{
	cleanup(cleanup_fd) int change = -1;
	__u32 generation = kernel_state(kernel)->generation;

	if (lock_controller_pid()) {
		struct control_request request = { .force = options->force };

		if (enforce_refuse_shrunk(options, policy, generation))
			return -EPERM;
		return ask_controller(&request);
	}
	change = lock_change();
	if (change < 0)
		return message_error(change, "cannot lock %s: %s", RUN_DIR, strerror(-change));
	return enforce_swap(kernel, options, policy, NULL);
}

int cmd_reload(int argc, char **argv)
{
	cleanup(enforce_options_free) struct enforce_options given = {}, options = {};
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	struct kernel_error error = {};
	int ret;

	if (enforce_options_read(&given, "fj", argc, argv))
		return EXIT_ERROR;
	if (geteuid()) {
		message_error(EPERM, "only root may change what is in force");
		return EXIT_ERROR;
	}
	ret = store_options(&options);
	if (ret) {
		message_error(ret, "nothing is loaded that could be reloaded");
		return EXIT_ERROR;
	}
	options.force = options.vouch = given.force;
	options.resident = lock_controller_pid() != 0;
	ret = kernel_open(&kernel, &error);
	if (ret) {
		message_kernel(ret, &error);
		return EXIT_ERROR;
	}
	options.deny_until = kernel_state(kernel)->deny_until;
	if (enforce_read(&options, &policy) || swap(kernel, &options, policy))
		return EXIT_ERROR;
	enforce_tell(kernel, "reloaded", given.json);
	return EXIT_DONE;
}
