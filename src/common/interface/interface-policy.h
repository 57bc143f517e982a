/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink-idl.h>

/* InterfacePolicy: internal to the interface. */

extern const sd_varlink_symbol vl_type_Origin;
extern const sd_varlink_symbol vl_type_Problem;

extern const sd_varlink_symbol vl_type_PolicySource;
extern const sd_varlink_symbol vl_type_PolicyStanding;
extern const sd_varlink_symbol vl_type_PolicyMode;
extern const sd_varlink_symbol vl_type_PolicyVerdict;
extern const sd_varlink_symbol vl_type_Ruling;
extern const sd_varlink_symbol vl_type_PolicyGrant;
extern const sd_varlink_symbol vl_type_LookedAt;
extern const sd_varlink_symbol vl_type_KeepingDevice;
extern const sd_varlink_symbol vl_type_DeniedModule;
extern const sd_varlink_symbol vl_type_Policy;
extern const sd_varlink_symbol vl_type_AuditKind;
extern const sd_varlink_symbol vl_type_AuditEntry;

extern const sd_varlink_symbol vl_method_Grant;
extern const sd_varlink_symbol vl_method_Revoke;
extern const sd_varlink_symbol vl_method_Audit;
extern const sd_varlink_symbol vl_method_ClearAudit;

extern const sd_varlink_symbol vl_error_NoSuchGrant;
