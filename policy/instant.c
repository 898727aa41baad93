/* SPDX-License-Identifier: MIT */
/*
 * Instants: RFC 3339 with a zone, and back. Everything behind this file is UTC nanoseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

#define SECOND 1000000000LL

static bool leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && leap(year));
}

/* Days from 1970-01-01 to the first of March of @year's era and on: the proleptic calendar. */
static int64_t days_from(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, in_era = y - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

/* Exactly @digits decimal digits at *@at, which moves past them. */
static bool number(const char **at, int digits, int *ret)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + **at - '0';
	}
	*ret = value;
	return true;
}

static bool literal(const char **at, const char *any_of)
{
	if (!**at || !strchr(any_of, **at))
		return false;
	(*at)++;
	return true;
}

/* ".5" and up to nine digits. */
static bool fraction(const char **at, int64_t *ret_nanoseconds)
{
	int64_t unit = SECOND / 10, sum = 0;

	if (**at != '.')
		return true;
	(*at)++;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10) {
		if (!unit)
			return false;
		sum += unit * (**at - '0');
	}
	*ret_nanoseconds = sum;
	return true;
}

static const char *zone(const char *at, int *ret_minutes)
{
	int sign = *at == '-' ? -1 : 1, hours, minutes;

	if (!*at)
		return "a time without a zone is not an instant; end it with Z or an offset "
		       "such as -04:00";
	if ((at[0] == 'Z' || at[0] == 'z') && !at[1]) {
		*ret_minutes = 0;
		return NULL;
	}
	if (!literal(&at, "+-") || !number(&at, 2, &hours) || !literal(&at, ":") ||
	    !number(&at, 2, &minutes) || *at)
		return "the zone must be Z or an offset such as -04:00";
	if (hours > 23 || minutes > 59)
		return "no zone is that far from UTC";
	*ret_minutes = sign * (hours * 60 + minutes);
	return NULL;
}

static const char *clock_words(const char **at, int *ret_seconds)
{
	int hour, minute, second;

	if (!number(at, 2, &hour) || !literal(at, ":") || !number(at, 2, &minute) ||
	    !literal(at, ":") || !number(at, 2, &second))
		return "an instant has a time of day: 2024-09-29T00:00:00-04:00";
	if (hour == 24)
		return "24:00:00 is 00:00:00 of the next day; write that";
	if (hour > 23 || minute > 59 || second > 60)
		return "there is no such time of day";
	if (second == 60)
		return "a leap second cannot be compared with the clock; write :59, or :00 of the "
		       "next minute";
	*ret_seconds = hour * 3600 + minute * 60 + second;
	return NULL;
}

static const char *instant_words(const char *at, int64_t *ret_utc)
{
	int year, month, day, seconds, minutes;
	int64_t nanoseconds = 0, total;
	const char *words;

	if (!number(&at, 4, &year) || !literal(&at, "-") || !number(&at, 2, &month) ||
	    !literal(&at, "-") || !number(&at, 2, &day))
		return "not an instant; write it as 2024-09-29T00:00:00-04:00";
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return "there is no such day";
	if (!literal(&at, "Tt "))
		return "an instant has a time of day and a zone: 2024-09-29T00:00:00-04:00";
	words = clock_words(&at, &seconds);
	if (words)
		return words;
	if (!fraction(&at, &nanoseconds))
		return "a fraction of a second has one to nine digits";
	words = zone(at, &minutes);
	if (words)
		return words;
	if (year < 1970 || year > 2261)
		return "the year must be between 1970 and 2261";
	total = days_from(year, month, day) * 86400 + seconds - minutes * 60;
	if (total < 0)
		return "the instant is before 1970";
	*ret_utc = total * SECOND + nanoseconds;
	return NULL;
}

int policy_instant_parse(const char *text, int64_t *ret_utc, const char **ret_words)
{
	int64_t utc = 0;
	const char *words = instant_words(text, &utc);

	if (words) {
		*ret_words = words;
		return -EINVAL;
	}
	*ret_utc = utc;
	return 0;
}

const char *policy_instant_format(int64_t utc, char *buf, size_t size)
{
	int64_t seconds = utc / SECOND - (utc % SECOND < 0), nanoseconds = utc - seconds * SECOND;
	int64_t days = seconds / 86400 - (seconds % 86400 < 0), rest = seconds - days * 86400;
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	int used;

	used = snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d",
			(int)(yoe + era * 400 + (month <= 2)), month,
			(int)(doy - (153 * mp + 2) / 5 + 1), (int)(rest / 3600),
			(int)(rest / 60 % 60), (int)(rest % 60));
	if (used > 0 && (size_t)used < size && nanoseconds)
		used += snprintf(buf + used, size - (size_t)used, ".%09d", (int)nanoseconds);
	if (used > 0 && (size_t)used < size)
		(void)snprintf(buf + used, size - (size_t)used, "Z");
	return buf;
}
