/* SPDX-License-Identifier: MIT */
/* The way back is taken when it is asked for, and never by what merely looks like it. */
#include "loader/bootline.h"

#include "tests/unit/tap.h"

static const struct {
	const char *text;
	enum bootline asked;
	const char *unknown;
} cases[] = {
	/* clang-format off */
	{ "", BOOTLINE_NONE, "" },
	{ "\n", BOOTLINE_NONE, "" },
	{ "quiet ro root=/dev/sda1\n", BOOTLINE_NONE, "" },
	{ "debar=off", BOOTLINE_OFF, "" },
	{ "ro debar=off\n", BOOTLINE_OFF, "" },
	{ "debar=audit quiet\n", BOOTLINE_AUDIT, "" },
	{ "a\tdebar=audit\tb", BOOTLINE_AUDIT, "" },
	{ "debar=audit debar=off", BOOTLINE_OFF, "" },
	{ "debar=off debar=audit", BOOTLINE_OFF, "" },
	{ "debar=off debar=of", BOOTLINE_OFF, "of" },
	{ "debar=offline", BOOTLINE_NONE, "offline" },
	{ "debar=OFF", BOOTLINE_NONE, "OFF" },
	{ "debar=audi", BOOTLINE_NONE, "audi" },
	{ "debar=", BOOTLINE_NONE, "" },
	{ "debar", BOOTLINE_NONE, "" },
	{ "debar off", BOOTLINE_NONE, "" },
	{ "xdebar=off", BOOTLINE_NONE, "" },
	{ "debar.x=off", BOOTLINE_NONE, "" },
	{ "systemd.unit=debar=off", BOOTLINE_NONE, "" },
	{ "debar=a-value-that-is-longer-than-there-is-room", BOOTLINE_NONE, "a-value" },
	/* clang-format on */
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char unknown[8];
		enum bootline asked = bootline_parse(cases[i].text, unknown, sizeof(unknown));

		tap_ok(asked == cases[i].asked, "case %zu: what it asks for", i);
		tap_str(unknown, cases[i].unknown, "and what is unknown in it");
	}
	return tap_done();
}
