// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>

#include "loader/kernel.h"
#include "loader/message.h"
#include "policy/policy.h"

static void say(const char *prefix, const char *format, va_list args)
{
	fputs(prefix, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int message_error(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("debar: ", format, args);
	va_end(args);
	return error > 0 ? -error : error;
}

void message_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("debar: warning: ", format, args);
	va_end(args);
}

void message_hint(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("hint: ", format, args);
	va_end(args);
}

void message_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("debar: ", format, args);
	va_end(args);
}

int message_kernel(int error, const struct kernel_error *what)
{
	message_error(error, "%s", what->text);
	if (what->hint[0])
		message_hint("%s", what->hint);
	return error > 0 ? -error : error;
}

void message_policy(const struct policy_error *what)
{
	char text[1024];

	fprintf(stderr, "%s\n", policy_error_format(what, text, sizeof(text)));
}

void message_policy_warning(const struct policy_error *what)
{
	char text[1024];

	fprintf(stderr, "%s (warning)\n", policy_error_format(what, text, sizeof(text)));
}
