/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* InterfacePolicy: the part of the varlink interface that is about the policy, its audit and grants. */

#include "common/interface/interface-policy.h"

/* ---------------------------------------------------------------------------------------------- types */

SD_VARLINK_DEFINE_ENUM_TYPE(
        PolicySource, SD_VARLINK_FIELD_COMMENT("module_blacklist= on the kernel command line: the kernel itself refuses."),
        SD_VARLINK_DEFINE_ENUM_VALUE(kernel),
        SD_VARLINK_FIELD_COMMENT("lkmd.deny=, lkmd.allow= or modprobe.blacklist= on the kernel command line."),
        SD_VARLINK_DEFINE_ENUM_VALUE(command_line),
        SD_VARLINK_FIELD_COMMENT("A grant: allowed or denied for a time."),
        SD_VARLINK_DEFINE_ENUM_VALUE(grant),
        SD_VARLINK_FIELD_COMMENT("A rule of policy.d."),
        SD_VARLINK_DEFINE_ENUM_VALUE(rule),
        SD_VARLINK_FIELD_COMMENT("A rule of a list that is included by a file of policy.d."),
        SD_VARLINK_DEFINE_ENUM_VALUE(list),
        SD_VARLINK_FIELD_COMMENT("An install line of modprobe.d that only denies."),
        SD_VARLINK_DEFINE_ENUM_VALUE(install),
        SD_VARLINK_FIELD_COMMENT("A blacklist line of modprobe.d."),
        SD_VARLINK_DEFINE_ENUM_VALUE(blacklist),
        SD_VARLINK_FIELD_COMMENT("The default."),
        SD_VARLINK_DEFINE_ENUM_VALUE(default));

SD_VARLINK_DEFINE_ENUM_TYPE(
        PolicyMode, SD_VARLINK_FIELD_COMMENT("Rules are ignored."), SD_VARLINK_DEFINE_ENUM_VALUE(off),
        SD_VARLINK_FIELD_COMMENT("Rules refuse nothing; what they would refuse is recorded."),
        SD_VARLINK_DEFINE_ENUM_VALUE(audit), SD_VARLINK_FIELD_COMMENT("Rules are enforced."),
        SD_VARLINK_DEFINE_ENUM_VALUE(enforce));

SD_VARLINK_DEFINE_ENUM_TYPE(PolicyVerdict, SD_VARLINK_FIELD_COMMENT("It may be loaded."),
                            SD_VARLINK_DEFINE_ENUM_VALUE(allow),
                            SD_VARLINK_FIELD_COMMENT("It is not loaded, for any requester."),
                            SD_VARLINK_DEFINE_ENUM_VALUE(deny));

#define RULING_FIELDS                                                                                   \
        SD_VARLINK_FIELD_COMMENT("What decided."),                                        \
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(source, PolicySource, SD_VARLINK_NULLABLE),     \
                SD_VARLINK_FIELD_COMMENT(                                                       \
                        "File of the rule or line that decided; absent: no rule or line did."), \
                SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),          \
                SD_VARLINK_FIELD_COMMENT("Its line number, from 1."),                           \
                SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),             \
                SD_VARLINK_FIELD_COMMENT("Its column, from 1."),                                \
                SD_VARLINK_DEFINE_FIELD(column, SD_VARLINK_INT, SD_VARLINK_NULLABLE),           \
                SD_VARLINK_FIELD_COMMENT("Name of the rule that decided."),                     \
                SD_VARLINK_DEFINE_FIELD(rule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),          \
                SD_VARLINK_FIELD_COMMENT("Its reason, in one sentence."),                       \
                SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE)

SD_VARLINK_DEFINE_STRUCT_TYPE(Ruling, RULING_FIELDS);

SD_VARLINK_DEFINE_STRUCT_TYPE(
        LookedAt, SD_VARLINK_FIELD_COMMENT("Its path below /sys."), SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("The modules that were refused, and no longer are."),
        SD_VARLINK_DEFINE_FIELD(modules, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The driver that it has now; null: none."),
        SD_VARLINK_DEFINE_FIELD(driver, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What became of it, in words. A load that takes longer than ten seconds is not waited for."),
        SD_VARLINK_DEFINE_FIELD(result, SD_VARLINK_STRING, 0));

SD_VARLINK_DEFINE_STRUCT_TYPE(KeepingDevice, SD_VARLINK_FIELD_COMMENT("Its path below /sys."),
                              SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, 0),
                              SD_VARLINK_FIELD_COMMENT("The module of its driver."),
                              SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        PolicyGrant, SD_VARLINK_FIELD_COMMENT("Its name, for Revoke; also the name of its rule."),
        SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Module or glob, normalised."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(verdict, PolicyVerdict, 0),
        SD_VARLINK_FIELD_COMMENT("The reason that was given."),
        SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("When it ends, CLOCK_REALTIME in microseconds; absent: when the "
                                 "machine is rebooted, or when it is used up."),
        SD_VARLINK_DEFINE_FIELD(expiresUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: for one request; the first that it decides uses it up."),
        SD_VARLINK_DEFINE_FIELD(once, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("User ID of who gave it; absent: not known."),
        SD_VARLINK_DEFINE_FIELD(uid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("When it was given, CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(createdUSec, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_STRUCT_TYPE(
                DeniedModule,
                SD_VARLINK_FIELD_COMMENT("Normalised name, with '_'."),
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                RULING_FIELDS);

SD_VARLINK_DEFINE_ENUM_TYPE(
        PolicyStanding, SD_VARLINK_FIELD_COMMENT("The policy is that of the files."),
        SD_VARLINK_DEFINE_ENUM_VALUE(current),
        SD_VARLINK_FIELD_COMMENT("Some file is broken; the policy is that of the files before."),
        SD_VARLINK_DEFINE_ENUM_VALUE(old),
        SD_VARLINK_FIELD_COMMENT("Some file was broken when lkmd started; the policy is the last one that an earlier lkmd read without errors."),
        SD_VARLINK_DEFINE_ENUM_VALUE(last_good),
        SD_VARLINK_FIELD_COMMENT("Likewise, and no earlier one is known; the policy is that of the other files, without \"default: deny\"."),
        SD_VARLINK_DEFINE_ENUM_VALUE(partial));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Policy, SD_VARLINK_FIELD_COMMENT("Mode= of lkmd.conf: the upper limit of the mode of all rules."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(mode, PolicyMode, 0),
        SD_VARLINK_FIELD_COMMENT("The verdict for modules that no rule matches."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(defaultVerdict, PolicyVerdict, 0),
        SD_VARLINK_FIELD_COMMENT("Number of rules in force, including those of lists and grants."),
        SD_VARLINK_DEFINE_FIELD(rules, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("The files of the rules, in the order of precedence."),
        SD_VARLINK_DEFINE_FIELD(files, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("True: some file is broken, see standing."),
        SD_VARLINK_DEFINE_FIELD(broken, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Where the policy in force is from."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(standing, PolicyStanding, 0),
        SD_VARLINK_FIELD_COMMENT(
                "True: the files have, or may have, \"default: deny\", which is not in force, because some file "
                "is broken and no earlier policy is known."),
        SD_VARLINK_DEFINE_FIELD(lacksDefault, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Errors in the files of the policy."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The grants, oldest first."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(grants, PolicyGrant, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT(
                "Modules in the kernel that would be denied to a request for their name now. lkmd never removes "
                "them by itself."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(loadedButDenied, DeniedModule, SD_VARLINK_ARRAY));

SD_VARLINK_DEFINE_ENUM_TYPE(
        AuditKind, SD_VARLINK_FIELD_COMMENT("The module was left out of a request."),
        SD_VARLINK_DEFINE_ENUM_VALUE(refused),
        SD_VARLINK_FIELD_COMMENT(
                "The module would have been left out if what is in audit mode were enforced."),
        SD_VARLINK_DEFINE_ENUM_VALUE(would_refuse),
        SD_VARLINK_FIELD_COMMENT("The module was allowed by a rule with verdict audit."),
        SD_VARLINK_DEFINE_ENUM_VALUE(reported));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        AuditEntry, SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, AuditKind, 0),
        SD_VARLINK_FIELD_COMMENT("Normalised name, with '_'."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0), RULING_FIELDS,
        SD_VARLINK_FIELD_COMMENT("Who asked."), SD_VARLINK_DEFINE_FIELD_BY_TYPE(origin, Origin, 0),
        SD_VARLINK_FIELD_COMMENT("What was asked for, as it was given: module name, alias or modalias."),
        SD_VARLINK_DEFINE_FIELD(key, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Origin device: path of the device below /sys."),
        SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("User ID of the client, or of the process for which the kernel asks, if it is known."),
        SD_VARLINK_DEFINE_FIELD(uid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Name of that process. Of the processes of one user that the same was done to, the first 16 are told "
                "apart by name, program and unit; those that come later are counted without them."),
        SD_VARLINK_DEFINE_FIELD(command, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Path of its program."),
        SD_VARLINK_DEFINE_FIELD(executable, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its systemd unit."),
        SD_VARLINK_DEFINE_FIELD(unit, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its container: a part of the path of its control group."),
        SD_VARLINK_DEFINE_FIELD(container, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("How often this happened, in all boots that are counted or, if asked for, in this one."),
        SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("When it happened for the first time, CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(firstUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("When it happened for the last time, likewise."),
        SD_VARLINK_DEFINE_FIELD(lastUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("In how many of these boots it happened."),
        SD_VARLINK_DEFINE_FIELD(boots, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "True: the policy in force no longer has the rule: no file of that name with a rule of that name or, "
                "if it has none, in that place. Absent: it has, or lkmd does not look, since it is no rule of a file."),
        SD_VARLINK_DEFINE_FIELD(gone, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE));

/* -------------------------------------------------------------------------------------------- methods */

SD_VARLINK_DEFINE_METHOD(
        Grant, SD_VARLINK_FIELD_COMMENT("Module name or glob, '-' and '_' alike."),
        SD_VARLINK_DEFINE_INPUT(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_INPUT_BY_TYPE(verdict, PolicyVerdict, 0),
        SD_VARLINK_FIELD_COMMENT("Duration in microseconds. Not with once; without both it ends when the machine is rebooted."),
        SD_VARLINK_DEFINE_INPUT(forUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: only for the next request that it decides."),
        SD_VARLINK_DEFINE_INPUT(once, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The reason, in one sentence, which is in all messages about the grant."),
        SD_VARLINK_DEFINE_INPUT(reason, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(grant, PolicyGrant, 0),
        SD_VARLINK_FIELD_COMMENT("Devices without a driver for which what is allowed now was refused: they were looked at again."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(devices, LookedAt, SD_VARLINK_ARRAY));

SD_VARLINK_DEFINE_METHOD(
        Revoke, SD_VARLINK_FIELD_COMMENT("Name of a grant."),
        SD_VARLINK_DEFINE_INPUT(id, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Devices that have a driver of a module which is denied from now on: they keep it."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(keeping, KeepingDevice, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("As in the reply of Grant, if the grant denied something."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(devices, LookedAt, SD_VARLINK_ARRAY));

SD_VARLINK_DEFINE_METHOD(
        Audit, SD_VARLINK_FIELD_COMMENT("True: only what happened since the machine was booted; default false."),
        SD_VARLINK_DEFINE_INPUT(thisBoot, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Sorted by the place of the rule, then by module."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(entries, AuditEntry, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Number of entries that were dropped in favour of newer ones, oldest first."),
        SD_VARLINK_DEFINE_OUTPUT(dropped, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("What happened before is not counted, CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_OUTPUT(sinceUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Number of boots that are counted, this one included, whatever thisBoot is."),
        SD_VARLINK_DEFINE_OUTPUT(boots, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "False: what is kept of earlier boots has not been read yet, which lkmd-audit.service brings once /var "
                "is there."),
        SD_VARLINK_DEFINE_OUTPUT(earlier, SD_VARLINK_BOOL, 0));

SD_VARLINK_DEFINE_METHOD(ClearAudit);

/* --------------------------------------------------------------------------------------------- errors */

SD_VARLINK_DEFINE_ERROR(
                NoSuchGrant,
                SD_VARLINK_FIELD_COMMENT("What went wrong, in one sentence."),
                SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("What to try next."),
                SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));
