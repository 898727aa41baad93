/* SPDX-License-Identifier: MIT */
/* For tests beside other tools: a directory of their own, what a command prints, a file as it is read. */
#ifndef DEBAR_TESTS_TOOLS_H
#define DEBAR_TESTS_TOOLS_H

#include <ftw.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/identify.h"
#include "tests/unit/identity_sample.h"

#define QUIET ">/dev/null 2>&1"
#define TOOL __attribute__((unused)) static

static char scratch[] = "/tmp/debar-unit.XXXXXX"; /* between scratch_make() and scratch_remove() */

/* What a command prints, at most 64 KiB of it; "" when it cannot be run. */
TOOL const char *output(const char *format, ...)
{
	static char text[65536];
	char command[2048];
	va_list args;
	size_t len;
	FILE *pipe;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pipe = popen(command, "r"); /* NOLINT(cert-env33-c) */
	len = pipe ? fread(text, 1, sizeof(text) - 1, pipe) : 0;
	text[len] = '\0';
	if (pipe)
		pclose(pipe);
	return text;
}

TOOL bool have(const char *tool)
{
	return *output("command -v %s", tool) != '\0';
}

TOOL const char *hex(const uint8_t *bytes, size_t len, bool upper)
{
	static char text[4][256];
	static unsigned int turn;
	char *at = text[turn++ % 4];
	size_t i;

	for (i = 0; i < len && i < 120; i++)
		(void)sprintf(at + 2 * i, upper ? "%02X" : "%02x", bytes[i]);
	at[2 * i] = '\0';
	return at;
}

TOOL struct identity *file_read(const char *path)
{
	struct identity *identity = NULL;
	int fd = -1;

	if (!identify_open(path, &fd))
		(void)identify_fd(&identity, fd, IDENTITY_SHA256 | IDENTITY_VERIFY);
	if (fd >= 0)
		close(fd);
	if (!identity) {
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	return identity;
}

TOOL void scratch_make(void)
{
	if (mkdtemp(scratch))
		return;
	printf("Bail out! no directory %s\n", scratch);
	exit(1);
}

TOOL int removed(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

TOOL void scratch_remove(void)
{
	nftw(scratch, removed, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
