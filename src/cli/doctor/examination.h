/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/doctor/doctor.h"

/* Examination: all that doctor looks at. */
int doctor_examine(const Doctor *d, Diagnoses *ret);
