/* SPDX-License-Identifier: MIT */
/* Twenty a minute, whoever asks and however often it is started. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loader/kills.h"

#include "tests/unit/tap.h"

#define SECOND 1000000000LL

static int take_many(const char *path, int n, int64_t now)
{
	int taken = 0;

	for (int i = 0; i < n; i++)
		taken += kills_take(path, now + i);
	return taken;
}

int main(void)
{
	char path[] = "/tmp/debar-kills.XXXXXX", link[64];
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	unlink(path);
	tap_ok(take_many(path, 25, 100 * SECOND) == KILLS_MAX, "of 25 at once, 20");
	tap_ok(take_many(path, 5, 130 * SECOND) == 0, "half a minute later none");
	tap_ok(take_many(path, 25, 161 * SECOND) == KILLS_MAX, "a minute later 20 again");
	tap_ok(take_many(path, 25, 5 * SECOND) == KILLS_MAX, "what is ahead was in another boot");
	unlink(path);
	for (int i = 0; i < 20; i++)
		(void)kills_take(path, (100 + 2 * i) * SECOND);
	tap_ok(take_many(path, 5, 161 * SECOND) == 1,
	       "spread over a minute: one for each that is over");
	snprintf(link, sizeof(link), "%s.link", path);
	if (symlink(path, link))
		return 1;
	tap_ok(!kills_take(link, 1000 * SECOND), "a link is not followed");
	unlink(link);
	tap_ok(!kills_take("/proc/self/none", 1000 * SECOND), "where it cannot be counted, none");
	if (truncate(path, 7))
		return 1;
	tap_ok(kills_take(path, 1000 * SECOND), "a file that was cut does no harm");
	unlink(path);
	return tap_done();
}
