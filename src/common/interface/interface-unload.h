/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink-idl.h>

/* InterfaceUnload: internal to the interface. */

extern const sd_varlink_symbol vl_type_Requester;
extern const sd_varlink_symbol vl_type_Record;
extern const sd_varlink_symbol vl_type_Event;

extern const sd_varlink_symbol vl_type_UnloadReason;
extern const sd_varlink_symbol vl_type_UnloadStep;
extern const sd_varlink_symbol vl_type_UnloadStayKind;
extern const sd_varlink_symbol vl_type_UnloadStay;
extern const sd_varlink_symbol vl_type_NeedKind;
extern const sd_varlink_symbol vl_type_Need;

extern const sd_varlink_symbol vl_method_Unload;
extern const sd_varlink_symbol vl_method_Sweep;

extern const sd_varlink_symbol vl_error_Needed;
