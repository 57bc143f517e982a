/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink-idl.h>

extern const sd_varlink_interface vl_interface_io_lkmd_Broker;

/* Errors of the interface. Each carries "message", a sentence, and most "hint", what to do next. */
#define BROKER_ERROR_NOT_ALLOWED "io.lkmd.Broker.NotAllowed"
#define BROKER_ERROR_NO_SUCH_MODULE "io.lkmd.Broker.NoSuchModule"
#define BROKER_ERROR_LOAD_FAILED "io.lkmd.Broker.LoadFailed"
#define BROKER_ERROR_NOT_A_CONTAINER "io.lkmd.Broker.NotAContainer"
#define BROKER_ERROR_BUSY "io.lkmd.Broker.Busy"
#define BROKER_ERROR_TOO_MANY_CLIENTS "io.lkmd.Broker.TooManyClients"
#define BROKER_ERROR_MESSAGE_TOO_LARGE "io.lkmd.Broker.MessageTooLarge"
