/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/doctor/doctor.h"

/* The checks, each in the check-*.c that has to do with such things, in the order in which they are shown. */
int check_lkmd(const Doctor *d, Diagnoses *ret);
int check_udev(const Doctor *d, Diagnoses *ret);
int check_kernel_modprobe(const Doctor *d, Diagnoses *ret);
int check_gate(const Doctor *d, Diagnoses *ret);
int check_modprobe(const Doctor *d, Diagnoses *ret);
int check_lists(const Doctor *d, Diagnoses *ret);
int check_command_line(const Doctor *d, Diagnoses *ret);
int check_policy(const Doctor *d, Diagnoses *ret);
int check_watching(const Doctor *d, Diagnoses *ret);
int check_index(const Doctor *d, Diagnoses *ret);
int check_images(const Doctor *d, Diagnoses *ret);
int check_stale(const Doctor *d, Diagnoses *ret);
int check_kernel(const Doctor *d, Diagnoses *ret);
int check_leftovers(const Doctor *d, Diagnoses *ret);
