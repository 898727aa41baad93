/* SPDX-License-Identifier: MIT */
/* The parts of the status that health_parts.c gathers, for programs and for people. */
#ifndef DEBAR_LOADER_STATUS_PARTS_H
#define DEBAR_LOADER_STATUS_PARTS_H

#include <jansson.h>

struct health;

void status_parts_json(json_t *json, const struct health *health);
void status_parts_text(const struct health *health);

#endif
