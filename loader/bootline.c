// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/bootline.h"
#include "policy/cleanup.h"

#define BOOTLINE_MAX 4096
#define PREFIX "debar="

static bool is_word(const char *word, size_t len, const char *what)
{
	return len == strlen(what) && memcmp(word, what, len) == 0;
}

enum bootline bootline_parse(const char *text, char *ret_unknown, size_t size)
{
	static const char space[] = " \t\n";
	enum bootline asked = BOOTLINE_NONE;
	size_t len;

	snprintf(ret_unknown, size, "%s", "");
	for (text += strspn(text, space); *text; text += len, text += strspn(text, space)) {
		len = strcspn(text, space);
		if (len < strlen(PREFIX) || memcmp(text, PREFIX, strlen(PREFIX)) != 0)
			continue;
		text += strlen(PREFIX);
		len -= strlen(PREFIX);
		if (is_word(text, len, "off"))
			asked = BOOTLINE_OFF;
		else if (!is_word(text, len, "audit"))
			snprintf(ret_unknown, size, "%.*s", (int)len, text);
		else if (asked == BOOTLINE_NONE)
			asked = BOOTLINE_AUDIT;
	}
	return asked;
}

enum bootline bootline_read(char *ret_unknown, size_t size)
{
	cleanup(cleanup_file) FILE *file = fopen("/proc/cmdline", "re");
	char text[BOOTLINE_MAX];
	size_t len;

	len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[len] = '\0';
	return bootline_parse(text, ret_unknown, size);
}

int bootline_note(void)
{
	cleanup(cleanup_fd) int fd = -1;

	if (mkdir("/var/lib/debar", 0755) && errno != EEXIST)
		return -errno;
	fd = open(BOOTLINE_SEEN, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : 0;
}
