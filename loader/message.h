/* SPDX-License-Identifier: MIT */
/* The only writer to stderr. One line names the thing and what is wrong; a hint says the remedy. */
#ifndef DEBAR_MESSAGE_H
#define DEBAR_MESSAGE_H

struct kernel_error;
struct policy_error;

/* "debar: ..." Both return @error negated, so that a verb can return the message's call. */
int message_error(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
int message_kernel(int error, const struct kernel_error *what);

/* "file:line:column: ..." as editors want it, without a prefix. */
void message_policy(const struct policy_error *what);
void message_policy_warning(const struct policy_error *what);

void message_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
