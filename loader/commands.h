/* SPDX-License-Identifier: MIT */
/*
 * One verb, one file. A verb gets its own name in argv[0], prints results on stdout and everything
 * else through message.h, and returns the exit code.
 */
#ifndef DEBAR_COMMANDS_H
#define DEBAR_COMMANDS_H

enum exit_code {
	EXIT_DONE = 0,	 /* done, nothing banned */
	EXIT_BANNED = 1, /* something banned was found */
	EXIT_ERROR = 2,	 /* an error, or wrong usage */
};

int cmd_run(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_scan(int argc, char **argv);
int cmd_policy(int argc, char **argv);

#endif
