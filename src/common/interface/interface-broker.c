/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * InterfaceBroker: the varlink interface io.lkmd.Broker, for containers. It says as little of the host as a container
 * needs. The comments here are its reference documentation, as those of io.lkmd.Manager are.
 */

#include "common/interface/interface-broker.h"

#define MESSAGE_FIELDS                                                                                               \
        SD_VARLINK_FIELD_COMMENT("What is wrong, in one sentence."),                                                 \
                SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),                                              \
                SD_VARLINK_FIELD_COMMENT("What to do next."),                                                        \
                SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE)

static SD_VARLINK_DEFINE_METHOD(
        Require, SD_VARLINK_FIELD_COMMENT("A module name or alias, of 255 bytes at most. Parameters cannot be given."),
        SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("True: it is part of the kernel's image, and nothing had to be loaded."),
        SD_VARLINK_DEFINE_OUTPUT(builtIn, SD_VARLINK_BOOL, 0));

static SD_VARLINK_DEFINE_ERROR(
        NotAllowed, MESSAGE_FIELDS,
        SD_VARLINK_FIELD_COMMENT("The reason that the rule gives which denies it; absent: it gives none, or no rule allows it."),
        SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));
static SD_VARLINK_DEFINE_ERROR(NoSuchModule, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(LoadFailed, MESSAGE_FIELDS, SD_VARLINK_FIELD_COMMENT("Positive errno."),
                               SD_VARLINK_DEFINE_FIELD(errno, SD_VARLINK_INT, 0));
static SD_VARLINK_DEFINE_ERROR(NotAContainer, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(Busy, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(TooManyClients, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(MessageTooLarge, MESSAGE_FIELDS);

SD_VARLINK_DEFINE_INTERFACE(
        io_lkmd_Broker, "io.lkmd.Broker",
        SD_VARLINK_INTERFACE_COMMENT(
                "Lets containers ask for kernel modules. Only a rule of the host's policy that names containers allows one anything; "
                "what the host does and why stays on the host."),
        SD_VARLINK_SYMBOL_COMMENT(
                "Has a module, or all modules that an alias matches, in the kernel. Replies when it can be used, at once if it is there already."),
        &vl_method_Require, SD_VARLINK_SYMBOL_COMMENT("The host's policy does not allow this container to load it."),
        &vl_error_NotAllowed,
        SD_VARLINK_SYMBOL_COMMENT("The container might load it, but no module of the host has that name, and no alias matches."),
        &vl_error_NoSuchModule,
        SD_VARLINK_SYMBOL_COMMENT("The host could not load the module, or one that it needs."), &vl_error_LoadFailed,
        SD_VARLINK_SYMBOL_COMMENT(
                "The process that asks is in no container that is served: its control group is not that of one, "
                "or belongs to a user's service manager."),
        &vl_error_NotAContainer,
        SD_VARLINK_SYMBOL_COMMENT("This container has asked too often: 64 times at once, and once a second after that, are possible."),
        &vl_error_Busy,
        SD_VARLINK_SYMBOL_COMMENT(
                "There is no room for another connection; lkmd closes it after this error, which may come before the call. "
                "A container may have 16 connections, each with one call at a time."),
        &vl_error_TooManyClients,
        SD_VARLINK_SYMBOL_COMMENT("The call has more than 64 KiB, or is nested deeper than 16 arrays and objects. lkmd closes the connection."),
        &vl_error_MessageTooLarge);
