/* SPDX-License-Identifier: MIT */
/*
 * The way back for who can no longer log in: `debar=off` or `debar=audit` on the kernel's command
 * line, which is given in the boot loader, before anything of this could stand in the way.
 */
#ifndef DEBAR_BOOTLINE_H
#define DEBAR_BOOTLINE_H

#include <stddef.h>

enum bootline {
	BOOTLINE_NONE,
	BOOTLINE_AUDIT,
	BOOTLINE_OFF
};

/*
 * What @text asks for; of several the mildest. A value that is neither is copied to @ret_unknown
 * (else ""), for it was meant to be one.
 */
enum bootline bootline_parse(const char *text, char *ret_unknown, size_t size);

/* The same of the command line that this kernel was booted with. */
enum bootline bootline_read(char *ret_unknown, size_t size);

/* That a boot with debar=off was seen, so that it is known to work on this machine: this file. */
#define BOOTLINE_SEEN "/var/lib/debar/booted-off"

/* Leaves it. 0 or -errno. */
int bootline_note(void);

#endif
