// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "loader/notify.h"

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

void notify_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_status(const char *status)
{
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void notify_alive(struct notify_clock *clock)
{
	uint64_t now = now_us(), limit = 0;

	if (sd_watchdog_enabled(0, &limit) <= 0 || now - clock->told < limit / 3)
		return;
	clock->told = now;
	(void)sd_notify(0, "WATCHDOG=1");
}
