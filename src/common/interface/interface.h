/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink-idl.h>

extern const sd_varlink_interface vl_interface_io_lkmd_Manager;

/* Errors of the interface. Each carries "message", a sentence, and most "hint", what to do next. */
#define LKMD_ERROR_NO_SUCH_MODULE "io.lkmd.Manager.NoSuchModule"
#define LKMD_ERROR_NO_SUCH_DEVICE "io.lkmd.Manager.NoSuchDevice"
#define LKMD_ERROR_NO_SUCH_GRANT "io.lkmd.Manager.NoSuchGrant"
#define LKMD_ERROR_DENIED "io.lkmd.Manager.Denied"
#define LKMD_ERROR_LOAD_FAILED "io.lkmd.Manager.LoadFailed"
#define LKMD_ERROR_UNLOAD_FAILED "io.lkmd.Manager.UnloadFailed"
#define LKMD_ERROR_NOT_LOADED "io.lkmd.Manager.NotLoaded"
#define LKMD_ERROR_BUILT_IN "io.lkmd.Manager.BuiltIn"
#define LKMD_ERROR_IN_USE "io.lkmd.Manager.InUse"
#define LKMD_ERROR_NEEDED "io.lkmd.Manager.Needed"
#define LKMD_ERROR_UNKNOWN_PARAMETER "io.lkmd.Manager.UnknownParameter"
#define LKMD_ERROR_TIMEOUT "io.lkmd.Manager.Timeout"
#define LKMD_ERROR_NOT_IN_CHARGE "io.lkmd.Manager.NotInCharge"
#define LKMD_ERROR_TOO_MANY_CLIENTS "io.lkmd.Manager.TooManyClients"
#define LKMD_ERROR_MESSAGE_TOO_LARGE "io.lkmd.Manager.MessageTooLarge"
#define LKMD_ERROR_RELOAD_FAILED "io.lkmd.Manager.ReloadFailed"
