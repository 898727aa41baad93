// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "loader/notify.h"
#include "policy/cleanup.h"

#define MANAGER "org.freedesktop.systemd1"
#define ANSWER_US 1000000

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

static void cleanup_bus(sd_bus **bus)
{
	sd_bus_close_unref(*bus);
}

/* The manager's own socket: the message bus is not there early, nor everywhere. */
bool notify_started_up(void)
{
	cleanup(cleanup_bus) sd_bus *bus = NULL;
	cleanup(cleanup_free) char *state = NULL;

	if (sd_booted() <= 0)
		return true;
	if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, "unix:path=/run/systemd/private") < 0 ||
	    sd_bus_start(bus) < 0 || sd_bus_set_method_call_timeout(bus, ANSWER_US) < 0 ||
	    sd_bus_get_property_string(bus, MANAGER, "/org/freedesktop/systemd1",
				       MANAGER ".Manager", "SystemState", NULL, &state) < 0)
		return false;
	return strcmp(state, "running") == 0 || strcmp(state, "degraded") == 0;
}
