/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/clock.h"
#include "loader/kernel.h"
#include "loader/latest.h"
#include "loader/message.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define SECOND 1000000000LL
#define SMALL_STEP (60 * SECOND) /* what a time server may put right without a word */

static const char *latest_file(void)
{
	const char *file = secure_getenv("DEBAR_CLOCK");

	return file ? file : LATEST_FILE;
}

static int64_t remembered(void)
{
	struct stat st;

	if (stat(latest_file(), &st))
		return INT64_MIN;
	return st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec;
}

void latest_note(void)
{
	int64_t now = clock_ns(CLOCK_REALTIME);
	struct timespec at = { .tv_sec = now / SECOND, .tv_nsec = now % SECOND };
	cleanup(cleanup_fd) int fd = -1;

	if (now <= remembered())
		return;
	(void)mkdir(LATEST_DIR, 0755);
	fd = open(latest_file(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0) /* else the next boot knows less: nothing is wrong now */
		(void)futimens(fd, (struct timespec[]){ at, at });
}

/* What was in force was loaded then, and has entered its phases since. */
static int64_t in_force(struct kernel *kernel)
{
	struct debar_head head = {};
	struct debar_ban ban;
	int64_t latest;

	if (!kernel_state(kernel)->generation || kernel_head(kernel, &head))
		return INT64_MIN;
	latest = head.loaded;
	for (unsigned int i = 0; i < head.ban_count; i++) {
		if (kernel_ban(kernel, i, &ban) || !ban.entered || ban.entered > DEBAR_PHASES_MAX)
			continue;
		if (ban.phases[ban.entered - 1].from > latest)
			latest = ban.phases[ban.entered - 1].from;
	}
	return latest;
}

static void enter(struct debar_ban *ban, int64_t latest)
{
	while (ban->entered < ban->phase_count && ban->phases[ban->entered].from <= latest)
		ban->entered++;
}

void latest_enter(struct kernel *kernel, struct policy_tables *tables)
{
	int64_t now = clock_ns(CLOCK_REALTIME), latest = remembered(), loaded = in_force(kernel);
	char said[64], known[64];

	if (loaded > latest)
		latest = loaded;
	if (latest <= now)
		return; /* the kernel enters by its own clock */
	if (latest > now + SMALL_STEP) {
		message_warning("the clock says %s, and it was %s already: phases that had begun "
				"stay",
				policy_instant_format(now, said, sizeof(said)),
				policy_instant_format(latest, known, sizeof(known)));
		message_hint("--force believes the clock");
	}
	for (size_t i = 0; i < tables->ban_count; i++)
		enter(&tables->bans[i], latest);
}
