/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* InterfaceUnload: the part of the varlink interface that is about removals. */

#include "common/interface/interface-unload.h"

SD_VARLINK_DEFINE_ENUM_TYPE(
        UnloadReason, SD_VARLINK_FIELD_COMMENT("The call asks for it."), SD_VARLINK_DEFINE_ENUM_VALUE(requested),
        SD_VARLINK_FIELD_COMMENT("It was loaded on demand, and is not used any more."), SD_VARLINK_DEFINE_ENUM_VALUE(idle),
        SD_VARLINK_FIELD_COMMENT("It uses the parent; only if holders was true."), SD_VARLINK_DEFINE_ENUM_VALUE(holder),
        SD_VARLINK_FIELD_COMMENT("It was loaded since the parent needs it, and nobody else does."),
        SD_VARLINK_DEFINE_ENUM_VALUE(dependency),
        SD_VARLINK_FIELD_COMMENT("It was loaded since the parent wants it to be loaded before (softdep pre)."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_pre),
        SD_VARLINK_FIELD_COMMENT("It was loaded since the parent wants it to be loaded after (softdep post)."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_post));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        UnloadStep, SD_VARLINK_FIELD_COMMENT("Normalised name, as the kernel has it."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0), SD_VARLINK_FIELD_COMMENT("Why it goes."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(reason, UnloadReason, 0),
        SD_VARLINK_FIELD_COMMENT("The module that the reason names."),
        SD_VARLINK_DEFINE_FIELD(parent, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: its remove command of modprobe.d is run instead, and answers for what only it needed."),
        SD_VARLINK_DEFINE_FIELD(command, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its memory in the kernel, in bytes."),
        SD_VARLINK_DEFINE_FIELD(sizeBytes, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_ENUM_TYPE(
        UnloadStayKind, SD_VARLINK_FIELD_COMMENT("Somebody asked for the module itself: the requester."),
        SD_VARLINK_DEFINE_ENUM_VALUE(requested),
        SD_VARLINK_FIELD_COMMENT("lkmd did not load it, or does not know any more for what: the requester, if that is known."),
        SD_VARLINK_DEFINE_ENUM_VALUE(not_lkmds),
        SD_VARLINK_FIELD_COMMENT("Modules that stay name it in a softdep."),
        SD_VARLINK_DEFINE_ENUM_VALUE(wanted),
        SD_VARLINK_FIELD_COMMENT("Modules use it, or something else does."),
        SD_VARLINK_DEFINE_ENUM_VALUE(in_use),
        SD_VARLINK_FIELD_COMMENT("A rule of the policy keeps it: idle-unload: no."),
        SD_VARLINK_DEFINE_ENUM_VALUE(kept), SD_VARLINK_FIELD_COMMENT("It is being loaded or removed."),
        SD_VARLINK_DEFINE_ENUM_VALUE(not_live));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        UnloadStay, SD_VARLINK_FIELD_COMMENT("Normalised name, as the kernel has it."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0), SD_VARLINK_FIELD_COMMENT("Why it stays."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, UnloadStayKind, 0),
        SD_VARLINK_FIELD_COMMENT("The module with which it could have gone."),
        SD_VARLINK_DEFINE_FIELD(parent, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Who asked for it, or how it came."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(requester, Requester, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The modules that use or want it."),
        SD_VARLINK_DEFINE_FIELD(modules, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Kind in_use: its reference count, without the modules that go."),
        SD_VARLINK_DEFINE_FIELD(refCount, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: the plan was to remove it, and this has changed while the plan was carried out."),
        SD_VARLINK_DEFINE_FIELD(changed, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE));

SD_VARLINK_DEFINE_ENUM_TYPE(
        NeedKind, SD_VARLINK_FIELD_COMMENT("The file system of /, /usr, /boot or the EFI partition."),
        SD_VARLINK_DEFINE_ENUM_VALUE(file_system), SD_VARLINK_FIELD_COMMENT("Swap space."),
        SD_VARLINK_DEFINE_ENUM_VALUE(swap), SD_VARLINK_FIELD_COMMENT("The system console."),
        SD_VARLINK_DEFINE_ENUM_VALUE(console), SD_VARLINK_FIELD_COMMENT("An interface of keepInterfaces."),
        SD_VARLINK_DEFINE_ENUM_VALUE(network));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Need, SD_VARLINK_FIELD_COMMENT("What would be lost."), SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, NeedKind, 0),
        SD_VARLINK_FIELD_COMMENT("Mount point, swap device or file, terminal, or interface."),
        SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0), SD_VARLINK_FIELD_COMMENT("The module that it depends on."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "The devices on the way to the one that the module drives, by their names in /sys. Empty: the module is the file "
                "system, or the kind of the interface."),
        SD_VARLINK_DEFINE_FIELD(through, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The same, in words."),
        SD_VARLINK_DEFINE_FIELD(text, SD_VARLINK_STRING, 0));

SD_VARLINK_DEFINE_METHOD_FULL(
        Unload, SD_VARLINK_SUPPORTS_MORE, SD_VARLINK_FIELD_COMMENT("Module name or alias."),
        SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Remove it even if the module does not support removal (O_TRUNC, delete_module(2)). Needs a kernel with "
                "CONFIG_MODULE_FORCE_UNLOAD. A module in use is not removed."),
        SD_VARLINK_DEFINE_INPUT(force, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Do nothing: reply with what would be done."),
        SD_VARLINK_DEFINE_INPUT(plan, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Before it, remove the modules that use it, and what only they needed."),
        SD_VARLINK_DEFINE_INPUT(holders, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Do it although this machine needs one of the modules, instead of the error Needed."),
        SD_VARLINK_DEFINE_INPUT(ignoreNeeds, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Network interfaces that have to go on: those over which the caller logged in."),
        SD_VARLINK_DEFINE_INPUT(keepInterfaces, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "If it is in use, wait until it is not, for this time in microseconds. It can be used meanwhile. Ends with the connection."),
        SD_VARLINK_DEFINE_INPUT(waitUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "As rmmod(8): the name is that of a loaded module and no alias, what it depended on stays, and its remove "
                "command is not run."),
        SD_VARLINK_DEFINE_INPUT(alone, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Remove the module itself rather than run its remove command, and leave its softdeps alone, as modprobe -r -i does."),
        SD_VARLINK_DEFINE_INPUT(ignoreRemove, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "The module whose install or remove command makes this call. lkmd refuses what would have to wait for that command."),
        SD_VARLINK_DEFINE_INPUT(commandOf, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Only with 'more': a load or removal began or ended; the other fields are absent."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(progress, Event, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("All loads and removals, in the order in which they ended."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(records, Record, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("With plan: the modules that go, in this order."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(steps, UnloadStep, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What those needed or wanted that go, and that stays nevertheless."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(stays, UnloadStay, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("With plan: what this machine would lose, because of which it is refused unless ignoreNeeds is true."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(needed, Need, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE));

SD_VARLINK_DEFINE_METHOD(
        Sweep, SD_VARLINK_FIELD_COMMENT("Do nothing: reply with what would be done."),
        SD_VARLINK_DEFINE_INPUT(plan, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("With plan: the modules that go, in this order."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(steps, UnloadStep, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("All removals, in the order in which they ended."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(records, Record, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What those needed that go, and that stays; what is loaded on demand and kept by a rule."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(stays, UnloadStay, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The memory of the modules that went, or would go, in bytes."),
        SD_VARLINK_DEFINE_OUTPUT(sizeBytes, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_ERROR(Needed, SD_VARLINK_FIELD_COMMENT("What would be lost, in one sentence."),
                        SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),
                        SD_VARLINK_FIELD_COMMENT("What to try next."),
                        SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
                        SD_VARLINK_FIELD_COMMENT("The module that has to stay."),
                        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                        SD_VARLINK_FIELD_COMMENT("All that depends on the modules that were to be removed."),
                        SD_VARLINK_DEFINE_FIELD_BY_TYPE(needs, Need, SD_VARLINK_ARRAY));
