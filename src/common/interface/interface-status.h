/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink-idl.h>

/* InterfaceStatus: internal to the interface. */

extern const sd_varlink_symbol vl_type_Record;

extern const sd_varlink_symbol vl_type_GateMode;
extern const sd_varlink_symbol vl_type_Authority;
extern const sd_varlink_symbol vl_type_Counters;
extern const sd_varlink_symbol vl_type_Phase;
extern const sd_varlink_symbol vl_type_UdevRule;
extern const sd_varlink_symbol vl_type_PhaseBucket;
extern const sd_varlink_symbol vl_type_PhaseTimes;
extern const sd_varlink_symbol vl_type_WaitingModule;
extern const sd_varlink_symbol vl_method_Status;
