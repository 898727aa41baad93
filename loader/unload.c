// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/commands.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/store.h"
#include "policy/cleanup.h"

int cmd_unload(int argc, char **argv)
{
	cleanup(enforce_options_free) struct enforce_options options = {};
	cleanup(cleanup_fd) int change = -1;
	struct kernel_error error = {};
	pid_t controller;
	int ret;

	if (enforce_options_read(&options, "j", argc, argv))
		return EXIT_ERROR;
	if (geteuid()) {
		message_error(EPERM, "only root may take programs out of the kernel");
		return EXIT_ERROR;
	}
	controller = lock_controller_pid();
	if (controller) {
		message_error(EBUSY, "a controller runs as pid %d", controller);
		message_hint("stop it first: it would go on as if it enforced");
		return EXIT_ERROR;
	}
	change = lock_change();
	if (change < 0) {
		message_error(change, "cannot lock %s: %s", RUN_DIR, strerror(-change));
		return EXIT_ERROR;
	}
	ret = kernel_unpin(&error);
	if (ret) {
		message_kernel(ret, &error);
		return EXIT_ERROR;
	}
	store_remove();
	puts(options.json ? "{\"verb\":\"unloaded\"}" : "unloaded: nothing is enforced any more");
	return EXIT_DONE;
}
